/* Approvals: one text for each, and no change of any field, of a signature or of the signer goes unseen. */
#include "active/guard/approval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum { MUTATIONS = 2000 }; /* of each field */

static uint8_t key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];

static struct approval sample(void)
{
	struct approval a = {
		.id = "00112233445566778899aabbccddeeff",
		.transport = TRANSPORT_TCP,
		.uses = 1,
		.port = 502,
		.vlan = { 10, 0 },
		.sensor = "plant-1",
		.zone = "hall-3/vlan:10",
		.device_class = "plc",
		.maker = "M\xc3\xbcller & Co",
		.target = { .mac = { 0, 0x80, 0x2f, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 5 } },
		.path = "modbus/502/unit:3",
		.rule = "modbus-basic",
		.parameters = "transaction=1 unit=3",
		.not_before_s = 1795327200,
		.not_after_s = 1795413600,
		.signatures = 1,
	};

	memset(a.rule_sha256, 0x11, sizeof a.rule_sha256);
	memset(a.plan_sha256, 0x22, sizeof a.plan_sha256);
	snprintf(a.signature[0].analyst, sizeof a.signature[0].analyst, "a.lang");
	return a;
}

static void sign(struct approval *a)
{
	char text[APPROVAL_TEXT_BYTES];
	size_t len = approval_text(a, text);

	assert_true(len > 0);
	crypto_sign_detached(a->signature[0].bytes, NULL, (const unsigned char *)text, len, secret);
}

/* The form is what signatures on disk depend on: changing it makes them all void. */
static void test_text(void **state)
{
	struct approval a = sample();
	char text[APPROVAL_TEXT_BYTES];
	size_t n = approval_text(&a, text);

	(void)state;
	assert_int_equal(n, strlen(text));
	assert_string_equal(text, "askance approval 1\n"
				  "id: 00112233445566778899aabbccddeeff\n"
				  "sensor: plant-1\n"
				  "zone: hall-3/vlan:10\n"
				  "vlan: 10.0\n"
				  "target mac: 00:80:2f:01:02:03\n"
				  "target ip: 10.0.0.5\n"
				  "transport: tcp\n"
				  "port: 502\n"
				  "path: modbus/502/unit:3\n"
				  "class: plc\n"
				  "maker: M\xc3\xbcller & Co\n"
				  "rule: modbus-basic\n"
				  "rule sha256: 1111111111111111111111111111111111111111111111111111111111111111\n"
				  "parameters: transaction=1 unit=3\n"
				  "plan sha256: 2222222222222222222222222222222222222222222222222222222222222222\n"
				  "not before: 2026-11-22T06:00:00Z\n"
				  "not after: 2026-11-23T06:00:00Z\n"
				  "uses: 1\n");
}

static void fill_text(char *text, size_t room)
{
	memset(text, 'x', room - 1);
	text[room - 1] = '\0';
}

/* The longest of everything still is one whole text. */
static void test_longest(void **state)
{
	struct approval a = sample();
	char text[APPROVAL_TEXT_BYTES];
	size_t n;

	(void)state;
	fill_text(a.sensor, sizeof a.sensor);
	fill_text(a.zone, sizeof a.zone);
	fill_text(a.device_class, sizeof a.device_class);
	fill_text(a.maker, sizeof a.maker);
	fill_text(a.path, sizeof a.path);
	fill_text(a.rule, sizeof a.rule);
	fill_text(a.parameters, sizeof a.parameters);
	a.target.family = 6;
	memset(a.target.ip, 0xff, sizeof a.target.ip);
	a.port = 65535;
	a.vlan[0] = a.vlan[1] = 4095;
	a.uses = 10;
	n = approval_text(&a, text);
	assert_true(n > 0 && n == strlen(text));
	assert_string_equal(text + n - strlen("uses: 10\n"), "uses: 10\n");
}

