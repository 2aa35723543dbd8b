/* What analysts state stands beside what is heard, wins over it, survives a restart, and can be taken back. */
#include "tests/unit/hub_fixture.h"
#include "sensor/hub/binding.h"

#include <sys/stat.h>

#define M1 "00:1b:1b:00:00:01"
#define M2 "00:1b:1b:00:00:02"

enum { WHY_BYTES = 320, ROUNDS = 3000, DEVICES = 12 };

static char why[WHY_BYTES];

static void start_hub(void)
{
	char error[512];

	open_hub();
	hub.knowledge.devices = device_rules_load(SOURCE_DIR "/rules/devices", error, sizeof error);
	hub.knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	hub.knowledge.policy = policy_load(SOURCE_DIR "/rules", hub.knowledge.rules, complain, NULL);
	assert_true(hub.knowledge.devices && hub.knowledge.policy);
	assert_int_equal(analyst_facts_open(&hub.facts, &hub.store, &hub.picture), 0);
}

static void stop_hub(void)
{
	analyst_facts_close(&hub.facts);
	close_hub();
}

static void restart(void)
{
	stop_hub();
	start_hub();
}

static void flush(void)
{
	batch_draft(&hub.batch);
	assert_int_equal(batch_store(&hub.batch, NULL, NULL), 0);
}

static void hear(struct finding f)
{
	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
}

static struct node *node(const char *mac, const char *ip)
{
	static const uint16_t untagged[2];
	struct endpoint e = at(mac, ip, BINDING_NONE);

	return picture_find(&hub.picture, untagged, e.family, ip[0] ? e.ip : e.mac);
}

static struct asset *asset_at(const char *ip)
{
	return node("", ip)->asset;
}

/* States it as the hub does: checked, stored in one transaction, done. Its number, 0 when it was refused. */
static int64_t state_fact(enum command_type type, const char *subject, const char *name, const char *of, const char *value)
{
	static int64_t time_ms = 1700000000000;
	struct command c = { .type = (uint8_t)type, .sensor = "plant-1", .why = "seen on site", .time_ms = time_ms++,
			     .signature = { .analyst = "ann" } };
	struct fact_step step;

	snprintf(c.subject, sizeof c.subject, "%s", subject);
	snprintf(c.attribute, sizeof c.attribute, "%s", name);
	snprintf(c.path, sizeof c.path, "%s", of);
	snprintf(c.value, sizeof c.value, "%s", value);
	assert_true(command_valid(&c));
	if (!analyst_facts_check(&hub.facts, &c, &step, why, sizeof why))
		return 0;
	assert_int_equal(store_begin(&hub.store), 0);
	assert_int_equal(analyst_facts_store(&hub.facts, &step), 0);
	assert_int_equal(store_commit(&hub.store), 0);
	analyst_facts_apply(&hub.facts, &step);
	return step.number ? step.number : step.ends;
}

static void undo(int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	assert_int_equal(state_fact(COMMAND_UNDO, text, "", "", ""), number);
}

static const char *best(const char *ip, enum attribute a)
{
	const struct view_attribute *found;
	struct view v = { 0 };
	const char *value;

	view_fill(&v, &hub.picture, asset_at(ip));
	found = view_best(&v, a);
	value = found ? found->item->value : "";
	view_free(&v);
	return value;
}

static void serve(const char *mac, const char *ip)
{
	hear(host(mac, ip, BINDING_STATED));
	hear(service(at(mac, ip, BINDING_FRAME), "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE));
}

static void test_value(void **state)
{
	int64_t first, second;

	(void)state;
	serve(M1, "10.0.0.1");
	hear(attribute(at("", "10.0.0.1", BINDING_NONE), "modbus", "", ATTR_FIRMWARE, "V1"));
	first = state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "firmware", "", "V2");
	assert_true(first > 0);
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V2");
	/* Heard as often as it may be: the analyst's word stays. */
	hear(attribute(at("", "10.0.0.1", BINDING_NONE), "modbus", "", ATTR_FIRMWARE, "V3"));
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V2");
	flush();
	restart();
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V2");
	second = state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "firmware", "", "V4");
	assert_int_equal(asset_at("10.0.0.1")->founder->facts.count, 1);
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V4");
	undo(second);
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V3");
	restart();
	assert_string_equal(best("10.0.0.1", ATTR_FIRMWARE), "V3");
	assert_int_equal(hub.facts.next, second + 1); /* numbers are not given twice */
}

