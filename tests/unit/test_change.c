/* Changes that people want to hear of: each is told once, with the frames that prove it, and over a restart not again. */
#include "tests/unit/hub_fixture.h"

#include <jansson.h>

#define ENGINEER "00:50:56:00:00:02"
#define OTHER "00:1b:1b:00:00:02"

static void start_hub(void)
{
	open_hub();
	hub.changes = changes_open(&hub.store);
	assert_non_null(hub.changes);
	hub.batch.changes = hub.changes;
}

static void stop_hub(void)
{
	changes_close(hub.changes);
	close_hub();
}

static int more(struct store *s, void *context)
{
	(void)context;
	return changes_store(hub.changes, s);
}

static void flush(void)
{
	batch_draft(&hub.batch);
	assert_int_equal(batch_store(&hub.batch, more, NULL), 0);
	changes_stored(hub.changes);
}

static void hear(struct finding f)
{
	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
	changes_hear(hub.changes, &hub.batch, &f);
	flush();
}

static int64_t events(const char *action)
{
	sqlite3_stmt *s;
	char sql[256];
	int64_t n;

	snprintf(sql, sizeof sql, "SELECT count(*) FROM outbox WHERE json_extract(body,'$.event.action')='%s'", action);
	s = store_prepare(&hub.store, sql);
	n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
	sqlite3_finalize(s);
	return n;
}

/* The text of one member of the last event of that action; valid until the next call. */
static const char *last(const char *action, const char *member)
{
	static char text[256];
	sqlite3_stmt *s;
	char sql[400];

	snprintf(sql, sizeof sql, "SELECT json_extract(body,'%s') FROM outbox WHERE json_extract(body,'$.event.action')='%s' ORDER BY seq DESC",
		 member, action);
	s = store_prepare(&hub.store, sql);
	text[0] = 0;
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
		snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return text;
}

/* True when its only proof is the frame of `f`, with that frame's time. */
static bool proved_by(const char *action, const struct finding *f)
{
	char time[32], frame[24];
	struct tm t;
	time_t s = f->time_ns / 1000000000;

	gmtime_r(&s, &t);
	strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &t);
	snprintf(frame, sizeof frame, "%llu", (unsigned long long)f->frame);
	return strcmp(last(action, "$.ot.change.frames[0].frame"), frame) == 0 &&
	       strncmp(last(action, "$.ot.change.frames[0].time"), time, strlen(time)) == 0 && !*last(action, "$.ot.change.frames[1]");
}

static struct finding act(enum activity a, const char *function)
{
	struct finding f = finding_of(FINDING_HOST, at(ENGINEER, "10.0.0.9", BINDING_FRAME));

	f.kind = FINDING_ACTIVITY;
	f.activity = (uint8_t)a;
	f.peer = at("", "10.0.0.1", BINDING_NONE);
	f.transport = TRANSPORT_TCP;
	f.port = 102;
	snprintf(f.protocol, sizeof f.protocol, "s7comm");
	snprintf(f.value, sizeof f.value, "%s", function);
	assert_true(finding_valid(&f));
	return f;
}

static void engineering(void **state)
{
	struct finding f;
	char frame[32];

	(void)state;
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	hear(host(ENGINEER, "10.0.0.9", BINDING_FRAME));
	f = act(ACTIVITY_PROGRAM_DOWNLOAD, "request download (0x1a)");
	hear(f);
	assert_int_equal(events("engineering-activity"), 1);
	assert_int_equal(events("engineering-station-new"), 1);
	assert_string_equal(last("engineering-activity", "$.ot.change.activity"), "program-download");
	assert_string_equal(last("engineering-activity", "$.ot.change.actor.ip"), "10.0.0.9");
	assert_string_equal(last("engineering-activity", "$.host.ip[0]"), "10.0.0.1");
	assert_string_equal(last("engineering-station-new", "$.host.ip[0]"), "10.0.0.9");
	assert_string_equal(last("engineering-activity", "$.threat.technique.id[0]"), "T0843");
	snprintf(frame, sizeof frame, "%llu", (unsigned long long)f.frame);
	assert_string_equal(last("engineering-activity", "$.ot.change.frames[0].frame"), frame);
	/* The same again is no news within a minute; another deed is; the station is known, also after a restart. */
	hear(act(ACTIVITY_PROGRAM_DOWNLOAD, "request download (0x1a)"));
	assert_int_equal(events("engineering-activity"), 1);
	hear(act(ACTIVITY_MODE_STOP, "PLC stop (0x29)"));
	assert_int_equal(events("engineering-activity"), 2);
	stop_hub();
	start_hub();
	test_time_ns += 120 * SECOND_NS;
	hear(act(ACTIVITY_PROGRAM_DOWNLOAD, "request download (0x1a)"));
	assert_int_equal(events("engineering-activity"), 3);
	assert_int_equal(events("engineering-station-new"), 1);
}

