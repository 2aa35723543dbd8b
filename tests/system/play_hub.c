/*
 * Plays the hub to a prober of its own: starts it, signs approvals with keys that it makes from
 * names, writes orders and prints outcomes. Commands come line by line on stdin:
 *
 *   make RULE ip=10.9.0.2 mac=02:.. port=502 [uses=1] [after=600] [signers=ada,bob] [seen=0] [heard=-10] [HOLE=VALUE]
 *   send | abort | stop | resume | alive on|off | loss on|off | kill | term | usr1 | start | wait MS
 *   mutate N SEED      sends N orders like the one made, each with something changed at random
 *   garbage HEX        writes these bytes as an order
 *   storm N            N orders as fast as the pipe takes them, none of them signed by who may: a hub that is an attacker's
 *
 * and what happens goes to stdout: "outcome RUN TYPE WORD ...", "plan STEP.ROUND TEXT", "frame HEX",
 * "ended CODE". With --key NAME it prints that analyst's public key and ends.
 */
#include "active/guard/order.h"
#include "active/ruleset/plan.h"
#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALIVE_MS = 400, LINE_BYTES = 8192, HIGH = 200, VALUES = 16 };

struct scene {
	struct prober_config config;
	const char *prober;
	struct ruleset *rules;
	int orders[2], outcomes[2], hold[2];
	struct ring_fds fds;
	struct ring ring;
	pid_t pid;
	bool alive, loss;
	int64_t alive_ms;
	uint64_t run;
	struct order order;
	uint64_t answers;  /* outcomes that a mutation is waited for */
	uint64_t refused[REFUSALS];
	uint64_t carried_out;
	bool quiet;
};

static struct scene s;