#define REFUSED(change) \
	do { \
		struct approval a = sample(); \
		char text[APPROVAL_TEXT_BYTES]; \
		assert_true(approval_valid(&a)); \
		change; \
		if (approval_valid(&a) || approval_text(&a, text) != 0) \
			fail_msg("taken as valid: %s", #change); \
	} while (0)

static void test_invalid(void **state)
{
	(void)state;
	REFUSED(a.id[31] = '\0');
	REFUSED(a.id[0] = 'A');
	REFUSED(a.transport = TRANSPORT_IP);
	REFUSED(a.transport = TRANSPORT_ETHERNET); /* has a port */
	REFUSED(a.port = 0);
	REFUSED(a.uses = 0);
	REFUSED(a.uses = APPROVAL_USES + 1);
	REFUSED(a.vlan[0] = 4096);
	REFUSED(memset(a.sensor, 0, sizeof a.sensor));
	REFUSED(a.sensor[0] = '{');
	REFUSED(a.zone[2] = '\n');
	REFUSED(a.maker[3] = '\x80');
	REFUSED(a.maker[40] = 'x'); /* behind the end */
	REFUSED(memset(a.path, 'x', sizeof a.path));
	REFUSED(a.rule[0] = ' ');
	REFUSED(memset(a.rule, 0, sizeof a.rule));
	REFUSED(a.parameters[3] = '\t');
	REFUSED(a.target.family = 5);
	REFUSED(a.target.family = 0);
	REFUSED((a.target.family = 0, memset(a.target.ip, 0, sizeof a.target.ip)));
	REFUSED(a.target.ip[4] = 1);
	REFUSED(a.target.binding = BINDING_FRAME);
	REFUSED((a.not_before_s = -1, a.not_after_s = 1));
	REFUSED(a.not_after_s = a.not_before_s);
	REFUSED(a.not_after_s = a.not_before_s + APPROVAL_SECONDS + 1);
	REFUSED((a.not_before_s = INT64_C(4611686018), a.not_after_s = INT64_C(4611686019)));
	REFUSED((a.signatures = 3, a.signature[1] = a.signature[0], a.signature[1].analyst[0] = 'b'));
	REFUSED(a.signatures = 0); /* with one left there */
	REFUSED(a.signatures = 2);
	REFUSED((a.signatures = 2, a.signature[1] = a.signature[0])); /* one signer twice */
	REFUSED(a.vlan[1] = 4096);
	REFUSED((a.transport = TRANSPORT_ETHERNET, a.port = 0, memset(a.target.mac, 0, sizeof a.target.mac)));
	REFUSED(a.sensor[20] = 'x');
	REFUSED(a.rule[30] = 'x');
	REFUSED(a.device_class[0] = '\n');
	REFUSED(a.path[0] = '\n');
	REFUSED(a.signature[0].analyst[0] = '\n');
	REFUSED(memset(a.signature[0].analyst, 0, sizeof a.signature[0].analyst));
}

#define VALID(change) \
	do { \
		struct approval a = sample(); \
		char text[APPROVAL_TEXT_BYTES]; \
		change; \
		if (!approval_valid(&a) || approval_text(&a, text) == 0) \
			fail_msg("not taken as valid: %s", #change); \
	} while (0)

/* The last values that are still in range. */
static void test_valid(void **state)
{
	(void)state;
	VALID(a.transport = TRANSPORT_UDP);
	VALID((a.transport = TRANSPORT_ETHERNET, a.port = 0));
	VALID((a.transport = TRANSPORT_ETHERNET, a.port = 0, a.target.family = 0, memset(a.target.ip, 0, sizeof a.target.ip)));
	VALID((a.target.family = 6, a.target.ip[15] = 1));
	VALID(a.uses = APPROVAL_USES);
	VALID(a.vlan[0] = a.vlan[1] = 4095);
	VALID((a.not_before_s = 0, a.not_after_s = 1));
	VALID(a.not_after_s = a.not_before_s + APPROVAL_SECONDS);
	VALID((a.not_before_s = INT64_C(4611686017), a.not_after_s = INT64_C(4611686018)));
	VALID((a.signatures = 0, memset(a.signature, 0, sizeof a.signature)));
	VALID((a.signatures = 2, a.signature[1] = a.signature[0], a.signature[1].analyst[0] = 'b'));
}

static void test_verify(void **state)
{
	struct approval a = sample();
	uint8_t other[crypto_sign_PUBLICKEYBYTES], other_secret[crypto_sign_SECRETKEYBYTES];

	(void)state;
	sign(&a);
	assert_true(approval_verify(&a, &a.signature[0], key));
	crypto_sign_keypair(other, other_secret);
	assert_false(approval_verify(&a, &a.signature[0], other));
	memset(other, 0, sizeof other); /* a point of small order, that would fit many signatures */
	assert_false(approval_verify(&a, &a.signature[0], other));
	memset(a.signature[0].bytes, 0, sizeof a.signature[0].bytes);
	assert_false(approval_verify(&a, &a.signature[0], other));
	/* What is no approval has no text, and a signature of nothing is no signature of it. */
	a.uses = 0;
	crypto_sign_detached(a.signature[0].bytes, NULL, (const unsigned char *)"", 0, secret);
	assert_false(approval_verify(&a, &a.signature[0], key));
}

struct field {
	const char *name;
	size_t at, len;
};

#define FIELD(f) { #f, offsetof(struct approval, f), sizeof(((struct approval *)0)->f) }

/* Everything an approval says; what is left are its signatures. */
static const struct field fields[] = {
	FIELD(id), FIELD(transport), FIELD(uses), FIELD(port), FIELD(vlan), FIELD(sensor), FIELD(zone), FIELD(device_class),
	FIELD(maker), FIELD(target), FIELD(path), FIELD(rule), FIELD(rule_sha256), FIELD(parameters), FIELD(plan_sha256),
	FIELD(not_before_s), FIELD(not_after_s),
};

static void mutate(uint8_t *bytes, size_t len)
{
	size_t at = randombytes_uniform((uint32_t)len);
	uint8_t before = bytes[at];

	while (bytes[at] == before)
		switch (randombytes_uniform(3)) {
		case 0: bytes[at] = (uint8_t)(before ^ 1 << randombytes_uniform(8)); break;
		case 1: bytes[at] = (uint8_t)randombytes_uniform(256); break;
		default: bytes[at] = (uint8_t)(before + 1); break;
		}
}

static void test_mutated_field(void **state)
{
	struct approval good = sample();

	(void)state;
	sign(&good);
	for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
		for (int i = 0; i < MUTATIONS; i++) {
			struct approval a = good;

			mutate((uint8_t *)&a + fields[f].at, fields[f].len);
			if (approval_verify(&a, &a.signature[0], key))
				fail_msg("%s was changed and the signature still fits", fields[f].name);
		}
	assert_true(approval_verify(&good, &good.signature[0], key));
}

/* Texts that only trade a piece between two neighbours, which a careless form would write alike. */
static void test_shifted_field(void **state)
{
	struct approval good = sample(), a;

	(void)state;
	sign(&good);
	a = good;
	snprintf(a.zone, sizeof a.zone, "hall-3/vlan:1");
	a.vlan[0] = 0;
	assert_false(approval_verify(&a, &a.signature[0], key));
	a = good;
	memset(a.device_class, 0, sizeof a.device_class);
	memset(a.maker, 0, sizeof a.maker);
	snprintf(a.maker, sizeof a.maker, "plcM\xc3\xbcller & Co");
	assert_false(approval_verify(&a, &a.signature[0], key));
}

static void test_mutated_signature(void **state)
{
	struct approval good = sample();

	(void)state;
	sign(&good);
	for (int i = 0; i < MUTATIONS; i++) {
		struct approval a = good;
		uint8_t k[sizeof key];

		mutate(a.signature[0].bytes, sizeof a.signature[0].bytes);
		assert_false(approval_verify(&a, &a.signature[0], key));
		memcpy(k, key, sizeof k);
		mutate(k, sizeof k);
		assert_false(approval_verify(&good, &good.signature[0], k));
	}
	/* Every single bit. */
	for (size_t bit = 0; bit < 8 * sizeof good.signature[0].bytes; bit++) {
		struct approval a = good;

		a.signature[0].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(approval_verify(&a, &a.signature[0], key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),           cmocka_unit_test(test_longest),
		cmocka_unit_test(test_invalid),        cmocka_unit_test(test_valid),
		cmocka_unit_test(test_verify),         cmocka_unit_test(test_shifted_field),
		cmocka_unit_test(test_mutated_field),  cmocka_unit_test(test_mutated_signature),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(key, secret);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
