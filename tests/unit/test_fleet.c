/* Which assets of several sensors are one device, which are not, and what an analyst's word changes. */
#include "sensor/fleet/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What one sensor tells; NULL for what it doesn't know. */
struct told {
	const char *sensor, *id, *zone, *mac, *ip, *name, *serial, *vendor, *product;
	bool forwards;
};

static const char A[] = "a-000000000000000a", B[] = "a-000000000000000b", C[] = "a-000000000000000c";

static void tell(struct fleet *f, const struct told *t)
{
	struct member *m = fleet_member(f, t->sensor, strlen(t->sensor), true);
	json_t *attributes = json_array(), *d;
	struct witness *w;
	char *text;

	if (t->serial)
		json_array_append_new(attributes, json_pack("{s:s,s:s,s:s,s:s}", "subject", "", "name", "serial", "value", t->serial, "protocol", "s7comm"));
	/* What stands behind the device is not the device. */
	json_array_append_new(attributes, json_pack("{s:s,s:s,s:s,s:s}", "subject", "modbus/502/unit:1", "name", "serial", "value", "BEHIND-1", "protocol", "modbus"));
	d = json_pack("{s:{s:{s:s*}},s:{s:{s:s,s:s,s:[s*],s:[s*],s:[s*],s:s*,s:b,s:f},s:o}}", "device", "model", "name", t->product, "ot", "asset",
		      "id", t->id, "zone", t->zone ? t->zone : "hall-1", "mac", t->mac, "ip", t->ip, "hostname", t->name, "vendor", t->vendor, "forwards",
		      t->forwards, "completeness", 0.5, "attributes", attributes);
	assert_non_null(d);
	text = json_dumps(d, 0);
	w = witness_read(text, strlen(text));
	assert_non_null(w);
	assert_non_null(m);
	fleet_keep(f, m, w);
	free(text);
	json_decref(d);
}

static void decide(struct fleet *f, enum decision_action action, const char *x, const char *y)
{
	f->decision = realloc(f->decision, (f->decisions + 1) * sizeof *f->decision);
	f->decision[f->decisions] = (struct fleet_decision){ .action = action, .who = "a.lang", .why = "looked" };
	assert_int_equal(decision_name_pair(&f->decision[f->decisions++], x, y), 0);
}

static size_t devices_of(struct fleet *f)
{
	assert_int_equal(fleet_match(f), 0);
	return fleet_devices(f);
}

/* How many devices two witnesses are, and the words of the reason or of the doubt. */
static size_t pair(struct told a, struct told b, char reason[512])
{
	struct fleet *f = fleet_new(100);
	size_t n;

	a.sensor = "s1";
	b.sensor = "s2";
	a.id = A;
	b.id = B;
	tell(f, &a);
	tell(f, &b);
	n = devices_of(f);
	reason[0] = 0;
	if (n == 1) {
		json_t *device = fleet_device_json(f, fleet_device(f, 0));
		const json_t *merged = json_object_get(device, "merged");

		assert_int_equal(json_array_size(merged), 1);
		snprintf(reason, 512, "%s", json_string_value(json_object_get(json_array_get(merged, 0), "reason")));
		json_decref(device);
	} else if (fleet_doubts(f)) {
		fleet_reason(fleet_doubt(f, 0), reason, 512);
	}
	fleet_free(f);
	return n;
}

#define ONE(words, ...) assert_pair(1, words, __VA_ARGS__)
#define TWO(words, ...) assert_pair(2, words, __VA_ARGS__)

static void assert_pair(size_t devices, const char *words, struct told a, struct told b)
{
	char reason[512];
	size_t n = pair(a, b, reason);

	if (n != devices || !strstr(reason, words) || (!words[0] && reason[0]))
		fail_msg("%zu devices, \"%s\", where %zu and \"%s\" were expected", n, reason, devices, words);
}

static const char MAC[] = "00:1b:1b:01:02:03", LOCAL[] = "02:42:ac:11:00:02";
#define T(...) (struct told){ __VA_ARGS__ }

static void test_serials(void **state)
{
	(void)state;
	ONE("serial number S C-X4U421302009 of one vendor",
	    T(.serial = "S C-X4U421302009", .vendor = "Siemens", .zone = "hall-1"), T(.serial = "s c-x4u421302009", .vendor = "Siemens AG", .zone = "hall-2"));
	TWO("vendors differ", T(.serial = "12345-9", .vendor = "Siemens"), T(.serial = "12345-9", .vendor = "ABB"));
	TWO("vendor of one is not known", T(.serial = "12345-9", .vendor = "Siemens"), T(.serial = "12345-9"));
	TWO("models differ", T(.serial = "12345-9", .vendor = "ABB", .product = "AC500"), T(.serial = "12345-9", .vendor = "ABB", .product = "ACS880"));
	ONE("serial", T(.serial = "12345-9", .vendor = "ABB", .product = "AC500 PM573"), T(.serial = "12345-9", .vendor = "ABB", .product = "ac500"));
	TWO("", T(.serial = "00000000", .vendor = "ABB"), T(.serial = "00000000", .vendor = "ABB"));
	TWO("", T(.serial = "123456", .vendor = "ABB"), T(.serial = "123456", .vendor = "ABB"));
	TWO("", T(.serial = "N/A", .vendor = "ABB"), T(.serial = "N/A", .vendor = "ABB"));
}