static void test_refused(void **state)
{
	const char *id;

	(void)state;
	serve(M1, "10.0.0.1");
	id = asset_at("10.0.0.1")->id;
	assert_int_equal(state_fact(COMMAND_SET, "a-0000000000000000", "serial", "", "1"), 0);
	assert_int_equal(state_fact(COMMAND_SET, id, "ip", "", "10.0.0.9"), 0); /* where it is, the network says */
	assert_int_equal(state_fact(COMMAND_SET, id, "network_address", "", "7"), 0);
	assert_int_equal(state_fact(COMMAND_SET, id, "nonsense", "", "1"), 0);
	assert_int_equal(state_fact(COMMAND_SET, id, "device_class", "", "toaster"), 0);
	assert_int_equal(state_fact(COMMAND_SET, id, "serial", "modbus/502/unit:9", "1"), 0);
	assert_int_equal(state_fact(COMMAND_MERGE, id, "", "", id), 0);
	assert_int_equal(state_fact(COMMAND_MERGE, id, "", "", "a-0000000000000000"), 0);
	assert_int_equal(state_fact(COMMAND_SPLIT, id, "", "", "10.0.0.9"), 0);
	assert_int_equal(state_fact(COMMAND_UNDO, "1", "", "", ""), 0);
	assert_int_equal(state_fact(COMMAND_UNDO, "1x", "", "", ""), 0);
	assert_int_equal(hub.facts.count, 0);
}

/* The verdict on the asset's first gap with a rule. */
static const struct gap *first_question(const char *ip)
{
	struct subject s = desk_take(&hub.batch.desk, asset_at(ip));

	for (size_t i = 0; i < s.gaps->count; i++)
		if (s.gaps->items[i].rule)
			return &s.gaps->items[i];
	fail_msg("no gap has a rule");
	return NULL;
}

/* An analyst's class may forbid a question. It never allows one that the device's own word forbids. */
static void test_class(void **state)
{
	int64_t fact;

	(void)state;
	serve(M1, "10.0.0.1");
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_PROPOSED);
	fact = state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "device_class", "", "safety");
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
	assert_string_equal(hub.batch.desk.judgement.class, "safety");
	undo(fact);
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_PROPOSED);
	hear(attribute(at("", "10.0.0.1", BINDING_NONE), "modbus", "modbus/502/unit:1", ATTR_PRODUCT, "HIMatrix F35"));
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
	fact = state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "device_class", "", "plc");
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
	assert_string_equal(hub.batch.desk.judgement.class, "plc");
	undo(fact);
	hear(service(at(M1, "10.0.0.1", BINDING_FRAME), "lpd", TRANSPORT_TCP, 9100, EVIDENCE_PORT));
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
	state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "device_class", "", "plc");
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
}

static void test_heard_class_stays(void **state)
{
	const char *heard;

	(void)state;
	serve(M1, "10.0.0.1");
	hear(attribute(at("", "10.0.0.1", BINDING_NONE), "modbus", "", ATTR_VENDOR, "Schneider Electric"));
	hear(attribute(at("", "10.0.0.1", BINDING_NONE), "modbus", "", ATTR_PRODUCT, "BMX P34 2020"));
	desk_take(&hub.batch.desk, asset_at("10.0.0.1"));
	heard = hub.batch.desk.judgement.class;
	assert_non_null(heard);
	state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "device_class", "", "camera");
	state_fact(COMMAND_SET, asset_at("10.0.0.1")->id, "product", "", "a camera after all");
	desk_take(&hub.batch.desk, asset_at("10.0.0.1"));
	assert_string_equal(hub.batch.desk.judgement.class, "camera");
	assert_string_equal(hub.batch.desk.judgement.heard_class, heard);
}

static void test_ignored(void **state)
{
	(void)state;
	serve(M1, "10.0.0.1");
	state_fact(COMMAND_IGNORE, asset_at("10.0.0.1")->id, "", "", "");
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_FORBIDDEN);
	assert_non_null(strstr(first_question("10.0.0.1")->why, "ignores"));
	/* To accept it is the newer word and takes the place of the older. */
	state_fact(COMMAND_ACCEPT, asset_at("10.0.0.1")->id, "", "", "");
	assert_int_equal(hub.facts.count, 1);
	assert_int_equal(first_question("10.0.0.1")->verdict, VERDICT_PROPOSED);
}

