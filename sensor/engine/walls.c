/*
 * What the process that reads hostile bytes may still do: read what it holds, wait, and write to
 * stderr and to the eventfd that wakes the hub. It can open nothing and has no socket to send with.
 */
#include "sensor/engine/walls.h"

#include "sensor/common/message.h"
#include "sensor/common/sandbox.h"

#include <seccomp.h>

/* poll() counts its descriptors against the limit; new ones can't come by in any case. */
enum { FILES = 16 };

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(lseek), /* the capture file */
	-1,
};

static const struct sandbox_call tested_calls[] = {
	SANDBOX_ON(SCMP_SYS(write), FD_WAKE_OUT),
	{ .call = -1 },
};

int engine_walls(bool require)
{
	const struct sandbox s = {
		.process = "engine",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.files = FILES,
	};

	return sandbox_enter(&s, require);
}