static void test_macs(void **state)
{
	(void)state;
	ONE("MAC 00:1b:1b:01:02:03 in one zone", T(.mac = MAC, .ip = "10.0.0.5"), T(.mac = MAC, .ip = "10.0.0.5"));
	ONE("in one zone", T(.mac = MAC), T(.mac = MAC, .ip = "10.0.0.5"));
	TWO("the zones differ", T(.mac = MAC, .ip = "10.0.0.5"), T(.mac = MAC, .ip = "10.0.0.5", .zone = "hall-2"));
	ONE("in two zones, and mixer-7", T(.mac = MAC, .name = "mixer-7"), T(.mac = MAC, .name = "MIXER-7", .zone = "hall-2"));
	ONE("in two zones, and 8.8.4.4", T(.mac = MAC, .ip = "8.8.4.4"), T(.mac = MAC, .ip = "8.8.4.4", .zone = "hall-2"));
	TWO("the zones differ", T(.mac = MAC, .name = "plc"), T(.mac = MAC, .name = "plc", .zone = "hall-2"));
	TWO("addresses differ", T(.mac = MAC, .ip = "10.0.0.5"), T(.mac = MAC, .ip = "10.9.9.9"));
	ONE("in one zone, and mixer-7", T(.mac = MAC, .ip = "10.0.0.5", .name = "mixer-7"), T(.mac = MAC, .ip = "10.9.9.9", .name = "mixer-7"));
	TWO("", T(.mac = MAC, .forwards = true, .name = "core-1"), T(.mac = MAC, .name = "core-1"));
	TWO("", T(.mac = "00:00:5e:00:01:0a"), T(.mac = "00:00:5e:00:01:0a"));
	ONE("in one zone", T(.mac = LOCAL), T(.mac = LOCAL));
	TWO("software chose", T(.mac = LOCAL, .name = "mixer-7"), T(.mac = LOCAL, .name = "mixer-7", .zone = "hall-2"));
	TWO("serial numbers differ", T(.mac = MAC, .serial = "77-1"), T(.mac = MAC, .serial = "77-2"));
	/* Who names no zone has one of his own. */
	TWO("the zones differ", T(.mac = MAC, .zone = "default"), T(.mac = MAC, .zone = "default"));
	TWO("the zones differ", T(.mac = MAC, .zone = "default/vlan:3"), T(.mac = MAC, .zone = "default/vlan:3"));
}

static void test_addresses(void **state)
{
	(void)state;
	TWO("an address alone is no identity", T(.ip = "192.168.0.5"), T(.ip = "192.168.0.5"));
	ONE("address 192.168.0.5 in one zone, and mixer-7", T(.ip = "192.168.0.5", .name = "mixer-7"), T(.ip = "192.168.0.5", .name = "mixer-7", .mac = MAC));
	TWO("", T(.ip = "192.168.0.5", .name = "mixer-7"), T(.ip = "192.168.0.5", .name = "mixer-7", .zone = "hall-2"));
	TWO("MACs differ", T(.ip = "192.168.0.5", .name = "x-1", .mac = MAC), T(.ip = "192.168.0.5", .name = "x-1", .mac = "00:1b:1b:01:02:04"));
	ONE("address 8.8.4.4", T(.ip = "8.8.4.4"), T(.ip = "8.8.4.4"));
	TWO("", T(.ip = "8.8.4.4"), T(.ip = "8.8.4.4", .zone = "hall-2"));
}

static void test_decisions(void **state)
{
	struct fleet *f = fleet_new(100);
	char reason[512];

	(void)state;
	tell(f, &T("s1", A, .mac = MAC));
	tell(f, &T("s2", B, .mac = MAC));
	tell(f, &T("s3", C, .ip = "10.0.0.9"));
	assert_int_equal(devices_of(f), 2);
	decide(f, DECISION_MERGE, "s3/a-000000000000000c", "s1/a-000000000000000a");
	assert_int_equal(devices_of(f), 1);
	decide(f, DECISION_SPLIT, "s2/a-000000000000000b", "s1/a-000000000000000a");
	assert_int_equal(devices_of(f), 2);
	/* Not by a third either: s3 stands with s1 by an analyst's word. */
	decide(f, DECISION_SPLIT, "s2/a-000000000000000b", "s3/a-000000000000000c");
	assert_int_equal(devices_of(f), 2);
	f->decision[1].action = f->decision[2].action = DECISION_UNDO;
	assert_int_equal(devices_of(f), 1);
	f->decision[0].action = DECISION_UNDO;
	assert_int_equal(devices_of(f), 2);
	decide(f, DECISION_MERGE, "s9/a-000000000000000c", "s1/a-000000000000000a");
	assert_int_equal(devices_of(f), 2);
	f->decision[3].action = DECISION_MERGE;
	fleet_reason(&(struct fleet_pair){ .likeness = { .bond = BOND_ANALYST }, .decision = &f->decision[0] }, reason, sizeof reason);
	assert_string_equal(reason, "a.lang: looked");
	fleet_free(f);
}

