/* Which addresses the picture takes for one device, and what happens when it learns better. */
#include "make_finding.h"
#include "sensor/hub/address.h"
#include "sensor/hub/binding.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/picture.h"
#include "sensor/hub/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define M1 "00:1b:1b:00:00:01"
#define M2 "00:1b:1b:00:00:02"
#define ROUTER "00:00:bc:00:00:99"

static struct picture p;

static int start(void **state)
{
	(void)state;
	hash_start();
	picture_start(&p, "sensor", "hall", 1000);
	p.telling = true;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	picture_end(&p);
	return 0;
}

static void hear(struct finding f)
{
	picture_hear(&p, &f, SENT_FROM_BOTH);
}

static struct node *node(const char *mac, const char *ip)
{
	static const uint16_t untagged[2];
	struct endpoint e = at(mac, ip, BINDING_NONE);

	return picture_find(&p, untagged, e.family, ip[0] ? e.ip : e.mac);
}

static bool together(const char *mac, const char *ip)
{
	struct node *m = node(mac, ""), *i = node("", ip);

	assert_non_null(m);
	assert_non_null(i);
	return m->asset == i->asset;
}

static unsigned told(enum change_kind kind)
{
	unsigned count = 0;

	for (size_t i = 0; i < p.change_count; i++)
		count += p.changes[i].kind == kind;
	return count;
}

/* What must hold after any findings whatever. */
static void check_invariants(void)
{
	uint32_t living = 0;

	for (uint32_t i = 0; i < p.node_count; i++) {
		struct node *n = p.nodes[i], *parent = n->family ? binding_parent(n) : NULL;
		unsigned listed = 0, macs = 0;

		assert_non_null(n->asset);
		assert_false(n->asset->gone);
		for (struct node *other = n->asset->nodes; other; other = other->next) {
			listed += other == n;
			macs += other->family == 0;
			assert_ptr_equal(other->asset, n->asset);
		}
		assert_int_equal(listed, 1);
		assert_true(macs <= 1);
		if (parent)
			assert_ptr_equal(parent->asset, n->asset);
		else if (n->family)
			assert_int_equal(n->asset->node_count, 1);
		assert_ptr_equal(picture_asset(&p, n->asset->id), n->asset);
	}
	for (size_t i = 0; i < p.id_room; i++) {
		if (!p.ids[i])
			continue;
		living++;
		assert_non_null(p.ids[i]->nodes);
		assert_ptr_equal(p.ids[i]->founder->asset, p.ids[i]);
	}
	assert_int_equal(living, p.assets);
}

static void one_frame_makes_one_asset(void **state)
{
	(void)state;
	hear(host(M1, "10.0.0.5", BINDING_FRAME));
	assert_int_equal(p.assets, 1);
	assert_true(together(M1, "10.0.0.5"));
	hear(host(M1, "10.0.0.5", BINDING_FRAME));
	assert_int_equal(p.assets, 1);
	assert_int_equal(p.node_count, 2);
	check_invariants();
}