static void die(const char *what)
{
	fprintf(stderr, "play_hub: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void make_key(const char *name, uint8_t public[crypto_sign_PUBLICKEYBYTES], uint8_t secret[crypto_sign_SECRETKEYBYTES])
{
	uint8_t seed[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(seed, (const uint8_t *)name, strlen(name));
	crypto_sign_seed_keypair(public, secret, seed);
}

static int print_key(const char *name)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	char text[64];

	make_key(name, public, secret);
	puts(sodium_bin2base64(text, sizeof text, public, sizeof public, sodium_base64_VARIANT_ORIGINAL));
	return 0;
}

static void place(int fd, int as)
{
	if (dup2(fd, as) < 0)
		die("dup2");
}

static void start(void)
{
	char *argv[] = { (char *)(uintptr_t)s.prober, NULL };
	int config = memfd_create("config", 0);
	int fds[][2] = {
		{ config, FD_CONFIG }, { s.fds.records_rw, FD_RECORDS_OUT }, { s.fds.tail_ro, FD_TAIL_OUT }, { s.fds.wake, FD_WAKE_OUT },
		{ s.orders[0], FD_ORDERS }, { s.outcomes[1], FD_OUTCOMES }, { s.hold[0], FD_HOLD_IN }, { s.hold[1], FD_HOLD_OUT },
	};

	if (config < 0 || write(config, &s.config, sizeof s.config) != (ssize_t)sizeof s.config)
		die("config");
	s.pid = fork();
	if (s.pid < 0)
		die("fork");
	if (s.pid > 0) {
		close(config);
		return;
	}
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		place(fds[i][0], HIGH + (int)i);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		place(HIGH + (int)i, fds[i][1]);
	close_range(FD_HOLD_OUT + 1, ~0u, 0);
	execv(s.prober, argv);
	_exit(127);
}

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
}

static bool put(const void *bytes, size_t n)
{
	return write(s.orders[1], bytes, n) == (ssize_t)n;
}

static void put_bare(enum order_type type, uint64_t run)
{
	struct order o = { .type = (uint32_t)type, .id = run, .loss = type == ORDER_ALIVE && s.loss };

	put(&o, sizeof o);
}

static void print_outcome(const struct outcome *o)
{
	static const char *const types[] = { "?", "refused", "planned", "ended", "state" };

	if (o->type == OUTCOME_REFUSED && o->refusal < REFUSALS)
		s.refused[o->refusal]++;
	s.answers += o->type != OUTCOME_STATE && o->type != OUTCOME_PLANNED;
	s.carried_out += o->type == OUTCOME_ENDED;
	if (!s.quiet)
		printf("outcome %" PRIu64 " %s refusal=%u end=%u stopped=%u packets=%u bytes=%u replies=%u reply_bytes=%u audit=%" PRIu64 " why=%s\n",
		       o->order, o->type < OUTCOME_TYPES ? types[o->type] : "?", o->refusal, o->end, o->stopped, o->packets, o->bytes,
		       o->replies, o->reply_bytes, o->audit, o->why);
}

static void take_outcomes(void)
{
	struct pollfd p = { s.outcomes[0], POLLIN, 0 };
	struct outcome o;

	while (poll(&p, 1, 0) > 0 && p.revents & POLLIN && read(s.outcomes[0], &o, sizeof o) == (ssize_t)sizeof o)
		print_outcome(&o);
}

static void take_frames(void)
{
	const void *record;
	size_t len;

	while (ring_next(&s.ring, &record, &len) == RING_OK) {
		const uint8_t *bytes = (const uint8_t *)record + sizeof(struct frame_header);

		printf("frame ");
		for (size_t i = 0; i < len - sizeof(struct frame_header); i++)
			printf("%02x", bytes[i]);
		puts("");
	}
	ring_release(&s.ring);
}

static void look(void)
{
	int status;

	if (s.alive && now_ms() - s.alive_ms >= ALIVE_MS) {
		s.alive_ms = now_ms();
		put_bare(ORDER_ALIVE, 0);
	}
	take_outcomes();
	take_frames();
	if (s.pid > 0 && waitpid(s.pid, &status, WNOHANG) == s.pid) {
		printf("ended %d\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
		s.pid = 0;
	}
	fflush(stdout);
}

static const char *option(char **words, const char *key, const char *otherwise)
{
	size_t n = strlen(key);

	for (; *words; words++)
		if (strncmp(*words, key, n) == 0 && (*words)[n] == '=')
			return *words + n + 1;
	return otherwise;
}

static bool read_target(struct approval *a, char **words)
{
	const char *ip = option(words, "ip", ""), *mac = option(words, "mac", "02:00:00:00:00:02");

	if (inet_pton(AF_INET, ip, a->target.ip) == 1)
		a->target.family = 4;
	else if (inet_pton(AF_INET6, ip, a->target.ip) == 1)
		a->target.family = 6;
	return sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &a->target.mac[0], &a->target.mac[1], &a->target.mac[2], &a->target.mac[3],
	              &a->target.mac[4], &a->target.mac[5]) == 6;
}

static bool make_plan(const struct rule *rule, struct approval *a, char **words)
{
	static struct plan plan;
	struct plan_value values[VALUES];
	struct plan_facts facts = { .who = &a->target, .port = a->port, .now_s = time(NULL), .values = values };
	char why[PLAN_WHY_BYTES], *names[VALUES];

	for (; *words && facts.values_count < VALUES; words++) {
		char *equals = strchr(*words, '=');

		if (!equals)
			continue;
		names[facts.values_count] = strndup(*words, (size_t)(equals - *words));
		values[facts.values_count] = (struct plan_value){ names[facts.values_count], equals + 1 };
		facts.values_count++;
	}
	if (!plan_make(&plan, rule, &facts, why)) {
		printf("no plan: %s\n", why);
		return false;
	}
	return plan_parameters(&plan, a->parameters, sizeof a->parameters) && plan_digest(&plan, a->plan_sha256);
}

static bool print_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	static char text[PLAN_TEXT_BYTES];

	(void)context;
	plan_message_text(plan, m, text);
	printf("plan %zu.%u %s\n", m->step + 1, m->round + 1, text);
	return true;
}