static void test_merged(void **state)
{
	int64_t fact;

	(void)state;
	serve(M1, "10.0.0.1");
	serve(M2, "10.0.0.2");
	flush();
	assert_ptr_not_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	fact = state_fact(COMMAND_MERGE, asset_at("10.0.0.2")->id, "", "", asset_at("10.0.0.1")->id);
	assert_true(fact > 0);
	assert_ptr_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	assert_int_equal(asset_at("10.0.0.1")->node_count, 4);
	flush();
	restart();
	assert_int_equal(asset_at("10.0.0.1")->node_count, 4);
	/* An address that moves goes alone; the rest stays one. */
	test_time_ns += 5 * 3600 * SECOND_NS;
	hear(host("00:1b:1b:00:00:03", "10.0.0.2", BINDING_STATED));
	assert_ptr_equal(node(M1, "")->asset, node(M2, "")->asset);
	assert_ptr_equal(asset_at("10.0.0.2"), node("00:1b:1b:00:00:03", "")->asset);
	flush();
	undo(fact);
	assert_ptr_not_equal(node(M1, "")->asset, node(M2, "")->asset);
	assert_ptr_equal(asset_at("10.0.0.1"), node(M1, "")->asset);
	flush();
	restart();
	assert_ptr_not_equal(node(M1, "")->asset, node(M2, "")->asset);
}

static void test_split(void **state)
{
	int64_t fact;

	(void)state;
	serve(M1, "10.0.0.1");
	hear(host(M1, "10.0.0.2", BINDING_STATED));
	flush();
	assert_ptr_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	fact = state_fact(COMMAND_SPLIT, asset_at("10.0.0.1")->id, "", "", "10.0.0.2");
	assert_true(fact > 0);
	assert_ptr_not_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	hear(host(M1, "10.0.0.2", BINDING_STATED));
	assert_ptr_not_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	flush();
	restart();
	assert_ptr_not_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	undo(fact);
	assert_ptr_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
}

/* The hub was killed after the fact was stored and before the picture was. */
static void test_killed_between(void **state)
{
	int64_t fact;

	(void)state;
	serve(M1, "10.0.0.1");
	serve(M2, "10.0.0.2");
	flush();
	fact = state_fact(COMMAND_MERGE, asset_at("10.0.0.2")->id, "", "", asset_at("10.0.0.1")->id);
	restart();
	assert_ptr_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
	flush();
	undo(fact);
	restart();
	assert_ptr_not_equal(asset_at("10.0.0.1"), asset_at("10.0.0.2"));
}

static bool tied_somehow(const struct node *n)
{
	for (size_t i = 0; i < hub.picture.tie_count; i++)
		if (hub.picture.ties[i].a == n || hub.picture.ties[i].b == n)
			return true;
	return false;
}

/* Whatever is heard: what is tied is one asset, what is bound is one asset, and nothing else is. */
static void check_invariants(void)
{
	for (size_t i = 0; i < hub.picture.tie_count; i++)
		assert_ptr_equal(hub.picture.ties[i].a->asset, hub.picture.ties[i].b->asset);
	for (uint32_t i = 0; i < hub.picture.node_count; i++) {
		const struct node *n = hub.picture.nodes[i], *parent = n->family ? binding_parent(n) : NULL;

		if (parent)
			assert_ptr_equal(n->asset, parent->asset);
		else if (n->family && !tied_somehow(n))
			assert_int_equal(n->asset->node_count, 1);
	}
}

static void hear_anything(void)
{
	char mac[24], ip[24];

	snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", rand() % DEVICES + 1);
	snprintf(ip, sizeof ip, "10.0.0.%d", rand() % DEVICES + 1);
	if (rand() % 50 == 0)
		test_time_ns += 3 * 3600 * SECOND_NS;
	hear(host(mac, ip, rand() % 2 ? BINDING_STATED : BINDING_FRAME));
}

static void state_anything(int64_t *facts, unsigned *count)
{
	const struct node *a = hub.picture.nodes[(uint32_t)rand() % hub.picture.node_count];
	const struct node *b = hub.picture.nodes[(uint32_t)rand() % hub.picture.node_count];
	char text[64] = "";
	int64_t fact = 0;

	if (b->family)
		inet_ntop(AF_INET, b->address, text, sizeof text);
	switch (rand() % 3) {
	case 0:
		fact = state_fact(COMMAND_MERGE, a->asset->id, "", "", b->asset->id);
		break;
	case 1:
		fact = text[0] ? state_fact(COMMAND_SPLIT, b->asset->id, "", "", text) : 0;
		break;
	default:
		if (*count) {
			undo(facts[--*count]);
			return;
		}
	}
	if (fact && *count < ROUNDS)
		facts[(*count)++] = fact;
}

static void test_anything(void **state)
{
	static int64_t facts[ROUNDS];
	unsigned count = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		hear_anything();
		if (rand() % 20 == 0)
			state_anything(facts, &count);
		check_invariants();
		if (rand() % 100 == 0)
			flush();
		if (rand() % 500 == 0) {
			restart();
			check_invariants();
		}
	}
	while (count)
		undo(facts[--count]);
	assert_int_equal(hub.facts.count, 0);
	check_invariants();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_value, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_refused, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_class, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_heard_class_stays, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_ignored, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_merged, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_split, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_killed_between, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_anything, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