static void group_addresses_are_nobody(void **state)
{
	static const char *const nobody[][2] = {
		{ "ff:ff:ff:ff:ff:ff", "255.255.255.255" }, { "01:00:5e:00:00:01", "224.0.0.1" },
		{ "00:00:00:00:00:00", "0.0.0.0" }, { "33:33:00:00:00:01", "ff02::1" }, { "00:00:00:00:00:00", "::" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
		hear(host(nobody[i][0], nobody[i][1], BINDING_FRAME));
	assert_int_equal(p.node_count, 0);
	assert_int_equal(p.counters.unplaced, 5);
}

/* A router that leaves the hop limit alone looks like the device itself, until a second address comes from its MAC. */
static void router_is_no_identity(void **state)
{
	char first[ASSET_ID_BYTES];

	(void)state;
	hear(host(ROUTER, "10.1.0.5", BINDING_FRAME));
	assert_true(together(ROUTER, "10.1.0.5"));
	memcpy(first, node("", "10.1.0.5")->asset->id, sizeof first);
	node("", "10.1.0.5")->asset->told = true;
	hear(host(ROUTER, "10.1.0.6", BINDING_FRAME));
	assert_false(together(ROUTER, "10.1.0.5"));
	assert_false(together(ROUTER, "10.1.0.6"));
	assert_int_equal(p.assets, 3);
	assert_true(node(ROUTER, "")->flags & NODE_ROUTER);
	/* The device keeps its id, the router gets a new one. */
	assert_string_equal(node("", "10.1.0.5")->asset->id, first);
	assert_int_equal(told(CHANGE_SPLIT), 1);
	for (int i = 7; i < 200; i++) {
		char ip[32];

		snprintf(ip, sizeof ip, "10.1.0.%d", i);
		hear(host(ROUTER, ip, BINDING_FRAME));
		assert_false(together(ROUTER, ip));
	}
	check_invariants();
}

static void router_keeps_its_own_stated_address(void **state)
{
	(void)state;
	hear(host(ROUTER, "10.0.0.1", BINDING_STATED));
	hear(host(ROUTER, "10.1.0.5", BINDING_FRAME));
	hear(host(ROUTER, "10.1.0.6", BINDING_FRAME));
	hear(host(ROUTER, "10.0.0.1", BINDING_FRAME));
	assert_true(together(ROUTER, "10.0.0.1"));
	assert_false(together(ROUTER, "10.1.0.5"));
	assert_false(together(ROUTER, "10.1.0.6"));
	check_invariants();
}

/* Two addresses of one interface, both stated: a multihomed device. Five: a proxy that answers for others. */
static void proxy_arp_is_found_out(void **state)
{
	char ip[32];

	(void)state;
	for (int i = 1; i <= 4; i++) {
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		hear(host(M1, ip, BINDING_STATED));
		assert_true(together(M1, ip));
	}
	assert_int_equal(p.assets, 1);
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	assert_true(node(M1, "")->flags & NODE_PROXY);
	for (int i = 1; i <= 5; i++) {
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		assert_false(together(M1, ip));
	}
	assert_int_equal(p.assets, 6);
	/* The true owner says so: it is believed. */
	hear(host(M2, "10.0.0.3", BINDING_STATED));
	assert_true(together(M2, "10.0.0.3"));
	check_invariants();
}

static void statement_beats_frame(void **state)
{
	(void)state;
	hear(host(ROUTER, "10.0.0.5", BINDING_FRAME));
	hear(host(M1, "", BINDING_NONE));
	node("", "10.0.0.5")->asset->told = node(M1, "")->asset->told = true;
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	assert_true(together(M1, "10.0.0.5"));
	assert_false(together(ROUTER, "10.0.0.5"));
	assert_int_equal(p.assets, 2);
	assert_true(told(CHANGE_SPLIT) >= 1);
	assert_int_equal(told(CHANGE_CONTEST), 0);
	check_invariants();
}

static void later_statement_merges(void **state)
{
	char id[ASSET_ID_BYTES];

	(void)state;
	hear(host("", "10.0.0.5", BINDING_NONE));
	hear(host(M1, "", BINDING_NONE));
	assert_int_equal(p.assets, 2);
	memcpy(id, node("", "10.0.0.5")->asset->id, sizeof id);
	node(M1, "")->asset->told = true;
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	assert_int_equal(p.assets, 1);
	assert_string_equal(node(M1, "")->asset->id, id);
	assert_int_equal(told(CHANGE_MERGED), 1);
	check_invariants();
}

static void two_claims_are_a_conflict(void **state)
{
	(void)state;
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	hear(host(M2, "10.0.0.5", BINDING_STATED));
	assert_int_equal(told(CHANGE_CONTEST), 1);
	assert_int_equal(p.assets, 2);
	assert_true(together(M1, "10.0.0.5"));
	assert_true(node("", "10.0.0.5")->flags & NODE_CONTESTED);
	/* Said again, it is no news. */
	hear(host(M2, "10.0.0.5", BINDING_STATED));
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	assert_int_equal(told(CHANGE_CONTEST), 1);
	check_invariants();
}

/* A lease that went to another device hours later is no conflict: the address has moved. */
static void address_moves(void **state)
{
	(void)state;
	hear(host(M1, "10.0.0.5", BINDING_STATED));
	test_time_ns += 5 * 3600 * SECOND_NS;
	hear(host(M2, "10.0.0.5", BINDING_STATED));
	assert_int_equal(told(CHANGE_CONTEST), 0);
	assert_true(together(M2, "10.0.0.5"));
	assert_false(together(M1, "10.0.0.5"));
	check_invariants();
}

static void virtual_macs_identify_nobody(void **state)
{
	static const char *const macs[] = { "00:00:5e:00:01:0a", "00:00:0c:07:ac:01", "00:00:0c:9f:f0:01" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		hear(host(macs[i], "10.0.0.1", BINDING_STATED));
		assert_null(node(macs[i], ""));
	}
	assert_int_equal(p.assets, 1);
	assert_int_equal(p.node_count, 1);
	check_invariants();
}

static void public_address_is_bound_only_when_alone(void **state)
{
	(void)state;
	hear(host(M1, "8.8.8.8", BINDING_FRAME));
	assert_true(together(M1, "8.8.8.8"));
	hear(host(M1, "192.168.1.1", BINDING_STATED));
	assert_false(together(M1, "8.8.8.8"));
	assert_true(together(M1, "192.168.1.1"));
	check_invariants();
}

static void ipv6_addresses_of_one_interface(void **state)
{
	(void)state;
	hear(host(M1, "fe80::1234", BINDING_FRAME));
	hear(host(M1, "2001:db8::5", BINDING_FRAME));
	hear(host(M1, "2001:db8::6", BINDING_FRAME));
	hear(host(M1, "10.0.0.5", BINDING_FRAME));
	assert_int_equal(p.assets, 1);
	/* Networks that one interface is not in: a router. Its link-local address stays its own. */
	hear(host(M1, "2001:db8:1::5", BINDING_FRAME));
	hear(host(M1, "2001:db8:2::5", BINDING_FRAME));
	assert_true(node(M1, "")->flags & NODE_ROUTER);
	assert_true(together(M1, "fe80::1234"));
	assert_false(together(M1, "2001:db8:1::5"));
	check_invariants();
}

static void eui64_names_its_maker(void **state)
{
	(void)state;
	/* 00:1b:1b:00:00:01 with the universal bit turned */
	hear(host("", "fe80::21b:1bff:fe00:1", BINDING_NONE));
	assert_true(together(M1, "fe80::21b:1bff:fe00:1"));
	/* A global address of the same form may come from far away and proves nothing here. */
	hear(host("", "2001:db8::21b:1bff:fe00:2", BINDING_NONE));
	assert_null(node(M2, ""));
	check_invariants();
}

static void zones_part_equal_addresses(void **state)
{
	struct finding a = host(M1, "10.0.0.5", BINDING_STATED), b = host(M2, "10.0.0.5", BINDING_STATED), c = b;
	char zone[64];

	(void)state;
	b.vlan[0] = 10;
	c.vlan[0] = 10;
	c.vlan[1] = 20;
	hear(a);
	hear(b);
	hear(c);
	assert_int_equal(p.assets, 3);
	assert_int_equal(told(CHANGE_CONTEST), 0);
	picture_zone(&p, picture_find(&p, c.vlan, 4, c.subject.ip), zone, sizeof zone);
	assert_string_equal(zone, "hall/vlan:10.20");
	check_invariants();
}

static void values_that_differ_are_both_kept(void **state)
{
	struct endpoint who = at(M1, "10.0.0.5", BINDING_FRAME);
	struct view v = { .nodes = NULL };

	(void)state;
	hear(attribute(who, "s7comm", "", ATTR_SERIAL, "A1"));
	hear(attribute(who, "s7comm", "", ATTR_SERIAL, "A1"));
	hear(attribute(who, "s7comm", "", ATTR_SERIAL, "B2"));
	hear(attribute(who, "s7comm", "", ATTR_FIRMWARE, "V1"));
	hear(attribute(who, "s7comm", "", ATTR_FIRMWARE, "V2"));
	hear(attribute(who, "dns", "", ATTR_HOSTNAME, "one"));
	hear(attribute(who, "dns", "", ATTR_HOSTNAME, "two"));
	hear(attribute(who, "snmp", "", ATTR_SERIAL, "C3"));
	assert_int_equal(told(CHANGE_ATTRIBUTE), 7);
	assert_int_equal(told(CHANGE_CONFLICT), 1);
	assert_int_equal(told(CHANGE_VALUE), 1);
	view_fill(&v, &p, node("", "10.0.0.5")->asset);
	assert_int_equal(v.attribute_count, 7);
	assert_string_equal(view_best(&v, ATTR_FIRMWARE)->item->value, "V2");
	for (size_t i = 0; i < v.attribute_count; i++)
		assert_true(v.attributes[i].frame > 0 && v.attributes[i].first_ns > 0);
	view_free(&v);
}

static void sole_subasset_is_the_device(void **state)
{
	struct endpoint who = at(M1, "10.0.0.5", BINDING_FRAME);
	struct view v = { .nodes = NULL };

	(void)state;
	hear(attribute(who, "modbus", "modbus/502/unit:1", ATTR_VENDOR, "Acme"));
	view_fill(&v, &p, node("", "10.0.0.5")->asset);
	assert_non_null(view_best(&v, ATTR_VENDOR));
	hear(attribute(who, "modbus", "modbus/502/unit:2", ATTR_VENDOR, "Other"));
	view_fill(&v, &p, node("", "10.0.0.5")->asset);
	assert_null(view_best(&v, ATTR_VENDOR));
	assert_int_equal(v.subasset_count, 2);
	view_free(&v);
}

static void guess_beside_a_proof_is_a_witness(void **state)
{
	struct endpoint who = at(M1, "10.0.0.5", BINDING_FRAME);
	struct view v = { .nodes = NULL };

	(void)state;
	hear(service(who, "s7comm", TRANSPORT_TCP, 102, EVIDENCE_NDPI));
	hear(service(who, "mms", TRANSPORT_TCP, 102, EVIDENCE_STRUCTURE));
	hear(service(who, "http", TRANSPORT_TCP, 80, EVIDENCE_PORT));
	hear(service(who, "http", TRANSPORT_TCP, 80, EVIDENCE_STRUCTURE));
	view_fill(&v, &p, node("", "10.0.0.5")->asset);
	assert_int_equal(v.service_count, 3);
	assert_int_equal(v.services[0].item->port, 80);
	assert_int_equal(v.services[0].item->evidence, EVIDENCE_STRUCTURE);
	assert_string_equal(v.services[1].item->protocol, "mms");
	assert_true(v.services[2].shadowed);
	view_free(&v);
}

static void clients_are_counted_once_each(void **state)
{
	struct endpoint server = at(M1, "10.0.0.5", BINDING_NONE);
	char ip[32];

	(void)state;
	for (int i = 10; i < 13; i++) {
		snprintf(ip, sizeof ip, "10.0.0.%d", i);
		hear(talks(at("", ip, BINDING_NONE), server, "modbus", 502));
		hear(talks(at("", ip, BINDING_NONE), server, "modbus", 502));
		hear(talks(at("", ip, BINDING_NONE), server, "", 502));
	}
	/* It is no asset before it was heard itself. */
	assert_null(node("", "10.0.0.5"));
	hear(service(server, "modbus", TRANSPORT_TCP, 502, EVIDENCE_STRUCTURE));
	assert_int_equal(picture_clients(&p, node("", "10.0.0.5"), TRANSPORT_TCP, 502), 3);
	assert_int_equal(picture_clients(&p, node("", "10.0.0.5"), TRANSPORT_TCP, 503), 0);
}

/* More peers than are looked at one by one, three times in another order each: every conversation stands once. */
static void many_conversations_are_found_again(void **state)
{
	enum { PEERS = 400 };
	struct endpoint client = at("", "10.0.0.5", BINDING_NONE);
	const struct node *n;
	char ip[32];

	(void)state;
	for (unsigned i = 0; i < 3 * PEERS; i++) {
		unsigned peer = i * 7 % PEERS;

		snprintf(ip, sizeof ip, "10.1.%u.%u", peer / 200, peer % 200);
		hear(talks(client, at("", ip, BINDING_NONE), i < 2 * PEERS ? "modbus" : "", (uint16_t)(500 + peer % 2)));
	}
	n = node("", "10.0.0.5");
	assert_int_equal(n->talks.count, 2 * PEERS);
	for (unsigned i = 0; i < n->talks.count; i++) {
		const struct talk_item *t = (const struct talk_item *)n->talks.items + i;

		assert_string_equal(t->protocol, i < PEERS ? "modbus" : "");
		assert_int_equal(t->peer[2] * 200 + t->peer[3], i * 7 % PEERS);
		assert_int_equal(t->port, 500 + t->peer[3] % 2);
	}
	hear(service(at("", "10.1.1.7", BINDING_NONE), "modbus", TRANSPORT_TCP, 501, EVIDENCE_STRUCTURE));
	assert_int_equal(picture_clients(&p, node("", "10.1.1.7"), TRANSPORT_TCP, 501), 1);
}

static void memory_is_bounded(void **state)
{
	struct endpoint who = at(M1, "10.0.0.5", BINDING_FRAME);
	char text[64];
	struct node *n;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "10.%d.%d.1", 1 + i / 250, i % 250);
		hear(host("", text, BINDING_NONE));
		snprintf(text, sizeof text, "v%d", i);
		hear(attribute(who, "snmp", "", ATTR_SERIAL, text));
		hear(attribute(who, "http", "", ATTR_URI, text));
		snprintf(text, sizeof text, "modbus/502/unit:%d", i);
		hear(attribute(who, "modbus", text, ATTR_VENDOR, "x"));
		hear(service(who, "http", TRANSPORT_TCP, (uint16_t)(i + 1), EVIDENCE_STRUCTURE));
		hear(talks(who, at("", "10.9.9.9", BINDING_NONE), "http", (uint16_t)(i + 1)));
	}
	n = node("", "10.0.0.5");
	assert_int_equal(p.assets, 1000);
	assert_true(p.counters.assets_refused > 0);
	assert_int_equal(n->services.count, NODE_SERVICES);
	assert_int_equal(n->subassets.count, NODE_SUBASSETS);
	assert_int_equal(n->talks.count, NODE_TALKS);
	assert_int_equal(n->own_attributes, VALUES_OF_SINGLE + VALUES_OF_MULTIPLE);
	assert_true(n->lost > 0);
	check_invariants();
}