/* In the names of the signers, with their keys or with that of `instead`. */
static void sign_by(struct approval *a, const char *signers, const char *instead)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	char text[APPROVAL_TEXT_BYTES], names[128], *name, *rest = names;
	size_t len;

	snprintf(names, sizeof names, "%s", signers);
	a->signatures = 0;
	memset(a->signature, 0, sizeof a->signature);
	while ((name = strsep(&rest, ",")) != NULL && a->signatures < APPROVAL_SIGNATURES)
		if (*name)
			snprintf(a->signature[a->signatures++].analyst, sizeof a->signature[0].analyst, "%s", name);
	len = approval_text(a, text);
	for (unsigned i = 0; i < a->signatures; i++) {
		make_key(instead ? instead : a->signature[i].analyst, public, secret);
		crypto_sign_detached(a->signature[i].bytes, NULL, (const uint8_t *)text, len, secret);
	}
}

static void make(char **words)
{
	const struct rule *rule = words[0] ? ruleset_find(s.rules, words[0]) : NULL;
	struct order *o = &s.order;
	struct approval *a = &o->approval;
	uint8_t id[(APPROVAL_ID_BYTES - 1) / 2];
	struct plan plan;
	char why[PLAN_WHY_BYTES];

	*o = (struct order){ .type = ORDER_PROBE, .heard_s = time(NULL) + atoi(option(words, "heard", "0")),
	                     .seen = (uint8_t)atoi(option(words, "seen", "1")), .conflict = (uint8_t)atoi(option(words, "conflict", "0")) };
	if (!rule || !read_target(a, words)) {
		puts("no such rule or target");
		return;
	}
	randombytes_buf(id, sizeof id);
	sodium_bin2hex(a->id, sizeof a->id, id, sizeof id);
	a->transport = rule->transport;
	a->port = (uint16_t)atoi(option(words, "port", "0"));
	a->uses = (uint8_t)atoi(option(words, "uses", "1"));
	a->vlan[0] = (uint16_t)atoi(option(words, "vlan", "0"));
	snprintf(a->sensor, sizeof a->sensor, "%s", option(words, "sensor", s.config.sensor));
	snprintf(a->zone, sizeof a->zone, "%s", option(words, "zone", s.config.zone));
	snprintf(a->device_class, sizeof a->device_class, "%s", option(words, "class", "plc"));
	snprintf(a->maker, sizeof a->maker, "%s", option(words, "maker", "Somebody"));
	snprintf(a->rule, sizeof a->rule, "%s", rule->name);
	sodium_hex2bin(a->rule_sha256, sizeof a->rule_sha256, rule_sha256(rule), 64, NULL, NULL, NULL);
	a->not_before_s = time(NULL) + atoi(option(words, "before", "0"));
	a->not_after_s = time(NULL) + atoi(option(words, "after", "600"));
	if (!make_plan(rule, a, words + 1))
		return;
	sign_by(a, option(words, "signers", "ada,bob"), NULL);
	printf("made %s valid=%d parameters=%s\n", a->id, approval_valid(a), a->parameters);
	if (plan_read(&plan, rule, a->parameters, why))
		plan_messages(&plan, print_message, NULL);
}

static void send_order(void)
{
	s.order.id = ++s.run;
	put(&s.order, sizeof s.order);
}

/* Bytes between the fields belong to none. */
static bool same_meaning(const struct approval *a, const struct approval *b)
{
	char one[APPROVAL_TEXT_BYTES] = "", other[APPROVAL_TEXT_BYTES] = "";

	return approval_text(a, one) && approval_text(b, other) && strcmp(one, other) == 0 && a->signatures == b->signatures &&
	       memcmp(a->signature, b->signature, sizeof a->signature) == 0;
}

/* One byte of the approval or the order's own words is another; what no hub writes would end the prober, and is counted as told. */
static bool mutate(struct order *o)
{
	uint8_t *bytes = (uint8_t *)o;
	size_t at = offsetof(struct order, approval) + randombytes_uniform(sizeof o->approval);

	*o = s.order;
	o->id = ++s.run;
	/* Half of all changes hit what is in use, not the zeros behind short texts. */
	for (int i = 0; i < 8 && bytes[at] == 0; i++)
		at = offsetof(struct order, approval) + randombytes_uniform(sizeof o->approval);
	if (randombytes_uniform(2))
		bytes[at] ^= (uint8_t)(1u << randombytes_uniform(8));
	else
		bytes[at] = (uint8_t)randombytes_uniform(256);
	return !same_meaning(&o->approval, &s.order.approval);
}

