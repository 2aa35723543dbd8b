/*
 * A taken-over engine, in the place of the real one in a real sensor: it tells the hub what it likes, as
 * fast as the ring takes it. The word in the file liar.mode beside its program says what, and is read anew all
 * the time:
 *
 *   quiet            nothing
 *   honest N         device N: its addresses, a service and a name
 *   flood            findings that are valid, about anybody and anything, as many as go
 *   one              the same, about one device alone
 *   nonsense KIND    a message that no engine sends, by enum nonsense
 *
 * At each change it logs how much it has sent.
 */
#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"
#include "sensor/common/time_range.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 256, MODE_BYTES = 64 };

enum nonsense {
	NONSENSE_TYPE, NONSENSE_SHORT, NONSENSE_LONG, NONSENSE_EMPTY, NONSENSE_ENDLESS_TEXT, NONSENSE_ESCAPE, NONSENSE_BAD_UTF8, NONSENSE_BIDI,
	NONSENSE_ATTRIBUTE, NONSENSE_PROTOCOL, NONSENSE_PATH, NONSENSE_FAMILY, NONSENSE_ANALYST, NONSENSE_VLAN, NONSENSE_TIME, NONSENSE_SENDER, NONSENSE_PULSE,
	NONSENSE_COUNTERS, NONSENSE_PROGRESS, NONSENSE_HEAD, NONSENSE_RECORD_LENGTH, NONSENSE_PAD, NONSENSE_NOISE, NONSENSES
};

static struct ring findings, frames;
static uint64_t sent, seed;
static char folder[512];
static bool broken; /* the ring's own words are wrong, and stay so */
static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct report *reserve(size_t len)
{
	void *room;

	while (!(room = ring_reserve(&findings, len)) && !stopping) {
		struct timespec wait = { .tv_nsec = 100000 };

		ring_publish(&findings);
		ring_beat(&findings);
		nanosleep(&wait, NULL);
	}
	if (!room)
		exit(0);
	return memset(room, 0, len);
}

static void commit(size_t len)
{
	ring_commit(&findings, len);
	sent++;
}

/* Texts that mean something to a terminal, a browser, a shell, Redis or a CSV, and are valid all the same. */
static void write_text(char *to, size_t room)
{
	static const char *const words[] = {
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "$(reboot)", "`id`", "; rm -rf /", "' OR 1=1 --", "*3\\r\\n$3\\r\\nDEL",
		"{plant-1}", "askance:{x}:cmd", "%s%s%n", "=cmd|' /C calc'!A0", "../../../../etc/passwd", "\xd7\xa9\xd7\x9c", "\xf0\x9f\x92\xa9", "\\u0000", "\"}],\"x\":[{\"",
	};

	snprintf(to, room, "%s %llx", words[any() % (sizeof words / sizeof *words)], (unsigned long long)any());
	if (any() % 4 == 0)
		while (strlen(to) + 20 < room)
			snprintf(to + strlen(to), room - strlen(to), "%llx", (unsigned long long)any());
}

static struct endpoint anybody(bool one)
{
	uint64_t r = one ? 1 : any();
	struct endpoint e = { .family = one || r & 7 ? 4 : 6, .binding = (uint8_t)(any() % BINDINGS) };

	memcpy(e.mac, &r, sizeof e.mac);
	e.mac[0] = 2;
	r = one ? 1 : any();
	memcpy(e.ip, &r, e.family == 4 ? 4 : 8);
	e.ip[0] = 10;
	return e;
}

static void flood_finding(struct finding *f, bool one)
{
	static const char *const protocols[] = { "modbus", "s7comm", "http", "snmp", "lldp", "x", "askance" };

	f->kind = (uint8_t)(1 + any() % (FINDING_KINDS - 1));
	f->attribute = f->kind == FINDING_ATTRIBUTE ? (uint8_t)(1 + any() % (ATTRIBUTES - 1)) : 0;
	f->activity = f->kind == FINDING_ACTIVITY ? (uint8_t)(1 + any() % (ACTIVITIES - 1)) : 0;
	f->transport = (uint8_t)(f->activity || f->kind == FINDING_SERVICE || f->kind == FINDING_TALKS ? 1 + any() % (TRANSPORTS - 1) : any() % TRANSPORTS);
	f->evidence = (uint8_t)(any() % EVIDENCES);
	f->role = (uint8_t)(any() % ROLES);
	f->source = (uint8_t)(any() % 2);
	f->confidence = (uint8_t)(any() % 101);
	f->port = (uint16_t)any();
	f->vlan[0] = (uint16_t)(any() % 8 ? 0 : any() % 4096);
	f->frame = sent;
	f->time_ns = any() % 16 ? now_ns() : (int64_t)(any() % TIME_MOST_NS);
	f->subject = anybody(one);
	f->peer = anybody(false);
	snprintf(f->protocol, sizeof f->protocol, "%s", protocols[any() % 7]);
	if (any() % 2)
		snprintf(f->path, sizeof f->path, "modbus/502/unit:%u", (unsigned)(any() % 100000));
	write_text(f->value, sizeof f->value);
}

