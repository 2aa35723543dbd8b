/* Reads what a dead engine had in hand, and sees that its successor leaves it out. */
#include "sensor/supervisor/crash.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/supervisor/quarantine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
	CAREFUL_FRAMES = 2 * FRAMES_AT_HAND,
	LEFT_OUT_AT = 2,     /* crashes in a row: once may be chance */
	FILE_CRASHES = 3,    /* of a file's engine: it would read it from its start for ever */
	COMMENT_BYTES = 160,
};

static void describe(char *text, const struct child *c, int status, bool again)
{
	if (c->hung)
		snprintf(text, COMMENT_BYTES, "%s gave no sign of life%s", c->name, again ? ", again; this frame was left out" : "");
	else
		snprintf(text, COMMENT_BYTES, "%s ended by %s%s", c->name, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "a sanitizer",
		         again ? ", again; this frame was left out" : "");
}

/* The newest ENGINE_AVOIDS are kept. */
static void avoid(struct engine_wiring *e, const struct child *c, uint64_t service)
{
	for (unsigned i = 0; i < e->avoids; i++)
		if (e->avoid[i] == service)
			return;
	if (e->avoids == ENGINE_AVOIDS)
		memmove(e->avoid, e->avoid + 1, sizeof e->avoid - sizeof *e->avoid);
	else
		e->avoids++;
	e->avoid[e->avoids - 1] = service;
	log_error("%s died inside nDPI; the service is not shown to nDPI any more (please report this, with quarantine.pcapng)", c->name);
}

/* A successor that dies before it takes a frame must not be judged by these. */
static void clear_notes(const struct engine_wiring *e)
{
	struct ring r;

	if (ring_attach_producer(&r, e->findings.records_rw, e->findings.tail_ro, e->findings.wake) < 0)
		return;
	ring_count(&r, NOTE_BATCH, 0);
	ring_count(&r, NOTE_NDPI, 0);
	ring_detach(&r);
}

static void set_aside(struct wiring *w, struct child *c, const struct ring_fds *from, unsigned count, int status)
{
	bool again = c->failures >= LEFT_OUT_AT;
	struct quarantined q;
	char comment[COMMENT_BYTES];

	describe(comment, c, status, again);
	q = quarantine_take(from, count < QUARANTINE_FRAMES ? count : QUARANTINE_FRAMES, !again, w->config->state, comment);
	if (!again) {
		log_warning("the %u frames that %s had in hand are kept in %s/quarantine.pcapng, and tried once more", q.kept, c->name, w->config->state);
		return;
	}
	w->quarantined += q.seen;
	log_error("%s died of the same place again; %u frame%s left out (please report this, with quarantine.pcapng)", c->name, q.seen,
	          q.seen == 1 ? " is" : "s are");
	/* The next one is a stranger again, but its second chance is the last too. */
	c->failures = 1;
}

void crash_of_engine(struct wiring *w, struct child *c, int status)
{
	struct engine_wiring *e = &w->engine[c->index];
	uint64_t batch = ring_counter(&e->watch, NOTE_BATCH), service = ring_counter(&e->watch, NOTE_NDPI);
	unsigned count = (unsigned)(batch & (NOTE_PROBES - 1));

	if (!child_crashed(c, status))
		return;
	clear_notes(e);
	e->careful = CAREFUL_FRAMES;
	if (service)
		avoid(e, c, service);
	if (count && (batch & NOTE_PROBES || e->file < 0)) {
		set_aside(w, c, batch & NOTE_PROBES ? &w->probes : &e->frames, count, status);
	} else if (e->file >= 0 && c->failures >= FILE_CRASHES) {
		log_error("%s: its engine crashed %d times; the rest of the file stays unread", e->source->file, FILE_CRASHES);
		c->finished = true;
	}
}

void crash_of_trust(struct wiring *w, struct child *children, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct child *c = &children[i];

		if (c->role != CHILD_ENGINE)
			continue;
		if (c->pid) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, NULL, 0);
			c->pid = 0;
			c->kill_ms = 0;
			c->next_ms = child_clock_ms();
		}
		if (wiring_renew_findings(w, c->index) < 0)
			log_error("no memory for a new ring of findings: %s", strerror(errno));
	}
	log_error("an engine told the hub what no engine tells: all engines are ended and started again, and what they had told last is thrown away (please report this)");
}