/* A chain of likenesses must not join what speaks against each other. */
static void test_chains(void **state)
{
	struct fleet *f = fleet_new(100);

	(void)state;
	tell(f, &T("s1", A, .mac = MAC, .serial = "77-1", .vendor = "ABB"));
	tell(f, &T("s2", B, .mac = MAC));
	tell(f, &T("s3", C, .mac = MAC, .serial = "77-2", .vendor = "ABB"));
	assert_int_equal(devices_of(f), 2);
	assert_int_equal(fleet_doubts(f), 2);
	fleet_free(f);
}

/* One sensor that finds a serial at many devices shows that it is a filler. */
static void test_serials_of_many(void **state)
{
	struct fleet *f = fleet_new(100);

	(void)state;
	for (int i = 0; i < 5; i++) {
		char id[32], mac[32];

		snprintf(id, sizeof id, "a-00000000000000%02d", i);
		snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02d", i);
		tell(f, &T("s1", id, .mac = mac, .serial = "FACTORY-0", .vendor = "ABB"));
	}
	tell(f, &T("s2", B, .serial = "FACTORY-0", .vendor = "ABB"));
	/* Nor is it further evidence for a MAC. */
	tell(f, &T("s2", C, .serial = "FACTORY-0", .vendor = "ABB", .mac = "00:1b:1b:00:00:01", .zone = "hall-2"));
	assert_int_equal(devices_of(f), 7);
	fleet_free(f);
}

static void test_bounds_and_changes(void **state)
{
	struct fleet *f = fleet_new(2);
	char *big = malloc(70000);
	json_t *d;
	char *text;
	struct witness *w;

	(void)state;
	tell(f, &T("s1", A, .mac = MAC));
	tell(f, &T("s1", B, .mac = MAC));
	assert_int_equal(fleet_changes(f), 2);
	tell(f, &T("s1", C, .mac = MAC));
	assert_int_equal(fleet_refused(f), 1);
	f->changes = 0;
	f->round++;
	tell(f, &T("s1", A, .mac = MAC));
	assert_int_equal(fleet_changes(f), 0);
	tell(f, &T("s1", A, .mac = MAC, .ip = "10.0.0.1"));
	assert_int_equal(fleet_changes(f), 1);
	fleet_drop(f, f->member[0], B);
	assert_int_equal(devices_of(f), 1);
	assert_true(fleet_changed(f, fleet_device(f, 0)));
	fleet_free(f);

	memset(big, 'x', 69999);
	big[69999] = 0;
	d = json_pack("{s:{s:{s:s,s:s,s:[s,s]}}}", "ot", "asset", "id", A, "zone", big, "hostname", big, "n");
	text = json_dumps(d, 0);
	w = witness_read(text, strlen(text));
	assert_non_null(w);
	assert_int_equal(strlen(witness_text(w, WITNESS_ZONE)), 255);
	assert_string_equal(witness_next(witness_text(w, WITNESS_NAME)), "n");
	free(w);
	free(text);
	json_decref(d);
	free(big);
	assert_null(witness_read("{", 1));
	assert_null(witness_read("[]", 2));
	assert_null(witness_read("{\"ot\":{\"asset\":{\"id\":\"a-00112233445566778899\"}}}", 49));
}

static void test_names_of_pairs(void **state)
{
	struct fleet_decision d;

	(void)state;
	assert_int_equal(decision_name_pair(&d, "s2/a-000000000000000b", "s1/a-000000000000000a"), 0);
	assert_string_equal(d.a, "s1/a-000000000000000a");
	assert_int_equal(decision_name_pair(&d, "s1/a-000000000000000a", "s1/a-000000000000000a"), -1);
	assert_int_equal(decision_name_pair(&d, "s1/a-000000000000000a", "a-000000000000000b"), -1);
	assert_int_equal(decision_name_pair(&d, "s1/a-000000000000000a", "s 1/a-000000000000000b"), -1);
	assert_int_equal(decision_name_pair(&d, "s1/a-000000000000000a", "s1/a-00000000000000"), -1);
	assert_int_equal(decision_name_pair(&d, "s1/a-000000000000000a", "s1/a-000000000000000bc"), -1);
	assert_int_equal(decision_name_pair(&d, "", ""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serials), cmocka_unit_test(test_macs), cmocka_unit_test(test_addresses), cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_chains), cmocka_unit_test(test_serials_of_many), cmocka_unit_test(test_bounds_and_changes),
		cmocka_unit_test(test_names_of_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
