/*
 * Starts the processes that read captures and watches them. What goes wrong with one file is told
 * with its name, and the next file is read all the same.
 */
#include "sensor/ctl/reading.h"

#include "sensor/common/spawn.h"
#include "sensor/ctl/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_BYTES = 2 << 20, ENGINE_FDS = 5 };

static volatile sig_atomic_t stopped;

static void note_stop(int number)
{
	(void)number;
	stopped = 1;
}

bool reading_stopped(void)
{
	return stopped;
}

/* A second interrupt ends the command at once, and its children with it. */
static void catch_stops(void)
{
	struct sigaction action = { .sa_handler = note_stop, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int watch(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static pid_t start_hub(struct reading *r, int orders, int outcomes, int output)
{
	char *argv[] = { (char *)"askance-hub", NULL };
	int config = spawn_config(&r->hub_config, sizeof r->hub_config);
	struct spawn_fd fds[] = {
		{ config, FD_CONFIG }, { r->ring.records_ro, FD_RECORDS_IN }, { r->ring.tail_rw, FD_TAIL_IN },
		{ r->ring.wake, FD_WAKE_IN }, { orders, FD_ORDERS }, { outcomes, FD_OUTCOMES }, { output, STDOUT_FILENO },
	};
	pid_t pid = config < 0 ? -1 : spawn("askance-hub", argv, fds, sizeof fds / sizeof *fds);

	close(config);
	return pid;
}

int reading_start(struct reading *r, bool own_output)
{
	int orders[2], outcomes[2], output[2] = { -1, STDOUT_FILENO };

	catch_stops();
	r->output = -1;
	if (ring_create(&r->ring, "findings", RING_BYTES) < 0 || pipe2(orders, O_CLOEXEC) < 0 ||
	    pipe2(outcomes, O_CLOEXEC) < 0 || (own_output && pipe2(output, O_CLOEXEC) < 0)) {
		fprintf(stderr, "askance %s: no memory for the ring between processes: %s\n", r->verb, strerror(errno));
		return -1;
	}
	r->hub = start_hub(r, orders[0], outcomes[1], output[1]);
	if (r->hub < 0) {
		fprintf(stderr, "askance %s: askance-hub could not be started: %s\n", r->verb, strerror(errno));
		return -1;
	}
	close(orders[0]);
	close(outcomes[1]);
	if (own_output)
		close(output[1]);
	r->orders = orders[1];
	r->outcomes = outcomes[0];
	r->output = output[0];
	r->hub_watch = watch(r->hub);
	return 0;
}

static pid_t start_engine(struct reading *r, int fd)
{
	char *argv[] = { (char *)"askance-engine", NULL };
	int config;
	pid_t pid;

	r->engine_config.index = r->files % CONFIG_ENGINES;
	r->engine_config.quiet = r->files > 0;
	config = spawn_config(&r->engine_config, sizeof r->engine_config);
	struct spawn_fd fds[ENGINE_FDS + ENGINE_FILES] = {
		{ config, FD_CONFIG }, { r->ring.records_rw, FD_RECORDS_OUT }, { r->ring.tail_ro, FD_TAIL_OUT },
		{ r->ring.wake, FD_WAKE_OUT }, { fd, FD_CAPTURE_FILE },
	};
	size_t count = ENGINE_FDS;

	for (int i = 0; i < ENGINE_FILES; i++)
		if (r->engine_files[i] >= 0)
			fds[count++] = (struct spawn_fd){ r->engine_files[i], FD_ENGINE_FILES + i };
	pid = config < 0 ? -1 : spawn("askance-engine", argv, fds, count);
	close(config);
	return pid;
}

/* The file being read, while its engine lives. */
struct job {
	const char *name;
	pid_t engine;
	int engine_watch;
	int status;       /* as waitpid() gave it */
	bool ended;       /* the engine has */
	bool told;        /* REPORT_END has come */
	bool asked_to_stop;
	struct progress last;
};

static void take_report(struct reading *r, struct job *job)
{
	struct report report;

	if (read(r->outcomes, &report, sizeof report) != (ssize_t)sizeof report || report.engine != r->engine_config.index)
		return;
	job->last = report.progress;
	if (report.type == REPORT_END)
		job->told = true;
	else if (r->progress)
		progress_draw(job->name, &report.progress);
}

/* Waits for the engine, and for its last word when it ended well. False when the hub has ended before. */
static bool watch_job(struct reading *r, struct job *job)
{
	while (!job->ended || (!job->told && WIFEXITED(job->status) && WEXITSTATUS(job->status) == 0)) {
		struct pollfd fds[] = {
			{ .fd = r->outcomes, .events = POLLIN },
			{ .fd = job->ended ? -1 : job->engine_watch, .events = POLLIN },
			{ .fd = r->hub_watch, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return false;
		if (stopped && !job->asked_to_stop && !job->ended) {
			job->asked_to_stop = true;
			kill(job->engine, SIGTERM);
		}
		if (fds[0].revents & POLLIN)
			take_report(r, job);
		else if (fds[2].revents)
			return false;
		if (fds[1].revents && waitpid(job->engine, &job->status, 0) == job->engine)
			job->ended = true;
	}
	return true;
}

static void describe_end(int status, char *text, size_t room)
{
	if (WIFSIGNALED(status))
		snprintf(text, room, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, room, "ended with status %d", WEXITSTATUS(status));
}

/* Says what is to be said of the file, and counts it. */
static void judge_job(struct reading *r, const struct job *job)
{
	static const char known[] = "it is not a capture: ";
	const char *why = job->last.why;
	char end[128];

	/* That much is said already. */
	if (strncmp(why, known, sizeof known - 1) == 0)
		why += sizeof known - 1;

	r->frames += job->last.frames;
	r->bytes += job->last.bytes_read;
	if (!job->told && stopped) {
		r->cut_short++;
		fprintf(stderr, "askance %s: %s: stopped before its end\n", r->verb, job->name);
	} else if (!job->told) {
		r->cut_short++;
		describe_end(job->status, end, sizeof end);
		fprintf(stderr, "askance %s: %s: its engine %s; what it had told is kept, the rest is missing\n", r->verb, job->name, end);
	} else if (job->last.status == END_UNREADABLE) {
		r->unreadable++;
		fprintf(stderr, "askance %s: %s: %s (%s)\n", r->verb, job->name, job->last.frames ? "nothing in it can be read" : "not a capture",
			why[0] ? why : "unknown format");
	} else if (job->last.status == END_CUT_SHORT) {
		r->cut_short++;
		fprintf(stderr, "askance %s: %s: cut short after %llu frames (%s)\n", r->verb, job->name,
			(unsigned long long)job->last.frames, why[0] ? why : "it ends in the middle of a frame");
	} else {
		r->complete++;
		if (why[0])
			fprintf(stderr, "askance %s: %s: %s\n", r->verb, job->name, why);
	}
}

static void tell_hub_ended(struct reading *r)
{
	char end[128];
	int status;

	if (r->hub <= 0 || waitpid(r->hub, &status, 0) != r->hub)
		return;
	r->hub = 0;
	describe_end(status, end, sizeof end);
	fprintf(stderr, "askance %s: askance-hub %s\n", r->verb, end);
}

bool reading_file(struct reading *r, int fd, const char *name)
{
	struct job job = { .name = name };
	bool hub_lives;

	job.engine = start_engine(r, fd);
	if (job.engine < 0) {
		fprintf(stderr, "askance %s: askance-engine could not be started: %s\n", r->verb, strerror(errno));
		r->unreadable++;
		return false;
	}
	job.engine_watch = watch(job.engine);
	hub_lives = watch_job(r, &job);
	if (!job.ended) {
		kill(job.engine, SIGKILL);
		waitpid(job.engine, &job.status, 0);
	}
	close(job.engine_watch);
	if (r->progress)
		progress_clear();
	r->files++;
	if (hub_lives) {
		judge_job(r, &job);
	} else {
		r->cut_short++;
		tell_hub_ended(r);
	}
	return hub_lives && !stopped;
}

bool reading_finish(struct reading *r, void (*each)(char *line, size_t len, void *context), void *context)
{
	int status = -1;

	if (r->hub <= 0)
		return false;
	close(r->orders);
	if (each) {
		FILE *in = fdopen(r->output, "r");
		char *line = NULL;
		size_t room = 0;
		ssize_t n;

		while (in && (n = getline(&line, &room, in)) > 0)
			each(line, (size_t)n, context);
		free(line);
		if (in)
			fclose(in);
	}
	while (waitpid(r->hub, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	/* Status 1 has been explained by the hub itself; a reader that went away needs no words. */
	if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGPIPE : WEXITSTATUS(status) != 1) {
		char end[128];

		describe_end(status, end, sizeof end);
		fprintf(stderr, "askance %s: askance-hub %s\n", r->verb, end);
	}
	return false;
}
