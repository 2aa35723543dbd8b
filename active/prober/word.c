/* Takes the hub's messages from the pipe. A pipe keeps messages of this size whole; anything but a whole one is a fault. */
#include "active/prober/word.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void note_end(int signal_number)
{
	(void)signal_number;
	ending = 1;
}

void word_watch_signals(void)
{
	struct sigaction on_end = { .sa_handler = note_end };

	sigaction(SIGTERM, &on_end, NULL);
	sigaction(SIGUSR1, &on_end, NULL);
	signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C goes to the supervisor, who ends us in order */
	signal(SIGPIPE, SIG_IGN);
}

bool word_ending(void)
{
	return ending != 0;
}

int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool all_zero(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n--)
		if (*p++)
			return false;
	return true;
}

/* An order without an approval has nothing but its type, its run and what ORDER_ALIVE tells. */
static bool is_bare(const struct order *o)
{
	return o->heard_s == 0 && !o->conflict && !o->seen && (!o->loss || o->type == ORDER_ALIVE) &&
	       all_zero(&o->approval, sizeof o->approval);
}

bool order_valid(const struct order *o)
{
	if (o->reserved || o->loss > 1 || o->conflict > 1 || o->seen > 1 || !all_zero(o->zeros, sizeof o->zeros))
		return false;
	switch (o->type) {
	case ORDER_ALIVE:
	case ORDER_STOP:
	case ORDER_RESUME:
		return o->id == 0 && is_bare(o);
	case ORDER_ABORT:
		return o->id != 0 && is_bare(o);
	case ORDER_PROBE:
		return o->id != 0 && !o->loss && o->heard_s >= 0 && approval_valid(&o->approval);
	default:
		return false;
	}
}

void word_open(struct word *w, const char *state_dir)
{
	char path[sizeof w->stop_file], byte = 0;

	*w = (struct word){ .stopped_fd = -1 };
	snprintf(w->stop_file, sizeof w->stop_file, "%s/stop-probing", state_dir);
	snprintf(path, sizeof path, "%s/audit/stopped", state_dir);
	w->stopped_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	/* What can't be read may say so. */
	w->stopped = w->stopped_fd < 0 || pread(w->stopped_fd, &byte, 1, 0) < 0 || byte == '1';
	if (w->stopped)
		log_warning("probing is stopped%s%s", w->stopped_fd < 0 ? ", for this can't be read: " : " by an earlier order", w->stopped_fd < 0 ? path : "");
}

/* A stop that could not be kept on disk still holds for as long as we live. */
static void set_stopped(struct word *w, bool stopped)
{
	bool kept = w->stopped_fd >= 0 && pwrite(w->stopped_fd, stopped ? "1" : "0", 1, 0) == 1 && fdatasync(w->stopped_fd) == 0;

	w->stopped = stopped || !kept;
	if (!kept)
		log_error("whether probing is stopped can't be kept on disk (%s)", strerror(errno));
}

static void obey(struct word *w, const struct order *o)
{
	switch (o->type) {
	case ORDER_ALIVE:
		w->alive_ms = clock_ms();
		w->loss = o->loss;
		break;
	case ORDER_PROBE:
		w->order = *o;
		w->has_order = true;
		break;
	case ORDER_ABORT:
		w->abort = o->id;
		break;
	case ORDER_STOP:
		set_stopped(w, true);
		break;
	case ORDER_RESUME:
		set_stopped(w, false);
		break;
	default:
		break;
	}
}

bool word_take(struct word *w)
{
	struct pollfd ready = { .fd = FD_ORDERS, .events = POLLIN };
	struct order o;
	ssize_t n;

	if (w->ended || w->wrong || w->has_order || poll(&ready, 1, 0) <= 0)
		return false;
	n = read(FD_ORDERS, &o, sizeof o);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n == 0) {
		w->ended = true;
	} else if (n != (ssize_t)sizeof o || !order_valid(&o)) {
		log_error("an order that no honest hub writes (%zd bytes); the prober ends", n);
		w->wrong = true;
	} else {
		obey(w, &o);
	}
	return true;
}

void word_skip(struct word *w, void (*refuse)(void *context, const struct order *o), void *context)
{
	while (word_take(w)) {
		if (w->has_order)
			refuse(context, &w->order);
		w->has_order = false;
	}
	w->alive_ms = 0; /* they lived when they wrote that; do they now? */
	w->abort = 0;
}

enum refusal word_forbids(const struct word *w)
{
	if (w->stopped || ending || w->wrong || w->ended)
		return REFUSED_STOPPED;
	/* A file that can't be looked for might be there. */
	if (faccessat(AT_FDCWD, w->stop_file, F_OK, 0) == 0 || errno != ENOENT)
		return REFUSED_STOPPED;
	if (!w->alive_ms || clock_ms() - w->alive_ms > ORDER_SILENCE_MS)
		return REFUSED_HUB_SILENT;
	return w->loss ? REFUSED_LOSS : REFUSED_NOT;
}
