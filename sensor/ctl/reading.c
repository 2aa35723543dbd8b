/*
 * Starts the processes that read captures and watches them. What goes wrong with one file is told
 * with its name, and the next file is read all the same.
 */
#include "sensor/ctl/reading.h"

#include "sensor/common/memory_file.h"
#include "sensor/common/spawn.h"
#include "sensor/common/spread.h"
#include "sensor/ctl/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_BYTES = 2 << 20, INDEX_BYTES = 32 << 20, ENGINE_FDS = 6, HUB_FDS = 4, RING_ENDS = 3, SETTLE_MS = 5 };

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
	struct spawn_fd fds[HUB_FDS + RING_ENDS * CONFIG_ENGINES] = {
		{ config, FD_CONFIG }, { orders, FD_ORDERS }, { outcomes, FD_OUTCOMES }, { output, STDOUT_FILENO },
	};
	size_t count = HUB_FDS;
	pid_t pid;

	for (unsigned i = 0; i < r->engines; i++) {
		int first = fd_of_ring(FD_RECORDS_IN, i);

		fds[count++] = (struct spawn_fd){ r->ring[i].records_ro, first };
		fds[count++] = (struct spawn_fd){ r->ring[i].tail_rw, first + 1 };
		fds[count++] = (struct spawn_fd){ r->ring[i].wake, first + 2 };
	}
	pid = config < 0 ? -1 : spawn("askance-hub", argv, fds, count);
	close(config);
	return pid;
}

/* A ring for each engine, of which the hub waits for none before it is started. */
static int make_rings(struct reading *r)
{
	if (r->engines < 1)
		r->engines = 1;
	r->hub_config.engines = r->engines;
	for (unsigned i = 0; i < r->engines; i++)
		if (ring_create(&r->ring[i], "findings", RING_BYTES) < 0 || ring_attach_producer(&r->side[i], r->ring[i].records_rw, r->ring[i].tail_ro, r->ring[i].wake) < 0)
			return -1;
	return 0;
}

