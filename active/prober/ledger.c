/* Reads the ledger's records once and writes each before what it stands for happens. */
#include "active/prober/ledger.h"

#include "sensor/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 320, GROW = 64, SEALED_BYTES = LEDGER_RECORD_BYTES - CHAIN_HASH_BYTES };

static void seal(struct ledger_record *r)
{
	chain_hash(r, SEALED_BYTES, r->seal);
}

static bool seal_holds(const struct ledger_record *r)
{
	uint8_t is[CHAIN_HASH_BYTES];

	chain_hash(r, SEALED_BYTES, is);
	return memcmp(is, r->seal, sizeof is) == 0 && r->run && r->state >= LEDGER_BEGUN && r->state <= LEDGER_ENDED_BADLY &&
	       memchr(r->approval, 0, sizeof r->approval) && memchr(r->rule, 0, sizeof r->rule) && memchr(r->path, 0, sizeof r->path);
}

/* Takes a record as the newest state of its run. */
static struct ledger_record *take(struct ledger *l, const struct ledger_record *r)
{
	for (size_t i = l->count; i-- > 0;)
		if (l->runs[i].run == r->run) {
			l->runs[i] = *r;
			return &l->runs[i];
		}
	if (l->count == l->room) {
		struct ledger_record *more = realloc(l->runs, (l->room + GROW) * sizeof *more);

		if (!more)
			return NULL;
		l->runs = more;
		l->room += GROW;
	}
	l->runs[l->count] = *r;
	return &l->runs[l->count++];
}

static bool read_records(struct ledger *l, struct chain_mark *last)
{
	struct ledger_record r;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(l->fd, &r, sizeof r, at)) == (ssize_t)sizeof r) {
		if (!seal_holds(&r) || r.mark.number < last->number) {
			errno = EBADMSG;
			return false;
		}
		if (!take(l, &r))
			return false;
		*last = r.mark;
		at += n;
	}
	/* A record that a killed writer left unfinished stands for nothing that was sent. */
	return n >= 0 && (n == 0 || ftruncate(l->fd, at) == 0);
}

static bool fits_audit(const struct chain_mark *last, const struct chain *audit)
{
	if (last->number > audit->number)
		return false;
	return last->number < audit->number || memcmp(last->hash, audit->hash, sizeof last->hash) == 0;
}

static void forget_old(struct ledger *l, int64_t before_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->runs[i].time_s >= before_s)
			l->runs[kept++] = l->runs[i];
	l->count = kept;
}

/* Writes all that still counts into a new file, which takes the old one's place whole. */
static bool rewrite(struct ledger *l, const char *path, const struct chain_mark *last)
{
	char new_path[PATH_BYTES + 8];
	size_t bytes = l->count * sizeof *l->runs;
	int fd;

	snprintf(new_path, sizeof new_path, "%s.new", path);
	fd = open(new_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		l->runs[i].mark = *last;
		seal(&l->runs[i]);
	}
	if ((bytes && write(fd, l->runs, bytes) != (ssize_t)bytes) || fdatasync(fd) < 0 || rename(new_path, path) < 0) {
		close(fd);
		return false;
	}
	close(l->fd);
	l->fd = fd;
	return true;
}

static bool failed(struct ledger *l, const char *path, const char *why)
{
	log_error("the ledger %s %s; nothing is asked. It and the audit beside it belong together", path, why);
	l->broken = true;
	return false;
}

bool ledger_open(struct ledger *l, const char *state_dir, const struct chain *audit, int64_t now_s, int64_t keep_s)
{
	struct chain_mark last = { 0 };
	char path[PATH_BYTES];
	size_t before;

	*l = (struct ledger){ .fd = -1 };
	snprintf(path, sizeof path, "%s/audit/ledger", state_dir);
	l->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (l->fd < 0 && errno == ENOENT && audit->number > 0)
		return failed(l, path, "is gone");
	if (l->fd < 0)
		l->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (l->fd < 0)
		return failed(l, path, strerror(errno));
	if (!read_records(l, &last))
		return failed(l, path, errno == EBADMSG ? "was changed" : strerror(errno));
	if (!fits_audit(&last, audit))
		return failed(l, path, "knows of records that the audit lacks: lines were cut off there");
	before = l->count;
	forget_old(l, now_s - keep_s);
	if (l->count != before && !rewrite(l, path, &last))
		return failed(l, path, strerror(errno));
	return true;
}

