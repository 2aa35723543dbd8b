/*
 * Stands in for the supervisor and an engine, so that tests can drive a real hub: it starts
 * askance-hub with a findings ring, writes reports into it, and kills and starts it again. Commands
 * come on stdin, one a line; each is answered by one line on stdout.
 *
 *   start            starts the hub                          "ok PID"
 *   feed N [RATE]    N findings, RATE a second (0: no limit)  "ok FED" (how many ever)
 *   scene            findings of every kind, so that every kind of event comes about   "ok"
 *   drain MS         waits until the hub has taken all        "ok" or "late PENDING"
 *   kill             SIGKILL, waits                           "ok"
 *   end MS           SIGTERM, waits                           "ok STATUS" or "late"
 *   serve N PORT     the next N devices, each with a server of Modbus (port 502) or S7comm (102) and a client of it   "ok"
 *   orders MS        what the hub wrote for the prober, until MS passed: "ok ALIVE" and for each other order
 *                    " TYPE:RUN:PROPOSAL:RULE:SIGNATURES:CONFLICT:SEEN:AGE" (AGE in seconds since the target was heard)
 *   outcome TYPE RUN WHAT   says so for the prober: a refusal (1), begun (2), ended (3)   "ok"
 *   chaos N RATE MS  feeds N findings while killing and starting the hub about every MS milliseconds
 *                                                             "ok KILLS"
 *
 * Finding i (from 0) is the attribute i % 16 of host i / 16, its value "V<i>".
 */
#include "active/guard/order.h"
#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"
#include "sensor/common/spawn.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RING_BYTES = 4 << 20, ATTRIBUTES_OF_HOST = 16, COUNT_MS = 100 };

static struct hub_config config = {
	.version = CONFIG_VERSION,
	.mode = HUB_RUN,
	.engines = 1,
	.probing = PROBING_PROPOSE,
	.max_assets = 100000,
	.outbox_days = 7,
	.outbox_bytes_mib = 256,
	.sensor = "t1",
	.zone = "hall-1",
	/* Its devices are heard for moments only. */
	.watch_learn_s = 1,
	.watch_hold_s = 1,
	.watch_observe_s = 1,
	.watch_canary_s = 1,
};
static const char *program;
static struct ring_fds ring_fds;
static struct ring ring;
static int orders[2], outcomes[2], output = -1;
static uint64_t fed;
static pid_t hub = -1;

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_us(unsigned us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&t, NULL);
}

static bool start_hub(void)
{
	int configuration = spawn_config(&config, sizeof config);
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	struct spawn_fd fds[] = {
		{ -1, STDIN_FILENO },
		{ output, STDOUT_FILENO },
		{ configuration, FD_CONFIG },
		{ ring_fds.records_ro, FD_RECORDS_IN },
		{ ring_fds.tail_rw, FD_TAIL_IN },
		{ ring_fds.wake, FD_WAKE_IN },
		{ orders[1], FD_ORDERS },
		{ outcomes[0], FD_OUTCOMES },
	};

	hub = spawn(program, argv, fds, sizeof fds / sizeof *fds);
	close(configuration);
	return hub > 0;
}

static void kill_hub(int sig)
{
	kill(hub, sig);
	while (waitpid(hub, NULL, 0) < 0 && errno == EINTR) {
	}
	hub = -1;
}

/* Each value once ever, so that a test can tell a finding that was lost from one that was told twice. */
static void fill_report(struct report *r, uint64_t i)
{
	static const uint8_t attributes[ATTRIBUTES_OF_HOST] = {
		ATTR_VENDOR, ATTR_PRODUCT, ATTR_ORDER_CODE, ATTR_FIRMWARE, ATTR_HARDWARE, ATTR_SERIAL, ATTR_SOFTWARE, ATTR_OS,
		ATTR_NAME, ATTR_HOSTNAME, ATTR_LOCATION, ATTR_CONTACT, ATTR_DESCRIPTION, ATTR_ROLE, ATTR_REALM, ATTR_STATE,
	};
	uint64_t host = i / ATTRIBUTES_OF_HOST + 1;
	struct finding *f = &r->finding;

	memset(r, 0, sizeof *r);
	r->type = REPORT_FINDING;
	r->sent_from = SENT_FROM_BOTH;
	f->kind = FINDING_ATTRIBUTE;
	f->attribute = attributes[i % ATTRIBUTES_OF_HOST];
	f->confidence = 90;
	f->frame = i + 1;
	f->time_ns = now_ns(CLOCK_REALTIME);
	f->subject = (struct endpoint){ .mac = { 0, 0x1b, 0x1b, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host },
		.family = 4, .binding = BINDING_STATED, .ip = { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host } };
	strcpy(f->protocol, "lldp");
	snprintf(f->value, sizeof f->value, "V%llu", (unsigned long long)i);
}