int reading_start(struct reading *r, bool own_output)
{
	int orders[2], outcomes[2], output[2] = { -1, STDOUT_FILENO };

	catch_stops();
	r->output = -1;
	if (make_rings(r) < 0 || pipe2(orders, O_CLOEXEC) < 0 ||
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

/* One of the `count` engines that share the file, and the memory file `together` when they are several. */
static pid_t start_engine(struct reading *r, int fd, int together, unsigned index, unsigned count)
{
	char *argv[] = { (char *)"askance-engine", NULL };
	struct ring_fds *ring = &r->ring[index];
	int config;
	pid_t pid;

	r->engine_config.index = index;
	r->engine_config.shares = count > 1 ? shares_of_engine(index, count) : 0;
	r->engine_config.engines = count;
	r->engine_config.quiet = r->files > 0 || index > 0;
	config = spawn_config(&r->engine_config, sizeof r->engine_config);
	struct spawn_fd fds[ENGINE_FDS + ENGINE_FILES] = {
		{ config, FD_CONFIG }, { ring->records_rw, FD_RECORDS_OUT }, { ring->tail_ro, FD_TAIL_OUT },
		{ ring->wake, FD_WAKE_OUT }, { fd, FD_CAPTURE_FILE }, { together, FD_FILE_INDEX },
	};
	size_t used = ENGINE_FDS - (count == 1);

	for (int i = 0; i < ENGINE_FILES; i++)
		if (r->engine_files[i] >= 0)
			fds[used++] = (struct spawn_fd){ r->engine_files[i], FD_ENGINE_FILES + i };
	pid = config < 0 ? -1 : spawn("askance-engine", argv, fds, used);
	close(config);
	return pid;
}

/* An engine at work on a file. */
struct part {
	pid_t pid;
	int watch;
	int status; /* as waitpid() gave it */
	bool ended;
	bool told;  /* REPORT_END has come */
	struct progress last;
};

/* The file being read. */
struct job {
	const char *name;
	unsigned parts;
	struct part part[CONFIG_ENGINES];
	bool asked_to_stop;
};

static bool ended_well(const struct part *p)
{
	return p->ended && WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0;
}

static void take_report(struct reading *r, struct job *job)
{
	struct report report;
	struct part *p;

	if (read(r->outcomes, &report, sizeof report) != (ssize_t)sizeof report || report.engine >= job->parts)
		return;
	p = &job->part[report.engine];
	p->last = report.progress;
	if (report.type == REPORT_END)
		p->told = true;
	else if (r->progress && report.engine == 0)
		progress_draw(job->name, &report.progress);
}

/* The hub need not wait for what this engine had still to tell. */
static void end_part(struct reading *r, struct job *job, unsigned index)
{
	job->part[index].ended = true;
	ring_count(&r->side[index], NOTE_ORDER, UINT64_MAX);
}

static bool done(const struct job *job)
{
	for (unsigned i = 0; i < job->parts; i++)
		if (!job->part[i].ended || (!job->part[i].told && ended_well(&job->part[i])))
			return false;
	return true;
}

static void ask_to_stop(struct job *job)
{
	job->asked_to_stop = true;
	for (unsigned i = 0; i < job->parts; i++)
		if (!job->part[i].ended)
			kill(job->part[i].pid, SIGTERM);
}

/* Waits for the engines, and for the last words of those that ended well. False when the hub has ended before. */
static bool watch_job(struct reading *r, struct job *job)
{
	while (!done(job)) {
		struct pollfd fds[2 + CONFIG_ENGINES] = { { .fd = r->outcomes, .events = POLLIN }, { .fd = r->hub_watch, .events = POLLIN } };

		for (unsigned i = 0; i < job->parts; i++)
			fds[2 + i] = (struct pollfd){ .fd = job->part[i].ended ? -1 : job->part[i].watch, .events = POLLIN };
		if (poll(fds, 2 + job->parts, -1) < 0 && errno != EINTR)
			return false;
		if (stopped && !job->asked_to_stop)
			ask_to_stop(job);
		if (fds[0].revents & POLLIN)
			take_report(r, job);
		else if (fds[1].revents)
			return false;
		for (unsigned i = 0; i < job->parts; i++)
			if (fds[2 + i].revents && waitpid(job->part[i].pid, &job->part[i].status, 0) == job->part[i].pid)
				end_part(r, job, i);
	}
	return true;
}

/* True when the hub has taken all that was told in a ring whose producer has ended. */
static bool is_read(const struct ring_fds *fds)
{
	struct ring now;
	bool read = true;

	if (ring_attach_producer(&now, fds->records_rw, fds->tail_ro, fds->wake) < 0)
		return read;
	read = ring_pending(&now) == 0;
	ring_detach(&now);
	return read;
}

/* What a crashed engine told belongs to this file: the hub takes it before the next one is begun. */
static void settle(struct reading *r, struct job *job)
{
	for (unsigned i = 0; i < job->parts; i++)
		while (!job->part[i].told && !is_read(&r->ring[i])) {
			struct pollfd fds[] = { { .fd = r->outcomes, .events = POLLIN }, { .fd = r->hub_watch, .events = POLLIN } };

			if (poll(fds, 2, SETTLE_MS) > 0 && fds[0].revents & POLLIN)
				take_report(r, job);
			else if (fds[1].revents)
				return;
		}
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
	const struct part *p = &job->part[0], *lost = NULL;
	const char *why = p->last.why;
	char end[128];

	/* That much is said already. */
	if (strncmp(why, known, sizeof known - 1) == 0)
		why += sizeof known - 1;

	for (unsigned i = 0; i < job->parts; i++)
		if (!job->part[i].told)
			lost = &job->part[i];
	r->frames += p->last.frames;
	r->bytes += p->last.bytes_read;
	if (lost && stopped) {
		r->cut_short++;
		fprintf(stderr, "askance %s: %s: stopped before its end\n", r->verb, job->name);
	} else if (lost) {
		r->cut_short++;
		describe_end(lost->status, end, sizeof end);
		fprintf(stderr, "askance %s: %s: its engine %s; what it had told is kept, the rest is missing\n", r->verb, job->name, end);
	} else if (p->last.status == END_UNREADABLE) {
		r->unreadable++;
		fprintf(stderr, "askance %s: %s: %s (%s)\n", r->verb, job->name, p->last.frames ? "nothing in it can be read" : "not a capture",
			why[0] ? why : "unknown format");
	} else if (p->last.status == END_CUT_SHORT) {
		r->cut_short++;
		fprintf(stderr, "askance %s: %s: cut short after %llu frames (%s)\n", r->verb, job->name,
			(unsigned long long)p->last.frames, why[0] ? why : "it ends in the middle of a frame");
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

/* A descriptor of its own to read from where `fd` stands, -1 for what can be read but once. */
static int open_again(int fd)
{
	char path[32];
	struct stat st;
	int again;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again >= 0)
		lseek(again, lseek(fd, 0, SEEK_CUR), SEEK_SET);
	return again;
}

static void end_parts(struct reading *r, struct job *job)
{
	for (unsigned i = 0; i < job->parts; i++) {
		struct part *p = &job->part[i];

		if (!p->ended) {
			kill(p->pid, SIGKILL);
			waitpid(p->pid, &p->status, 0);
			end_part(r, job, i);
		}
		close(p->watch);
	}
}

/* As many engines as the file can be read by at once. False when none could be started, or not all. */
static bool start_parts(struct reading *r, struct job *job, int fd)
{
	int fds[CONFIG_ENGINES] = { fd }, together = -1, together_ro = -1;
	unsigned count = 1;
	bool well = true;

	while (count < r->engines && (fds[count] = open_again(fd)) >= 0)
		count++;
	/* What can be read but once is read by one. */
	for (; count > 1 && count < r->engines; count--)
		close(fds[count - 1]);
	if (count > 1 && memory_file_create("index", INDEX_BYTES, &together, &together_ro) < 0)
		well = false;
	for (unsigned i = 0; i < r->engines; i++)
		ring_count(&r->side[i], NOTE_ORDER, i < count ? 0 : UINT64_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct part *p = &job->part[i];

		if (well && (p->pid = start_engine(r, fds[i], together, i, count)) > 0) {
			p->watch = watch(p->pid);
			job->parts++;
		} else {
			well = false;
		}
		if (i)
			close(fds[i]);
	}
	if (together >= 0) {
		close(together);
		close(together_ro);
	}
	return well;
}

bool reading_file(struct reading *r, int fd, const char *name)
{
	struct job job = { .name = name };
	bool hub_lives;

	if (!start_parts(r, &job, fd)) {
		fprintf(stderr, "askance %s: askance-engine could not be started: %s\n", r->verb, strerror(errno));
		end_parts(r, &job);
		r->unreadable++;
		return false;
	}
	hub_lives = watch_job(r, &job);
	end_parts(r, &job);
	if (hub_lives)
		settle(r, &job);
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