void ledger_close(struct ledger *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->runs);
	*l = (struct ledger){ .fd = -1 };
}

static bool append(struct ledger *l, struct ledger_record *r, const struct chain *audit)
{
	ssize_t n;

	r->mark.number = audit->number;
	memcpy(r->mark.hash, audit->hash, sizeof r->mark.hash);
	seal(r);
	if (l->broken || l->fd < 0)
		return false;
	n = write(l->fd, r, sizeof *r);
	if (n == (ssize_t)sizeof *r && fdatasync(l->fd) == 0)
		return true;
	log_error("the ledger can't be written (%s); nothing is asked", n < 0 ? strerror(errno) : "the disk is full");
	l->broken = n >= 0; /* half a record is cut off at the next start */
	return false;
}

struct ledger_record *ledger_begin(struct ledger *l, const struct approval *a, const struct chain *audit, int64_t now_s,
				   uint32_t packets, uint32_t bytes)
{
	struct ledger_record r = { .run = l->count ? l->runs[l->count - 1].run + 1 : 1, .time_s = now_s, .state = LEDGER_BEGUN,
	                           .packets = packets, .bytes = bytes, .target = a->target };

	memcpy(r.vlan, a->vlan, sizeof r.vlan);
	memcpy(r.approval, a->id, sizeof r.approval);
	memcpy(r.rule, a->rule, sizeof r.rule);
	memcpy(r.path, a->path, sizeof r.path);
	return append(l, &r, audit) ? take(l, &r) : NULL;
}

bool ledger_end(struct ledger *l, struct ledger_record *r, const struct chain *audit, int64_t now_s, bool well,
		uint32_t packets, uint32_t bytes)
{
	r->state = well ? LEDGER_ENDED_WELL : LEDGER_ENDED_BADLY;
	r->ended_s = now_s;
	r->packets = packets;
	r->bytes = bytes;
	return append(l, r, audit);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

/* One device by its address; by its MAC, which may be a router's, only where an address is missing. */
static bool same_device(const struct ledger_record *r, const struct approval *a)
{
	if (r->target.family && a->target.family)
		return r->target.family == a->target.family && memcmp(r->target.ip, a->target.ip, 16) == 0;
	return !all_zero(a->target.mac, 6) && memcmp(r->target.mac, a->target.mac, 6) == 0;
}

unsigned ledger_uses(const struct ledger *l, const char *approval)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += strcmp(l->runs[i].approval, approval) == 0;
	return n;
}

struct ledger_sum ledger_since(const struct ledger *l, const struct approval *target, int64_t since_s)
{
	struct ledger_sum sum = { 0, 0, 0 };

	for (size_t i = 0; i < l->count; i++) {
		const struct ledger_record *r = &l->runs[i];

		/* A run that began before may have sent within. */
		if ((r->time_s <= since_s && r->ended_s <= since_s) || (target && !same_device(r, target)))
			continue;
		sum.packets += r->packets;
		sum.bytes += r->bytes;
		sum.connections++;
	}
	return sum;
}

int64_t ledger_last(const struct ledger *l, const struct approval *target)
{
	int64_t last = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct ledger_record *r = &l->runs[i];
		int64_t when = r->ended_s > r->time_s ? r->ended_s : r->time_s;

		if (when > last && same_device(r, target))
			last = when;
	}
	return last;
}

int64_t ledger_last_asked(const struct ledger *l, const struct approval *a)
{
	int64_t last = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct ledger_record *r = &l->runs[i];

		if (r->time_s > last && strcmp(r->rule, a->rule) == 0 && strcmp(r->path, a->path) == 0 && same_device(r, a))
			last = r->time_s;
	}
	return last;
}

unsigned ledger_failures(const struct ledger *l, const char *rule, int64_t since_s)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct ledger_record *r = &l->runs[i];

		if (strcmp(r->rule, rule) != 0 || r->time_s <= since_s)
			continue;
		n = r->state == LEDGER_ENDED_WELL ? 0 : n + 1;
	}
	return n;
}
