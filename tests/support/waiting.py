"""How tests wait: for a state, never for a time. A limit says how long a machine of its own would need;
machines that are shared get PATIENCE times that, which costs nothing where the state comes about."""
import http.client
import time

try:
    from redis import RedisError
except ImportError:  # a script that talks to no Redis
    RedisError = OSError

PATIENCE = 5


class Failure(Exception):
    pass


def require(condition, why):
    if not condition:
        raise Failure(why)


def wait_for(condition, seconds, why, step=0.05):
    """What the condition gave. Asks again and again; servers may be away meanwhile."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        try:
            found = condition()
            if found:
                return found
        except (RedisError, OSError, http.client.HTTPException):
            pass
        if time.monotonic() > end:
            raise Failure(f"{why() if callable(why) else why} (waited {seconds * PATIENCE} s)")
        time.sleep(step)