static void put_report(const struct report *r)
{
	struct report *room;

	while (!(room = ring_reserve(&ring, sizeof *room))) {
		if (waitpid(hub, NULL, WNOHANG) == hub) {
			printf("the hub has ended\n");
			exit(1);
		}
		sleep_us(500);
	}
	*room = *r;
	ring_commit(&ring, sizeof *room);
	ring_publish(&ring);
}

static void feed_one(void)
{
	struct report r;

	fill_report(&r, fed++);
	put_report(&r);
}

static struct endpoint host_at(uint8_t number, enum binding binding)
{
	return (struct endpoint){ .mac = { 0, 0x1b, 0x1b, 9, 9, number }, .family = 4, .binding = (uint8_t)binding, .ip = { 10, 9, 9, number } };
}

static void say(struct finding f)
{
	static uint64_t frame;
	struct report r = { .type = REPORT_FINDING, .sent_from = f.subject.family ? SENT_FROM_BOTH : SENT_FROM_MAC, .finding = f };

	r.finding.frame = ++frame;
	r.finding.time_ns = now_ns(CLOCK_REALTIME);
	put_report(&r);
	/* A batch of its own for each, so that what was told can change: however slow the hub is, it takes this one first. */
	while (ring_pending(&ring) > 0)
		sleep_us(1000);
	sleep_us(30000);
}

static void play_services(void)
{
	struct endpoint plc = host_at(1, BINDING_FRAME), hmi = host_at(2, BINDING_FRAME);
	struct finding service = { .kind = FINDING_SERVICE, .transport = TRANSPORT_TCP, .evidence = EVIDENCE_PORT, .confidence = 30,
		.port = 102, .subject = plc };

	say(service);
	strcpy(service.protocol, "s7comm");
	service.evidence = EVIDENCE_NDPI;
	say(service);
	service.evidence = EVIDENCE_STRUCTURE;
	service.confidence = 95;
	say(service);
	service.port = 502;
	strcpy(service.protocol, "modbus");
	say(service);
	say((struct finding){ .kind = FINDING_SERVICE, .transport = TRANSPORT_ETHERNET, .evidence = EVIDENCE_STRUCTURE, .confidence = 95,
		.ethertype = 0x8892, .subject = plc, .protocol = "profinet_dcp" });
	say((struct finding){ .kind = FINDING_SPEAKS, .role = ROLE_CLIENT, .transport = TRANSPORT_TCP, .evidence = EVIDENCE_STRUCTURE,
		.confidence = 90, .subject = hmi, .protocol = "modbus" });
	say((struct finding){ .kind = FINDING_TALKS, .transport = TRANSPORT_TCP, .evidence = EVIDENCE_STRUCTURE, .port = 502,
		.subject = hmi, .peer = plc, .protocol = "modbus" });
	say((struct finding){ .kind = FINDING_SUBASSET, .transport = TRANSPORT_TCP, .port = 502, .subject = plc, .confidence = 90,
		.protocol = "modbus", .path = "modbus/502/unit:3" });
	say((struct finding){ .kind = FINDING_ATTRIBUTE, .attribute = ATTR_PRODUCT, .transport = TRANSPORT_TCP, .port = 502, .subject = plc,
		.confidence = 90, .protocol = "modbus", .path = "modbus/502/unit:3", .value = "a \\x07 \"drive\"" });
}

