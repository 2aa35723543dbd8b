/* Walks through the files of the audit, and holds the ledger's marks against what they say. */
#include "sensor/ctl/audit.h"

#include "sensor/ctl/document_words.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The ledger's marks, oldest first. */
struct marks {
	struct chain_mark *of;
	size_t count, at;
	bool broken;
};

struct walk {
	struct audit_reading *r;
	struct marks marks;
};

const char *audit_field(const struct json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

long long audit_value(const struct json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static bool fault(struct audit_reading *r, const char *what, const char *why)
{
	snprintf(r->why, sizeof r->why, "%s: %s", what, why);
	return false;
}

static bool read_marks(struct audit_reading *r, struct marks *m)
{
	uint8_t record[LEDGER_RECORD_BYTES];
	char path[CONFIG_PATH_BYTES + 16];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/audit/ledger", r->state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault(r, path, strerror(errno));
	while ((n = read(fd, record, sizeof record)) == (ssize_t)sizeof record) {
		struct chain_mark *more = realloc(m->of, (m->count + 1) * sizeof *more);

		if (!more)
			break;
		m->of = more;
		memcpy(&m->of[m->count++], record, sizeof *more);
	}
	close(fd);
	return n >= 0 || fault(r, path, "can't be read");
}

/* Every mark names a record by number and hash. */
static void hold_marks(struct walk *w, const struct chain *c)
{
	struct marks *m = &w->marks;

	while (m->at < m->count && m->of[m->at].number <= c->number) {
		if (m->of[m->at].number == c->number && memcmp(m->of[m->at].hash, c->hash, sizeof c->hash) != 0)
			m->broken = true;
		m->at++;
		w->r->marks++;
	}
}

static void see_line(void *context, const struct chain *c, const char *line, size_t len)
{
	struct walk *w = context;
	json_t *record = json_loadb(line, len, 0, NULL);
	char *plain;

	hold_marks(w, c);
	w->r->torn += strcmp(audit_field(record, "type"), "torn") == 0;
	if (w->r->see && record) {
		words_disarm(record);
		plain = words_line(line, len, record);
		w->r->see(w->r->context, plain, record);
		free(plain);
	}
	json_decref(record);
}

/* 1: read; 0: there is no such file; -1: a fault. */
static int read_file(struct walk *w, unsigned n)
{
	struct audit_reading *r = w->r;
	char name[16], path[CONFIG_PATH_BYTES + 32];
	size_t tail;
	bool good;
	int fd;

	chain_file(n, name);
	snprintf(path, sizeof path, "%s/audit/%s", r->state, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && n > 1 ? 0 : fault(r, path, strerror(errno)) - 1;
	good = chain_read(&r->chain, fd, see_line, w, &tail);
	close(fd);
	if (!good)
		return fault(r, path, r->chain.why) - 1;
	r->files++;
	return 1;
}

bool audit_read(struct audit_reading *r)
{
	struct walk w = { .r = r };
	bool good = read_marks(r, &w.marks);
	int result = good ? 1 : -1;

	for (unsigned n = 1; result == 1; n++)
		result = read_file(&w, n);
	good = result == 0;
	r->open_end = r->chain.torn;
	if (good && w.marks.broken)
		good = fault(r, "the ledger", "names a record that is another in the audit");
	if (good && w.marks.at < w.marks.count)
		good = fault(r, "the ledger", "knows of records that the audit lacks: lines were cut off at its end");
	free(w.marks.of);
	return good;
}
