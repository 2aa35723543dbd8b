/*
 * The hub on what a taken-over prober may write into its pipe: outcomes of any kind, of any run, and bytes that are
 * none. What no prober writes is refused; whatever it writes, one device is asked at a time, a run that was ended is
 * not begun again, and every document is JSON.
 *
 * Input: messages {1 byte, length:2 bytes, fields of an outcome or raw bytes}.
 */
#include "classifiers/api/cursor.h"
#include "sensor/common/message.h"
#include "sensor/hub/approvals.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/dispatch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/must.h"
#include "tests/unit/make_finding.h"

#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TARGETS = 3, BODY_BYTES = 1024, MESSAGES_MOST = 64 };

static struct scene {
	struct store store;
	struct picture picture;
	struct knowledge knowledge;
	struct proposals proposals;
	uv_loop_t loop;
	int orders, outcomes; /* the prober's ends */
	char folder[32], kept[48], used[48];
	uint8_t public_key[32], secret_key[64];
	/* of one input */
	bool wrong;
	uint64_t running;
} s;

MUTATE_MESSAGES(0)

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
}

/* The shipped policy, with an analyst. */
static struct policy *load_policy(const struct ruleset *rules)
{
	char key[64], path[64], command[512];
	FILE *f;

	snprintf(command, sizeof command, "cp -r %s/rules/policy %s/policy", SOURCE_DIR, s.folder);
	must(system(command) == 0);
	snprintf(path, sizeof path, "%s/policy/analysts.yaml", s.folder);
	sodium_bin2base64(key, sizeof key, s.public_key, sizeof s.public_key, sodium_base64_VARIANT_ORIGINAL);
	f = fopen(path, "w");
	must(f != NULL);
	fprintf(f, "analysts:\n  - {name: ann, key: \"%s\", may: [low, medium, high]}\n", key);
	fclose(f);
	return policy_load(s.folder, rules, complain, NULL);
}

/* The hub's ends stand where a supervisor puts them. */
static void make_pipes(void)
{
	int to[2], from[2];

	must(pipe2(to, O_DIRECT) == 0 && pipe2(from, O_DIRECT) == 0); /* as the supervisor makes them */
	s.orders = fcntl(to[0], F_DUPFD, 100);
	s.outcomes = fcntl(from[1], F_DUPFD, 100);
	must(dup2(fcntl(to[1], F_DUPFD, 100), FD_ORDERS) == FD_ORDERS && dup2(fcntl(from[0], F_DUPFD, 100), FD_OUTCOMES) == FD_OUTCOMES);
	must(fcntl(s.orders, F_SETFL, O_NONBLOCK) == 0);
}

static void approve(const struct proposal *x)
{
	struct approval a = x->a;
	char text[APPROVAL_TEXT_BYTES], encoded[96], body[BODY_BYTES];
	uint8_t signature[64];
	size_t len;

	a.not_before_s = now_s() - 1;
	a.not_after_s = now_s() + 7 * 86400;
	a.uses = 1;
	len = approval_text(&a, text);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, s.secret_key);
	sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, sodium_base64_VARIANT_ORIGINAL);
	len = (size_t)snprintf(body, sizeof body, "{\"command\":\"approve\",\"id\":\"%s\",\"analyst\":\"ann\",\"not_before\":%lld,\"not_after\":%lld,"
			       "\"uses\":1,\"signature\":\"%s\"}", a.id, (long long)a.not_before_s, (long long)a.not_after_s, encoded);
	approvals_take(body, len);
}