static void play_identity(void)
{
	struct finding attribute = { .kind = FINDING_ATTRIBUTE, .attribute = ATTR_FIRMWARE, .confidence = 90, .subject = host_at(1, BINDING_FRAME),
		.protocol = "s7comm", .value = "1.0" };
	struct endpoint alone = host_at(5, BINDING_NONE), other = host_at(2, BINDING_STATED);

	say(attribute);
	strcpy(attribute.value, "2.0");
	say(attribute);
	strcpy(attribute.protocol, "snmp");
	strcpy(attribute.value, "3.0");
	say(attribute);
	attribute.attribute = ATTR_SERIAL;
	strcpy(attribute.value, "S-1");
	say(attribute);
	strcpy(attribute.value, "S-2");
	say(attribute);
	/* The last that an identity lacked closes its gap. */
	for (enum attribute a = ATTR_VENDOR; a <= ATTR_DESCRIPTION; a++) {
		attribute.attribute = (uint8_t)a;
		snprintf(attribute.value, sizeof attribute.value, "W-%d", (int)a);
		strcpy(attribute.protocol, "s7comm");
		if (a != ATTR_SERIAL && a != ATTR_FIRMWARE)
			say(attribute);
	}
	attribute.attribute = ATTR_HOSTNAME;
	strcpy(attribute.value, "plc-1");
	say(attribute);
	/* An address alone, which turns out to be a known device's; and one that two devices claim. */
	memset(alone.mac, 0, sizeof alone.mac);
	say((struct finding){ .kind = FINDING_ATTRIBUTE, .attribute = ATTR_OS, .confidence = 50, .subject = alone, .protocol = "ssh", .value = "Linux" });
	say((struct finding){ .kind = FINDING_HOST, .subject = host_at(6, BINDING_STATED), .confidence = 90, .protocol = "arp" });
	memcpy(alone.mac, host_at(6, BINDING_NONE).mac, sizeof alone.mac);
	alone.binding = BINDING_STATED;
	say((struct finding){ .kind = FINDING_HOST, .subject = alone, .confidence = 90, .protocol = "arp" });
	say((struct finding){ .kind = FINDING_HOST, .subject = host_at(1, BINDING_STATED), .confidence = 90, .protocol = "arp" });
	memcpy(other.ip, host_at(1, BINDING_NONE).ip, sizeof other.ip);
	say((struct finding){ .kind = FINDING_HOST, .subject = other, .confidence = 90, .protocol = "arp" });
}

static void play_scene(void)
{
	play_services();
	play_identity();
	say((struct finding){ .kind = FINDING_HOST, .vlan = { 100, 7 }, .subject = host_at(8, BINDING_STATED), .confidence = 90, .protocol = "arp" });
	say((struct finding){ .kind = FINDING_HOST, .vlan = { 100, 0 }, .confidence = 90, .protocol = "mdns",
		.subject = { .mac = { 0, 0x1b, 0x1b, 9, 9, 9 }, .family = 6, .binding = BINDING_FRAME, .ip = { 0x20, 1, 0xd, 0xb8, [15] = 9 } } });
	say((struct finding){ .kind = FINDING_HOST, .confidence = 90, .protocol = "lldp", .subject = { .mac = { 0, 0x1b, 0x1b, 9, 9, 10 } } });
}

/* As if they were heard at this moment: what a probe asks must have been. */
static void serve(unsigned count, uint16_t port)
{
	static uint8_t next = 50;
	const char *protocol = port == 102 ? "s7comm" : "modbus";
	struct endpoint client = host_at(200, BINDING_STATED);

	for (unsigned i = 0; i < count; i++) {
		struct endpoint who = host_at(next++, BINDING_STATED);
		struct finding service = { .kind = FINDING_SERVICE, .transport = TRANSPORT_TCP, .evidence = EVIDENCE_STRUCTURE,
			.confidence = 95, .port = port, .subject = who };
		struct finding talks = { .kind = FINDING_TALKS, .transport = TRANSPORT_TCP, .evidence = EVIDENCE_STRUCTURE, .port = port,
			.subject = client, .peer = who };

		say((struct finding){ .kind = FINDING_HOST, .subject = who, .confidence = 90, .protocol = "arp" });
		strcpy(service.protocol, protocol);
		strcpy(talks.protocol, protocol);
		say(service);
		say(talks);
	}
}

/* An engine counts: a hub that hears nothing judges nothing. */
static void count_frames(void)
{
	static struct report r = { .type = REPORT_COUNTERS };

	r.counters.frames += 1000;
	put_report(&r);
}

static void show_order(const struct order *o)
{
	printf(" %u:%llu:%s:%s:%u:%u:%u:%lld", o->type, (unsigned long long)o->id, o->approval.id[0] ? o->approval.id : "-",
	       o->approval.rule[0] ? o->approval.rule : "-", o->approval.signatures, o->conflict, o->seen,
	       o->heard_s ? (long long)(now_ns(CLOCK_REALTIME) / 1000000000 - o->heard_s) : -1);
}