static void mutate_many(unsigned n)
{
	unsigned sent = 0, invalid = 0;
	struct order o;

	s.quiet = true;
	s.answers = 0;
	memset(s.refused, 0, sizeof s.refused);
	while (sent + invalid < n) {
		if (!mutate(&o))
			continue;
		if (!approval_valid(&o.approval)) {
			invalid++; /* the prober would end, which `garbage` shows */
			continue;
		}
		put(&o, sizeof o);
		sent++;
		while (s.answers < sent && s.pid > 0)
			look();
	}
	s.quiet = false;
	printf("mutated %u invalid=%u sent=%u refused=%" PRIu64 " other=%" PRIu64, n, invalid, sent, s.answers, sent - s.answers);
	for (int i = 0; i < REFUSALS; i++)
		if (s.refused[i])
			printf(" %d:%" PRIu64, i, s.refused[i]);
	puts("");
}

/* What somebody can write who holds the hub, and one approval that was good once, but no analyst's key. */
static void forge(struct order *o)
{
	struct approval *a = &o->approval;
	uint8_t id[(APPROVAL_ID_BYTES - 1) / 2];

	*o = s.order;
	o->id = ++s.run;
	o->seen = 1;
	o->conflict = 0;
	o->heard_s = time(NULL);
	switch (randombytes_uniform(8)) {
	case 0: return; /* again what was used up */
	case 1: randombytes_buf(a->target.ip, 4); break;
	case 2: randombytes_buf(a->target.mac, 6); break;
	case 3: a->port = (uint16_t)randombytes_uniform(65536); break;
	case 4: a->uses = (uint8_t)(1 + randombytes_uniform(APPROVAL_USES)); break;
	case 5: a->not_after_s += 1 + randombytes_uniform(600); break;
	case 6:
		snprintf(a->rule, sizeof a->rule, "%s", ruleset_at(s.rules, randombytes_uniform((uint32_t)ruleset_count(s.rules)))->name);
		sodium_hex2bin(a->rule_sha256, sizeof a->rule_sha256, rule_sha256(ruleset_find(s.rules, a->rule)), 64, NULL, NULL, NULL);
		break;
	default: randombytes_buf(a->plan_sha256, sizeof a->plan_sha256);
	}
	randombytes_buf(id, sizeof id);
	sodium_bin2hex(a->id, sizeof a->id, id, sizeof id);
	if (randombytes_uniform(2))
		for (unsigned i = 0; i < a->signatures; i++)
			randombytes_buf(a->signature[i].bytes, sizeof a->signature[i].bytes);
	else
		sign_by(a, "ada,bob", "mallory");
}

static unsigned peak_mib(void)
{
	char path[64], line[128];
	unsigned kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", s.pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %u", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib / 1024;
}

static void storm(unsigned n)
{
	struct pollfd room = { s.orders[1], POLLOUT, 0 };
	unsigned sent = 0, invalid = 0;
	struct order o;

	s.quiet = true;
	s.answers = s.carried_out = 0;
	memset(s.refused, 0, sizeof s.refused);
	while (sent < n && s.pid > 0) {
		look();
		if (poll(&room, 1, 1) <= 0)
			continue;
		if (randombytes_uniform(16) == 0)
			put_bare(ORDER_ABORT, randombytes_random());
		forge(&o);
		if (!approval_valid(&o.approval)) {
			invalid++;
			continue;
		}
		put(&o, sizeof o);
		sent++;
	}
	for (int64_t end_ms = now_ms() + 60000; s.answers < sent && s.pid > 0 && now_ms() < end_ms;)
		look();
	s.quiet = false;
	printf("storm sent=%u invalid=%u refused=%" PRIu64 " carried_out=%" PRIu64 " peak_mib=%u\n", sent, invalid,
	       s.answers - s.carried_out, s.carried_out, peak_mib());
}