static void firmware_and_modules(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.1", BINDING_FRAME);

	(void)state;
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.2.6"));
	hear(attribute(plc, "s7comm", "s7comm/102/rack:0/slot:4", ATTR_SERIAL, "S C-1"));
	hear(attribute(plc, "s7comm", "s7comm/102/rack:0/slot:4", ATTR_ORDER_CODE, "6ES7 321"));
	assert_int_equal(events("firmware-changed") + events("module-changed") + events("device-replaced"), 0);
	hear(attribute(plc, "s7comm", "", ATTR_FIRMWARE, "V3.3.1"));
	assert_int_equal(events("firmware-changed"), 1);
	assert_string_equal(last("firmware-changed", "$.ot.change.previous"), "V3.2.6");
	assert_string_equal(last("firmware-changed", "$.ot.change.value"), "V3.3.1");
	assert_true(atoll(last("firmware-changed", "$.ot.change.frames[1].frame")) > atoll(last("firmware-changed", "$.ot.change.frames[0].frame")));
	hear(attribute(plc, "s7comm", "s7comm/102/rack:0/slot:4", ATTR_SERIAL, "S C-2"));
	assert_int_equal(events("module-changed"), 1);
	assert_string_equal(last("module-changed", "$.ot.change.subject"), "s7comm/102/rack:0/slot:4");
	/* A name that changes is told as before, and is none of these. */
	hear(attribute(plc, "s7comm", "", ATTR_NAME, "press 1"));
	hear(attribute(plc, "s7comm", "", ATTR_NAME, "press 2"));
	assert_int_equal(events("firmware-changed") + events("module-changed") + events("device-replaced"), 2);
}

static void contested_address(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		hear(host(PLC, "10.0.0.1", BINDING_STATED));
		hear(host("00:80:f4:00:00:05", "10.0.0.1", BINDING_STATED));
	}
	assert_int_equal(events("address-conflict"), 1);
	assert_string_equal(last("address-conflict", "$.ot.change.ip"), "10.0.0.1");
	assert_string_equal(last("address-conflict", "$.threat.technique.id[0]"), "T0830");
}

static void starting(void **state)
{
	struct finding f = finding_of(FINDING_HOST, at(PLC, "10.0.0.1", BINDING_NONE));

	(void)state;
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	f.kind = FINDING_ACTIVITY;
	f.activity = ACTIVITY_STARTED;
	f.transport = TRANSPORT_ETHERNET;
	snprintf(f.protocol, sizeof f.protocol, "profinet_dcp");
	snprintf(f.value, sizeof f.value, "DCP Hello (0xfefc)");
	hear(f);
	assert_int_equal(events("device-started"), 1);
	assert_int_equal(events("engineering-station-new"), 0);
}

static void know_devices(void)
{
	static char error[4096];

	hub.knowledge.devices = device_rules_load(SOURCE_DIR "/rules/devices", error, sizeof error);
	if (!hub.knowledge.devices)
		fail_msg("%s", error);
}