/* The same findings in the same order give the same ids, whatever the hash keys are. */
static void ids_are_the_same_again(void **state)
{
	char ids[2][ASSET_ID_BYTES];

	for (int round = 0; round < 2; round++) {
		hear(host(M1, "10.0.0.5", BINDING_FRAME));
		hear(host(ROUTER, "10.0.1.5", BINDING_FRAME));
		hear(host(ROUTER, "10.0.1.6", BINDING_FRAME));
		memcpy(ids[round], node(ROUTER, "")->asset->id, ASSET_ID_BYTES);
		stop(state);
		start(state);
	}
	assert_string_equal(ids[0], ids[1]);
}

/* Whatever comes, in whatever order: one asset for each node, a star for each asset, ids unique. */
static void invariants_hold_under_chance(void **state)
{
	uint64_t seed = 42;

	for (int round = 0; round < 30; round++) {
		for (int i = 0; i < 400; i++) {
			char mac[32], ip[48];
			struct finding f;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			snprintf(mac, sizeof mac, "00:1b:1b:00:00:%02x", (unsigned)(seed >> 33) % 12);
			if ((seed >> 40) % 4 == 0)
				snprintf(ip, sizeof ip, "2001:db8:%u::%u", (unsigned)(seed >> 44) % 4, (unsigned)(seed >> 48) % 8);
			else if ((seed >> 40) % 4 == 1)
				snprintf(ip, sizeof ip, "8.8.%u.%u", (unsigned)(seed >> 44) % 2, 1 + (unsigned)(seed >> 48) % 8);
			else
				snprintf(ip, sizeof ip, "10.0.0.%u", 1 + (unsigned)(seed >> 44) % 20);
			f = host((seed >> 52) % 8 ? mac : "", (seed >> 55) % 8 ? ip : "", (enum binding)((seed >> 58) % 3));
			if ((seed >> 61) == 0)
				test_time_ns += 3 * 3600 * SECOND_NS;
			hear(f);
		}
		check_invariants();
		for (uint32_t i = 0; i < p.node_count; i++)
			p.nodes[i]->asset->told = true;
		if (round % 3 == 0)
			picture_settled(&p);
		if (round % 10 == 9) {
			stop(state);
			start(state);
		}
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_frame_makes_one_asset),
		TEST(group_addresses_are_nobody),
		TEST(router_is_no_identity),
		TEST(router_keeps_its_own_stated_address),
		TEST(proxy_arp_is_found_out),
		TEST(statement_beats_frame),
		TEST(later_statement_merges),
		TEST(two_claims_are_a_conflict),
		TEST(address_moves),
		TEST(virtual_macs_identify_nobody),
		TEST(public_address_is_bound_only_when_alone),
		TEST(ipv6_addresses_of_one_interface),
		TEST(eui64_names_its_maker),
		TEST(zones_part_equal_addresses),
		TEST(values_that_differ_are_both_kept),
		TEST(sole_subasset_is_the_device),
		TEST(guess_beside_a_proof_is_a_witness),
		TEST(clients_are_counted_once_each),
		TEST(many_conversations_are_found_again),
		TEST(memory_is_bounded),
		TEST(ids_are_the_same_again),
		TEST(invariants_hold_under_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