static void show_orders(unsigned ms)
{
	int64_t end = now_ns(CLOCK_MONOTONIC) + ms * INT64_C(1000000), left;
	static struct order seen[256];
	unsigned alive = 0;
	size_t count = 0;

	while ((left = end - now_ns(CLOCK_MONOTONIC)) > 0) {
		struct pollfd p = { .fd = orders[0], .events = POLLIN };
		struct order o;

		count_frames();
		if (poll(&p, 1, left / 1000000 < COUNT_MS ? (int)(left / 1000000) + 1 : COUNT_MS) <= 0)
			continue;
		if (read(orders[0], &o, sizeof o) != (ssize_t)sizeof o)
			break;
		if (o.type == ORDER_ALIVE)
			alive++;
		else if (count < sizeof seen / sizeof *seen)
			seen[count++] = o;
	}
	printf("ok %u", alive);
	for (size_t i = 0; i < count; i++)
		show_order(&seen[i]);
	printf("\n");
}

static void send_outcome(uint32_t type, uint64_t run, uint32_t what)
{
	struct outcome o = { .order = run, .type = type, .started_ns = now_ns(CLOCK_REALTIME), .audit = 1 };

	if (type == OUTCOME_REFUSED)
		o.refusal = what;
	else if (type == OUTCOME_ENDED)
		o = (struct outcome){ .order = run, .type = type, .end = what, .packets = 6, .bytes = 11, .replies = 1, .reply_bytes = 60,
				      .started_ns = o.started_ns, .ended_ns = now_ns(CLOCK_REALTIME), .audit = 2 };
	strcpy(o.why, "said by a stand-in");
	if (write(outcomes[1], &o, sizeof o) != (ssize_t)sizeof o)
		printf("failed\n");
	else
		printf("ok\n");
}

/* Holds the pace by the clock, not by the length of sleeps. */
static void feed(uint64_t count, uint64_t rate, void (*between)(void))
{
	int64_t start = now_ns(CLOCK_MONOTONIC);

	for (uint64_t i = 0; i < count; i++) {
		while (rate && (uint64_t)(now_ns(CLOCK_MONOTONIC) - start) < i * UINT64_C(1000000000) / rate)
			sleep_us(200);
		feed_one();
		if (between)
			between();
	}
}

static unsigned chaos_ms, kills;
static int64_t next_kill;

static void plan_kill(void)
{
	next_kill = now_ns(CLOCK_MONOTONIC) + (int64_t)(chaos_ms / 2 + (unsigned)rand() % (chaos_ms + 1)) * 1000000;
}

static void maybe_kill(void)
{
	if (now_ns(CLOCK_MONOTONIC) < next_kill)
		return;
	kill_hub(SIGKILL);
	kills++;
	start_hub();
	plan_kill();
}

static bool wait_drained(unsigned ms)
{
	for (unsigned waited = 0; ring_pending(&ring) > 0; waited++) {
		if (waited >= ms)
			return false;
		sleep_us(1000);
	}
	return true;
}

