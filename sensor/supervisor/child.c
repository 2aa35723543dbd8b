/* When a child is started again, and when that is given up. */
#include "sensor/supervisor/child.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum {
	FIRST_DELAY_MS = 50,
	MOST_DELAY_MS = 10000,
	STEADY_MS = 10000,  /* who lived this long starts with a clean sheet */
	MOST_FAILURES = 14, /* about a minute and a half of trying */
	/* exit codes that all of the sensor's processes share, and capture's own */
	EXIT_ENDED = 0,
	EXIT_WRONG = 2,
	EXIT_NO_INTERFACE = 3,
	EXIT_NO_RIGHT = 4,
	EXIT_NO_EXEC = 127,
};

int64_t child_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void child_started(struct child *c, pid_t pid)
{
	c->pid = pid;
	c->starts++;
	c->started_ms = child_clock_ms();
	c->kill_ms = 0;
	c->wanted_end = false;
	c->hung = false;
}

static int64_t delay_ms(unsigned failures)
{
	int64_t delay = FIRST_DELAY_MS;

	while (--failures > 0 && delay < MOST_DELAY_MS)
		delay *= 2;
	return delay < MOST_DELAY_MS ? delay : MOST_DELAY_MS;
}

static void tell_end(const struct child *c, int status, int64_t delay)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_error("%s made a system call that its walls forbid and was ended; starts again in %lld ms", c->name, (long long)delay);
	else if (WIFSIGNALED(status))
		log_warning("%s was ended by signal %d (%s); starts again in %lld ms", c->name, WTERMSIG(status),
		            strsignal(WTERMSIG(status)), (long long)delay);
	else if (WEXITSTATUS(status) == EXIT_NO_EXEC)
		log_error("%s could not be executed; tried again in %lld ms", c->name, (long long)delay);
	else
		log_warning("%s ended with code %d; starts again in %lld ms", c->name, WEXITSTATUS(status), (long long)delay);
}

bool child_crashed(const struct child *c, int status)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS };

	for (size_t i = 0; WIFSIGNALED(status) && i < sizeof faults / sizeof *faults; i++)
		if (WTERMSIG(status) == faults[i])
			return true;
#ifdef ASKANCE_SANITIZED
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return true; /* how a sanitizer ends */
#endif
	return c->hung;
}

/*
 * An interface may come back after hours. And whoever can make an engine crash by a frame, or the hub end by
 * a crashed engine's words, must not be able to end the sensor by doing it often. For all else there is an end
 * of patience.
 */
static bool waits_for_ever(const struct child *c, int status)
{
	switch (c->role) {
	case CHILD_CAPTURE:
		return WIFEXITED(status) && WEXITSTATUS(status) != EXIT_NO_EXEC;
	case CHILD_ENGINE:
		return child_crashed(c, status);
	case CHILD_HUB:
		return WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_WRONG_REPORT || WEXITSTATUS(status) == EXIT_WRONG_OUTCOME);
	default:
		return false;
	}
}

/* Told by the first start: a later one finds a machine that was right once. */
static bool is_wrong(const struct child *c, int status)
{
	if (!WIFEXITED(status) || c->starts > 1)
		return false;
	return WEXITSTATUS(status) == EXIT_WRONG ||
	       (c->role == CHILD_CAPTURE && (WEXITSTATUS(status) == EXIT_NO_RIGHT || WEXITSTATUS(status) == EXIT_NO_INTERFACE));
}

enum child_verdict child_ended(struct child *c, int status)
{
	int64_t now = child_clock_ms();

	c->pid = 0;
	c->kill_ms = 0;
	c->next_ms = now;
	if (!c->hung)
		c->worked_ms = now;
	if (c->wanted_end)
		return CHILD_AGAIN;
	if (c->role == CHILD_ENGINE && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ENDED) {
		c->finished = true;
		return CHILD_DONE;
	}
	if (is_wrong(c, status)) {
		log_error("%s can't work with this configuration or these rights; the sensor ends", c->name);
		return CHILD_WRONG;
	}
	c->failures = c->worked_ms - c->started_ms >= STEADY_MS ? 1 : c->failures + 1;
	if (c->failures > MOST_FAILURES && !waits_for_ever(c, status)) {
		log_error("%s could not be kept alive", c->name);
		return CHILD_HOPELESS;
	}
	c->next_ms = now + delay_ms(c->failures);
	tell_end(c, status, delay_ms(c->failures));
	return CHILD_AGAIN;
}

void child_renew(struct child *c, int signal, int64_t limit_ms)
{
	c->next_ms = child_clock_ms();
	c->failures = 0;
	if (!c->pid)
		return;
	c->wanted_end = true;
	c->kill_ms = child_clock_ms() + limit_ms;
	kill(c->pid, signal);
}