/* Devices that were heard just now. */
static void hear(void)
{
	test_time_ns = now_s() * SECOND_NS - SECOND_NS;
	for (int i = 1; i <= TARGETS; i++) {
		char mac[24], ip[24];
		struct finding h, f;

		snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", (unsigned)i);
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		h = host(mac, ip, BINDING_STATED);
		f = service(at(mac, ip, BINDING_STATED), "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE);
		picture_hear(&s.picture, &h, SENT_FROM_BOTH);
		picture_hear(&s.picture, &f, SENT_FROM_BOTH);
	}
}

/* A store with a signed proposal for each device, to begin each input from. */
static void make_store(void)
{
	static const struct approvals_ears ears = { NULL, NULL, NULL, NULL };
	struct analyst_facts facts;
	struct keeper *keeper;
	struct batch batch;

	must(store_open(&s.store, s.kept) == 0);
	keeper = keep_open(&s.store);
	batch_start(&batch, &s.picture, &s.store, keeper, &s.knowledge);
	must(proposals_open(&s.proposals, &s.store, &s.knowledge, &s.picture, PROBING_PROPOSE) == 0);
	batch_propose(&batch, &s.proposals);
	must(analyst_facts_open(&facts, &s.store, &s.picture) == 0);
	must(approvals_start(&s.loop, &s.proposals, &facts, "plant-1", &ears) == 0);
	hear();
	batch_draft(&batch);
	must(batch_store(&batch, NULL, NULL) == 0 && s.proposals.count == TARGETS);
	for (size_t i = 0; i < s.proposals.count; i++) {
		approve(s.proposals.items[i]);
		must(s.proposals.items[i]->status == PROPOSAL_APPROVED);
	}
	approvals_stop();
	proposals_close(&s.proposals);
	analyst_facts_close(&facts);
	batch_free(&batch);
	keep_close(keeper);
	outbox_close(&s.store);
	store_close(&s.store);
}

static void start(void)
{
	snprintf(s.folder, sizeof s.folder, "%s", access("/dev/shm", W_OK) == 0 ? "/dev/shm/outcomes.XXXXXX" : "/tmp/outcomes.XXXXXX");
	must(sodium_init() >= 0 && mkdtemp(s.folder) != NULL);
	snprintf(s.kept, sizeof s.kept, "%s/kept.db", s.folder);
	snprintf(s.used, sizeof s.used, "%s/used.db", s.folder);
	crypto_sign_keypair(s.public_key, s.secret_key);
	make_pipes();
	hash_start();
	s.knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	s.knowledge.policy = load_policy(s.knowledge.rules);
	must(s.knowledge.policy != NULL);
	picture_start(&s.picture, "plant-1", "hall", 10000);
	s.picture.telling = true;
	must(uv_loop_init(&s.loop) == 0);
	make_store();
}

static void on_wrong(void)
{
	s.wrong = true;
}

static void copy_store(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[64];
	uint8_t block[65536];
	int from, to;
	ssize_t n;

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", s.used, ends[i]);
		unlink(path);
	}
	from = open(s.kept, O_RDONLY);
	to = open(s.used, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(from >= 0 && to >= 0);
	while ((n = read(from, block, sizeof block)) > 0)
		must(write(to, block, (size_t)n) == n);
	close(from);
	close(to);
}

/* No second device is asked while the first is, and each approval is for one use. */
static void take_orders(void)
{
	struct order o;

	while (read(s.orders, &o, sizeof o) == (ssize_t)sizeof o) {
		if (o.type != ORDER_PROBE)
			continue;
		must(s.running == 0 && o.id != 0);
		s.running = o.id;
	}
}

static void check_document(void)
{
	const struct json *j = &s.proposals.document.json;
	json_t *parsed = j->len ? json_loadb(j->text, j->len, JSON_REJECT_DUPLICATES, NULL) : NULL;

	must(!j->len || parsed);
	json_decref(parsed);
}

static void copy_rest(char *to, size_t room, struct cursor *c)
{
	size_t n = cursor_left(c) < room - 1 ? cursor_left(c) : room - 1;

	memcpy(to, c->at, n);
}

static struct outcome read_outcome(struct cursor *c)
{
	struct outcome o = { .order = cursor_u8(c) };

	/* Mostly of the run under way, that of another, or any. */
	o.order = o.order < 200 ? s.running : o.order < 230 ? o.order - 200 : (uint64_t)cursor_u32be(c) << 32 | cursor_u32be(c);
	o.type = cursor_u8(c) % (OUTCOME_TYPES + 1);
	o.refusal = cursor_u8(c) % (REFUSALS + 1);
	o.end = cursor_u8(c) % (PROBE_ENDS + 1);
	o.stopped = cursor_u8(c) % 3;
	o.packets = cursor_u32be(c);
	o.bytes = cursor_u32be(c);
	o.replies = cursor_u32be(c);
	o.reply_bytes = cursor_u32be(c);
	o.started_ns = (int64_t)((uint64_t)cursor_u32be(c) << 32 | cursor_u32be(c));
	o.ended_ns = (int64_t)((uint64_t)cursor_u32be(c) << 32 | cursor_u32be(c));
	o.audit = cursor_u32be(c);
	copy_rest(o.why, sizeof o.why, c);
	return o;
}

static void write_message(uint8_t kind, struct cursor c)
{
	struct outcome o = { 0 };
	const void *bytes = &o;
	size_t len = sizeof o;

	if (kind % 8 == 0) {
		bytes = c.at;
		len = cursor_left(&c) < 2 * sizeof o ? cursor_left(&c) : 2 * sizeof o;
	} else {
		o = read_outcome(&c);
	}
	must(write(s.outcomes, bytes, len) == (ssize_t)len);
	for (size_t rounds = 0; rounds < 4 && !s.wrong; rounds++)
		uv_run(&s.loop, UV_RUN_NOWAIT);
	/* After that the next order is no wonder. */
	if (o.order == s.running && !s.wrong && (o.type == OUTCOME_ENDED || o.type == OUTCOME_REFUSED))
		s.running = 0;
}

/* As the hub is made after it ended: another pipe, another loop. */
static void empty_pipe(void)
{
	uint8_t block[4096];

	must(fcntl(FD_OUTCOMES, F_SETFL, O_NONBLOCK) == 0);
	while (read(FD_OUTCOMES, block, sizeof block) > 0)
		;
	while (read(s.orders, block, sizeof block) > 0)
		;
}

static void close_handle(uv_handle_t *h, void *context)
{
	(void)context;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void play(struct cursor c)
{
	for (unsigned n = 0; n < MESSAGES_MOST && cursor_left(&c) >= 3 && !s.wrong; n++) {
		uint8_t kind = cursor_u8(&c);
		uint16_t len = cursor_u16be(&c);

		write_message(kind, cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c)));
		take_orders();
		check_document();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dispatch_setup setup = { .proposals = &s.proposals, .picture = &s.picture, .wrong = on_wrong };
	static bool started;

	if (!started)
		start();
	started = true;
	s.wrong = false;
	s.running = 0;
	copy_store();
	hear();
	must(store_open(&s.store, s.used) == 0);
	must(proposals_open(&s.proposals, &s.store, &s.knowledge, &s.picture, PROBING_PROPOSE) == 0);
	must(dispatch_start(&s.loop, &setup) == 0);
	uv_run(&s.loop, UV_RUN_NOWAIT);
	take_orders();
	must(s.running != 0);
	play(cursor_over(data, size));
	dispatch_end();
	uv_walk(&s.loop, close_handle, NULL);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	empty_pipe();
	proposals_close(&s.proposals);
	outbox_close(&s.store);
	store_close(&s.store);
	return 0;
}