static void end_hub(unsigned ms)
{
	int status = 0;

	kill(hub, SIGTERM);
	for (unsigned waited = 0; waited < ms; waited++) {
		if (waitpid(hub, &status, WNOHANG) == hub) {
			hub = -1;
			printf("ok %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
			return;
		}
		sleep_us(1000);
	}
	printf("late\n");
}

static void obey(char *line)
{
	unsigned long long a = 0, b = 0, c = 0;
	char verb[16] = "";

	sscanf(line, "%15s %llu %llu %llu", verb, &a, &b, &c);
	if (strcmp(verb, "start") == 0) {
		printf(start_hub() ? "ok %d\n" : "failed\n", (int)hub);
	} else if (strcmp(verb, "feed") == 0) {
		feed(a, b, NULL);
		printf("ok %llu\n", (unsigned long long)fed);
	} else if (strcmp(verb, "scene") == 0) {
		play_scene();
		printf("ok\n");
	} else if (strcmp(verb, "serve") == 0) {
		serve((unsigned)a, (uint16_t)b);
		printf("ok\n");
	} else if (strcmp(verb, "orders") == 0) {
		show_orders((unsigned)a);
	} else if (strcmp(verb, "outcome") == 0) {
		send_outcome((uint32_t)a, b, (uint32_t)c);
	} else if (strcmp(verb, "drain") == 0) {
		if (wait_drained((unsigned)a))
			printf("ok\n");
		else
			printf("late %llu\n", (unsigned long long)ring_pending(&ring));
	} else if (strcmp(verb, "kill") == 0) {
		kill_hub(SIGKILL);
		printf("ok\n");
	} else if (strcmp(verb, "end") == 0) {
		end_hub((unsigned)a);
	} else if (strcmp(verb, "chaos") == 0) {
		chaos_ms = (unsigned)c;
		plan_kill();
		feed(a, b, maybe_kill);
		printf("ok %u\n", kills);
	} else {
		printf("unknown command\n");
	}
	fflush(stdout);
}

static void set_text(char *to, size_t room, const char *from)
{
	if (snprintf(to, room, "%s", from) >= (int)room) {
		fprintf(stderr, "feeder: %s is too long\n", from);
		exit(2);
	}
}

/* NAME:CAP:POLICY:TYPES, types parted by blanks. */
static void add_list(const char *text)
{
	struct output_config *o = &config.output[config.outputs];
	char policy[16] = "";

	if (config.outputs == CONFIG_OUTPUTS || sscanf(text, "%63[^:]:%u:%15[^:]:%511[^:]", o->list, &o->cap, policy, o->types) < 3) {
		fprintf(stderr, "feeder: %s is no list\n", text);
		exit(2);
	}
	o->when_full = strcmp(policy, "drop-old") == 0 ? OUTPUT_DROP_OLD : OUTPUT_DROP_NEW;
	config.outputs++;
}

static void take_option(int option)
{
	switch (option) {
	case 'h':
		program = optarg;
		break;
	case 'r':
		set_text(config.redis_url, sizeof config.redis_url, optarg);
		break;
	case 's':
		set_text(config.state_dir, sizeof config.state_dir, optarg);
		break;
	case 'j':
		set_text(config.jsonl, sizeof config.jsonl, optarg);
		break;
	case 'R':
		set_text(config.rules_dir, sizeof config.rules_dir, optarg);
		break;
	case 'n':
		set_text(config.sensor, sizeof config.sensor, optarg);
		break;
	case 'y':
		set_text(config.relay, sizeof config.relay, optarg);
		break;
	case 'l':
		add_list(optarg);
		break;
	case 'c':
		config.channel = 1;
		break;
	case 'H':
		config.stream_hours = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case 'B':
		config.stream_behind = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case 'S':
		config.slow_ms = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case 'L':
		if (sscanf(optarg, "%63[^:]:%255s", config.sentinel_user, config.sentinel_password) != 2)
			exit(2);
		break;
	case 'M':
		config.outbox_bytes_mib = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case 'w':
		config.walls = 1;
		break;
	default:
		exit(2);
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hub", 1, NULL, 'h' }, { "redis", 1, NULL, 'r' }, { "state", 1, NULL, 's' }, { "jsonl", 1, NULL, 'j' },
		{ "rules", 1, NULL, 'R' }, { "sensor", 1, NULL, 'n' }, { "relay", 1, NULL, 'y' }, { "list", 1, NULL, 'l' }, { "channel", 0, NULL, 'c' }, { "stream-hours", 1, NULL, 'H' }, { "stream-behind", 1, NULL, 'B' }, { "slow-ms", 1, NULL, 'S' },
		{ "outbox-mib", 1, NULL, 'M' }, { "sentinel-login", 1, NULL, 'L' }, { "walls", 0, NULL, 'w' }, { NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		take_option(option);
	if (!program || !config.state_dir[0]) {
		fprintf(stderr, "usage: feeder --hub PROGRAM --state FOLDER [--redis URL] [--jsonl FILE] [--rules FOLDER] [--sensor NAME] [--relay SOCKET] [--list NAME:CAP:POLICY[:TYPES]] [--channel] [--stream-hours N] [--stream-behind N] [--slow-ms N] [--outbox-mib N] [--sentinel-login USER:PASSWORD] [--walls]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	char line[256];

	read_options(argc, argv);
	srand((unsigned)now_ns(CLOCK_REALTIME));
	if (ring_create(&ring_fds, "findings", RING_BYTES) < 0 ||
	    ring_attach_producer(&ring, ring_fds.records_rw, ring_fds.tail_ro, ring_fds.wake) < 0 || pipe(orders) < 0 || pipe(outcomes) < 0) {
		perror("feeder");
		return 2;
	}
	while (fgets(line, sizeof line, stdin))
		obey(line);
	if (hub > 0)
		kill_hub(SIGKILL);
	return 0;
}