static void hear_plc(struct endpoint plc)
{
	hear(attribute(plc, "s7comm", "", ATTR_VENDOR, "Siemens"));
	hear(attribute(plc, "s7comm", "", ATTR_ORDER_CODE, "6ES7 315-2EH14-0AB0"));
	hear(service(plc, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
}

/* A PLC as the shipped rules judge it; an office machine may talk to the world, a controller is asked why. */
static void public_addresses(void **state)
{
	struct finding abroad, later;
	struct endpoint plc = at(PLC, "10.0.0.1", BINDING_FRAME), other = at(OTHER, "10.0.0.2", BINDING_FRAME),
			office = at("00:50:56:00:00:33", "10.0.0.50", BINDING_FRAME);

	(void)state;
	know_devices();
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	hear_plc(plc);
	hear(talks(plc, at("", "10.0.0.7", BINDING_NONE), "modbus", 502));
	assert_int_equal(events("public-address"), 0);
	abroad = talks(plc, at("", "93.184.216.34", BINDING_NONE), "http", 80);
	hear(abroad);
	hear(talks(plc, at("", "93.184.216.34", BINDING_NONE), "tls", 443));
	hear(host("00:50:56:00:00:33", "10.0.0.50", BINDING_FRAME));
	hear(talks(office, at("", "93.184.216.34", BINDING_NONE), "tls", 443));
	assert_int_equal(events("public-address"), 1);
	assert_string_equal(last("public-address", "$.ot.change.ip"), "93.184.216.34");
	assert_string_equal(last("public-address", "$.host.ip[0]"), "10.0.0.1");
	assert_true(proved_by("public-address", &abroad));
	/* Heard before a restart, and known for a PLC after it: what proves it is still the frame in which it was heard. */
	hear(host(OTHER, "10.0.0.2", BINDING_FRAME));
	later = talks(other, at("", "93.184.216.35", BINDING_NONE), "ntp", 123);
	hear(later);
	assert_int_equal(events("public-address"), 1);
	stop_hub();
	start_hub();
	know_devices();
	hear_plc(other);
	assert_int_equal(events("public-address"), 2);
	assert_string_equal(last("public-address", "$.ot.change.ip"), "93.184.216.35");
	assert_true(proved_by("public-address", &later));
}

/*
 * Who reaches a controller from outside is told of the controller, also where it is known for one only later and after a
 * restart; what a neighbour or an office machine is asked is not. Wrong would be an event of the public address's own.
 */
static void public_visitors(void **state)
{
	struct finding visit, unnamed;
	struct endpoint plc = at(PLC, "10.0.0.1", BINDING_FRAME), abroad = at("", "93.184.216.34", BINDING_NONE),
			office = at("00:50:56:00:00:33", "10.0.0.50", BINDING_FRAME);

	(void)state;
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	hear(host("00:50:56:00:00:33", "10.0.0.50", BINDING_FRAME));
	hear(talks(abroad, office, "http", 80));
	hear(talks(office, plc, "s7comm", 102));
	visit = talks(abroad, plc, "s7comm", 102);
	hear(visit);
	hear(talks(abroad, plc, "tls", 443));
	assert_int_equal(events("public-address"), 0);
	stop_hub();
	start_hub();
	know_devices();
	hear_plc(plc);
	assert_int_equal(events("public-address"), 1);
	assert_string_equal(last("public-address", "$.ot.change.ip"), "93.184.216.34");
	assert_string_equal(last("public-address", "$.ot.change.direction"), "inbound");
	assert_string_equal(last("public-address", "$.host.ip[0]"), "10.0.0.1");
	assert_true(proved_by("public-address", &visit));
	/* No service of it was recognised, and it asks back: news both. */
	unnamed = talks(at("", "93.184.216.35", BINDING_NONE), plc, "", 4444);
	hear(unnamed);
	assert_int_equal(events("public-address"), 2);
	assert_true(proved_by("public-address", &unnamed));
	hear(talks(plc, abroad, "http", 80));
	assert_int_equal(events("public-address"), 3);
	assert_string_equal(last("public-address", "$.ot.change.direction"), "outbound");
	assert_string_equal(last("public-address", "$.ot.change.port"), "80");
}

/* Who lets the world knock at many ports fills no more than its visitors' book: whom it talks to itself still stands. */
static void crowds_of_visitors(void **state)
{
	struct endpoint plc = at(PLC, "10.0.0.1", BINDING_FRAME);
	char ip[32];

	(void)state;
	know_devices();
	hear(host(PLC, "10.0.0.1", BINDING_FRAME));
	hear_plc(plc);
	for (int i = 0; i < 2 * NODE_VISITORS; i++) {
		snprintf(ip, sizeof ip, "93.184.217.%d", i);
		picture_hear(&hub.picture, &(struct finding[]){ talks(at("", ip, BINDING_NONE), plc, "s7comm", 102) }[0], SENT_FROM_BOTH);
	}
	flush();
	assert_int_equal(events("public-address"), NODE_VISITORS);
	hear(talks(plc, at("", "93.184.216.34", BINDING_NONE), "http", 80));
	assert_int_equal(events("public-address"), NODE_VISITORS + 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, drop_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(engineering), TEST(firmware_and_modules), TEST(contested_address), TEST(starting), TEST(public_addresses),
		TEST(public_visitors), TEST(crowds_of_visitors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