static void flood(bool one)
{
	for (unsigned i = 0; i < MANY; i++) {
		struct report *r = reserve(sizeof *r);

		switch (any() % 16) {
		case 0:
			r->type = REPORT_PULSE;
			r->pulse = (struct pulse){ .server = anybody(one), .client = anybody(false), .port = (uint16_t)any(), .transport = TRANSPORT_TCP,
			                           .why = (uint8_t)(1 + any() % PULSE_ALL), .time_ns = now_ns(), .protocol = "modbus",
			                           .requests = (uint32_t)any(), .replies = (uint32_t)any(), .gap_sum_us = (uint32_t)any() };
			break;
		case 1:
			r->type = REPORT_COUNTERS;
			for (size_t k = 0; k < sizeof r->counters / sizeof(uint64_t); k++)
				((uint64_t *)&r->counters)[k] = any() >> 12;
			break;
		default:
			r->type = REPORT_FINDING;
			flood_finding(&r->finding, one);
			r->sent_from = (uint16_t)(any() & SENT_FROM_BOTH);
		}
		commit(sizeof *r);
	}
}

static void tell_honest(uint16_t number)
{
	struct endpoint who = { .mac = { 2, 0, 0x5e, 0x10, (uint8_t)(number >> 8), (uint8_t)number }, .family = 4, .binding = BINDING_STATED,
	                        .ip = { 10, 20, (uint8_t)(number >> 8), (uint8_t)number } };
	struct finding of[] = {
		{ .kind = FINDING_HOST, .subject = who, .transport = TRANSPORT_ETHERNET, .protocol = "arp" },
		{ .kind = FINDING_SERVICE, .subject = who, .transport = TRANSPORT_TCP, .port = 502, .evidence = EVIDENCE_STRUCTURE, .protocol = "modbus" },
		{ .kind = FINDING_ATTRIBUTE, .subject = who, .transport = TRANSPORT_TCP, .port = 502, .attribute = ATTR_PRODUCT, .protocol = "modbus" },
	};

	snprintf(of[2].value, sizeof of[2].value, "Honest %u", number);
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct report *r = reserve(sizeof *r);

		r->type = REPORT_FINDING;
		r->sent_from = SENT_FROM_BOTH;
		r->finding = of[i];
		r->finding.confidence = 90;
		r->finding.frame = sent + 1;
		r->finding.time_ns = now_ns();
		commit(sizeof *r);
	}
}

/* One field of a good finding is wrong. */
static void spoil(struct report *r, enum nonsense kind)
{
	struct finding *f = &r->finding;

	r->type = REPORT_FINDING;
	flood_finding(f, false);
	f->kind = FINDING_ATTRIBUTE;
	f->attribute = ATTR_NAME;
	f->activity = 0;
	switch (kind) {
	case NONSENSE_TYPE: r->type = 99; break;
	case NONSENSE_ENDLESS_TEXT: memset(f->value, 'A', sizeof f->value); break;
	case NONSENSE_ESCAPE: snprintf(f->value, sizeof f->value, "\033[2Jowned"); break;
	case NONSENSE_BAD_UTF8: snprintf(f->value, sizeof f->value, "\xc0\xaf\xff"); break;
	case NONSENSE_BIDI: snprintf(f->value, sizeof f->value, "\xe2\x80\xaegnp.exe"); break;
	case NONSENSE_ATTRIBUTE: f->attribute = ATTRIBUTES; break;
	case NONSENSE_PROTOCOL: snprintf(f->protocol, sizeof f->protocol, "../x"); break;
	case NONSENSE_PATH: snprintf(f->path, sizeof f->path, "a b\r\n"); break;
	case NONSENSE_FAMILY: f->subject.family = 7; break;
	case NONSENSE_ANALYST: f->source = SOURCE_ANALYST; break;
	case NONSENSE_VLAN: f->vlan[1] = 4096; break;
	case NONSENSE_TIME: f->time_ns = any() % 2 ? -1 : TIME_MOST_NS + 1; break;
	case NONSENSE_SENDER: r->sent_from = SENT_FROM_BOTH + 1; break;
	case NONSENSE_PULSE:
		r->type = REPORT_PULSE;
		memset(&r->pulse, 0xff, sizeof r->pulse);
		break;
	case NONSENSE_COUNTERS:
		r->type = REPORT_COUNTERS;
		memset(&r->counters, 0xff, sizeof r->counters);
		break;
	case NONSENSE_PROGRESS:
		r->type = REPORT_END;
		memset(&r->progress, 'x', sizeof r->progress);
		break;
	default:
		for (size_t i = 0; i < sizeof *r; i++)
			((uint8_t *)r)[i] = (uint8_t)any();
	}
}