static void garbage(const char *hex)
{
	uint8_t bytes[4096];
	size_t n = 0;

	sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), NULL, &n, NULL);
	put(bytes, n);
}

static void obey(char *line)
{
	char *words[64] = { NULL }, *rest = line;
	size_t n = 0;

	while (n < 62 && (words[n] = strsep(&rest, " \n")) != NULL)
		n += words[n][0] != 0;
	words[n] = NULL;
	if (!words[0])
		return;
	if (strcmp(words[0], "make") == 0)
		make(words + 1);
	else if (strcmp(words[0], "send") == 0)
		send_order();
	else if (strcmp(words[0], "abort") == 0)
		put_bare(ORDER_ABORT, s.run);
	else if (strcmp(words[0], "stop") == 0)
		put_bare(ORDER_STOP, 0);
	else if (strcmp(words[0], "resume") == 0)
		put_bare(ORDER_RESUME, 0);
	else if (strcmp(words[0], "alive") == 0)
		s.alive = words[1] && strcmp(words[1], "on") == 0;
	else if (strcmp(words[0], "loss") == 0)
		s.loss = words[1] && strcmp(words[1], "on") == 0;
	else if (strcmp(words[0], "mutate") == 0)
		mutate_many((unsigned)atoi(words[1]));
	else if (strcmp(words[0], "storm") == 0)
		storm((unsigned)atoi(words[1]));
	else if (strcmp(words[0], "garbage") == 0)
		garbage(words[1] ? words[1] : "");
	else if (strcmp(words[0], "start") == 0)
		start();
	else if (s.pid > 0 && (strcmp(words[0], "kill") == 0 || strcmp(words[0], "term") == 0 || strcmp(words[0], "usr1") == 0))
		kill(s.pid, words[0][0] == 'k' ? SIGKILL : words[0][0] == 't' ? SIGTERM : SIGUSR1);
	printf("done %s\n", words[0]);
}

static void configure(char **words)
{
	struct prober_config *c = &s.config;

	*c = (struct prober_config){ .version = CONFIG_VERSION, .probing = (uint32_t)atoi(option(words, "probing", "1")),
	                             .walls = (uint32_t)atoi(option(words, "walls", "1")),
	                             .require_clock = (uint32_t)atoi(option(words, "clock", "0")), .port_first = 31700, .port_last = 31731 };
	snprintf(c->rules_dir, sizeof c->rules_dir, "%s", option(words, "rules", ""));
	snprintf(c->state_dir, sizeof c->state_dir, "%s", option(words, "state", ""));
	snprintf(c->interface, sizeof c->interface, "%s", option(words, "interface", ""));
	snprintf(c->source, sizeof c->source, "%s", option(words, "source", ""));
	snprintf(c->sensor, sizeof c->sensor, "plant-1");
	snprintf(c->zone, sizeof c->zone, "hall-3");
	s.prober = option(words, "prober", "");
}

int main(int argc, char **argv)
{
	char line[LINE_BYTES];

	if (sodium_init() < 0)
		die("libsodium");
	if (argc == 3 && strcmp(argv[1], "--key") == 0)
		return print_key(argv[2]);
	configure(argv + 1);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	s.rules = ruleset_load(s.config.rules_dir, complain, NULL);
	if (!s.rules || pipe2(s.orders, O_CLOEXEC | O_DIRECT) < 0 || pipe2(s.outcomes, O_CLOEXEC | O_DIRECT) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s.hold) < 0 || ring_create(&s.fds, "probes", 1 << 20) < 0 ||
	    ring_attach_consumer(&s.ring, s.fds.records_ro, s.fds.tail_rw, s.fds.wake) < 0)
		die("set-up");
	s.alive = true;
	start();
	for (;;) {
		struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

		look();
		if (poll(&p, 1, 2) <= 0)
			continue;
		if (!fgets(line, sizeof line, stdin))
			break;
		obey(line);
	}
	if (s.pid > 0) {
		kill(s.pid, SIGTERM);
		waitpid(s.pid, NULL, 0);
	}
	return 0;
}