/* What the ring's own words are worth: its first word is the head, a record begins with its length and whether it is padding. */
static void break_ring(enum nonsense kind)
{
	uint8_t *at = findings.bytes + (findings.at & (findings.size - 1));
	uint32_t words[2] = { kind == NONSENSE_RECORD_LENGTH ? 0xfffffff0 : 24, kind == NONSENSE_PAD };
	uint64_t head = findings.at + (kind == NONSENSE_HEAD ? UINT64_C(0x8000000000000000) : 4096);

	memcpy(at, words, sizeof words);
	memcpy(findings.records, &head, sizeof head);
	broken = true;
	if (write(findings.wake, &(uint64_t){ 1 }, 8) < 0)
		log_warning("nobody to wake");
	sent++;
}

static void talk_nonsense(enum nonsense kind)
{
	static const size_t lengths[] = { [NONSENSE_SHORT] = offsetof(struct report, finding.value), [NONSENSE_LONG] = sizeof(struct report) + 8, [NONSENSE_EMPTY] = 0 };

	if (kind == NONSENSE_HEAD || kind == NONSENSE_RECORD_LENGTH || kind == NONSENSE_PAD) {
		break_ring(kind);
		return;
	}
	if (kind == NONSENSE_SHORT || kind == NONSENSE_LONG || kind == NONSENSE_EMPTY) {
		reserve(lengths[kind]);
		commit(lengths[kind]);
		return;
	}
	spoil(reserve(sizeof(struct report)), kind);
	commit(sizeof(struct report));
}

static void read_mode(char mode[MODE_BYTES])
{
	char path[600];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/liar.mode", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, mode, MODE_BYTES - 1);
	mode[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

static void drop_frames(void)
{
	const void *record;
	size_t len;

	while (ring_next(&frames, &record, &len) == RING_OK)
		;
	ring_release(&frames);
}

/* True when there is more to say at once. */
static bool act(const char *mode)
{
	static char last[MODE_BYTES];
	/* Who is started while nonsense is still the word has a predecessor that said it. */
	bool is_new = strcmp(mode, last) != 0, begins = !last[0];

	if (is_new)
		log_info("the liar has sent %llu, and is told: %s", (unsigned long long)sent, mode);
	snprintf(last, sizeof last, "%s", mode);
	if (strcmp(mode, "flood") == 0 || strcmp(mode, "one") == 0)
		flood(mode[0] == 'o');
	else if (strncmp(mode, "honest ", 7) == 0)
		tell_honest((uint16_t)atoi(mode + 7));
	else if (strncmp(mode, "nonsense ", 9) == 0 && is_new && !begins)
		talk_nonsense((enum nonsense)atoi(mode + 9));
	if (!broken)
		ring_publish(&findings);
	return mode[0] == 'f' || mode[0] == 'o';
}

int main(void)
{
	struct timespec wait = { .tv_nsec = 20000000 };
	char mode[MODE_BYTES];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);

	log_open("engine");
	signal(SIGTERM, stop);
	if (n <= 0 || getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed || ring_attach_producer(&findings, FD_RECORDS_OUT, FD_TAIL_OUT, FD_WAKE_OUT) < 0 ||
	    ring_attach_consumer(&frames, FD_RECORDS_IN, FD_TAIL_IN, FD_WAKE_IN) < 0)
		return 2;
	folder[n] = 0;
	*strrchr(folder, '/') = 0;
	while (!stopping) {
		bool more;

		read_mode(mode);
		more = act(mode);
		ring_beat(&findings);
		drop_frames();
		if (!more)
			nanosleep(&wait, NULL);
	}
	return 0;
}
