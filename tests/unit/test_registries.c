/* Tests of what classifiers/host knows from registries of others: makers of MACs, places of addresses. */
#include "classifiers/host/maker.h"
#include "classifiers/host/place.h"
#include "tests/unit/host/folder.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

enum { NOTE = 1024 };

static struct makers *load_test_makers(char *note)
{
	write_file("oui.csv", "Registry,Assignment,Organization Name,Organization Address\n"
			      "MA-L,001B1B,\"Siemens AG,\",\"Street 1, \"\"Hall\"\" 2\nsecond line\"\n"
			      "MA-L,70B3D5,IEEE Registration Authority,somewhere\r\n"
			      "MA-L,AABBCC,Never Found GmbH,has the local bit\n"
			      "MA-L,00AABB,Private,\n"
			      "MA-L,12,Too Short,\n"
			      "MA-L,0000ZZ,No Number,\n"
			      "MA-L,0C73EB,Block Owner,\n");
	write_file("mam.csv", "Registry,Assignment,Organization Name,Organization Address\nMA-M,0C73EBD,\"Medium \"\"M\"\" Ltd.\",x\n");
	write_file("oui36.csv", "Registry,Assignment,Organization Name,Organization Address\nMA-S,70B3D5719,2M Technology,x\n");
	write_file("iab.csv", "Registry,Assignment,Organization Name,Organization Address\nIAB,0050C27D5,DEUTA-WERKE GmbH,x\n"
			      "IAB,\"0050C2FFF\",\"Odd\" Quotes,x\nIAB,0050C2FFE,\"No Address\"");
	return makers_load(in_folder("oui.csv"), note, NOTE);
}

static void longest_prefix_wins(void **state)
{
	char note[NOTE];
	struct makers *m = load_test_makers(note);

	(void)state;
	assert_non_null(m);
	assert_string_equal(note, "");
	assert_int_equal(makers_count(m), 10);
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x00, 0x1b, 0x1b, 1, 2, 3 }), "Siemens AG,");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x70, 0xb3, 0xd5, 0x71, 0x9f, 3 }), "2M Technology");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x00, 0x50, 0xc2, 0x7d, 0x50, 0 }), "DEUTA-WERKE GmbH");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x00, 0x50, 0xc2, 0xff, 0xf0, 0 }), "Odd Quotes");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x00, 0x50, 0xc2, 0xff, 0xe0, 0 }), "No Address");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x0c, 0x73, 0xeb, 0xdf, 0xff, 0xff }), "Medium \"M\" Ltd.");
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x0c, 0x73, 0xeb, 0xcf, 0xff, 0xff }), "Block Owner");
	makers_free(m);
}

/* Of what is not wanted nothing need be known; what is wanted has the same maker, in whatever file it stands. */
static void wanted_addresses_have_their_makers(void **state)
{
	static const uint8_t asked[][6] = {
		{ 0x00, 0x1b, 0x1b, 1, 2, 3 }, { 0x70, 0xb3, 0xd5, 0x71, 0x9f, 3 }, { 0x0c, 0x73, 0xeb, 0xdf, 0xff, 0xff },
		{ 0x70, 0xb3, 0xd5, 0x72, 0x9f, 3 }, { 0x00, 0xaa, 0xbb, 1, 2, 3 },
	};
	char note[NOTE];
	struct makers_wanted wanted = { { 0 } };
	struct makers *all = load_test_makers(note), *none, *some;

	(void)state;
	none = makers_load_wanted(in_folder("oui.csv"), &wanted, note, sizeof(note));
	assert_int_equal(makers_count(none), 0);
	assert_string_equal(note, "");
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		makers_want(&wanted, asked[i]);
	some = makers_load_wanted(in_folder("oui.csv"), &wanted, note, sizeof(note));
	assert_string_equal(note, "");
	assert_true(makers_count(some) > 0 && makers_count(some) < makers_count(all));
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const char *maker = maker_of(all, asked[i]), *same = maker_of(some, asked[i]);

		assert_true(maker ? same && strcmp(maker, same) == 0 : !same);
	}
	makers_free(none);
	makers_free(some);
	makers_free(all);
}

static void some_addresses_have_no_maker(void **state)
{
	char note[NOTE];
	struct makers *m = load_test_makers(note);

	(void)state;
	/* a block that is divided, one that hides its owner, unknown, local, multicast, empty */
	assert_null(maker_of(m, (const uint8_t[]){ 0x70, 0xb3, 0xd5, 0x72, 0x9f, 3 }));
	assert_null(maker_of(m, (const uint8_t[]){ 0x00, 0xaa, 0xbb, 1, 2, 3 }));
	assert_null(maker_of(m, (const uint8_t[]){ 0x00, 0x00, 0x5e, 1, 2, 3 }));
	assert_null(maker_of(m, (const uint8_t[]){ 0xaa, 0xbb, 0xcc, 1, 2, 3 }));
	assert_null(maker_of(m, (const uint8_t[]){ 0x01, 0x1b, 0x1b, 1, 2, 3 }));
	assert_null(maker_of(m, (const uint8_t[]){ 0, 0, 0, 0, 0, 0 }));
	assert_null(maker_of(NULL, (const uint8_t[]){ 0x00, 0x1b, 0x1b, 1, 2, 3 }));
	makers_free(m);
}

static void missing_registries_are_told(void **state)
{
	char note[NOTE];
	struct makers *m;

	(void)state;
	m = makers_load("/nonexistent/oui.csv", note, sizeof(note));
	assert_null(m);
	assert_non_null(strstr(note, "/nonexistent/oui.csv: No such file"));
	assert_int_equal(makers_count(m), 0);
	makers_free(load_test_makers(note));
	remove_file("mam.csv");
	m = makers_load(in_folder("oui.csv"), note, sizeof(note));
	assert_non_null(m);
	assert_non_null(strstr(note, "mam.csv: No such file"));
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x0c, 0x73, 0xeb, 0xdf, 0xff, 0xff }), "Block Owner");
	makers_free(m);
	write_file("oui.csv", "this is no registry\n");
	assert_null(makers_load(in_folder("oui.csv"), note, sizeof(note)));
	assert_non_null(strstr(note, "holds no assignment"));
	assert_null(makers_load(folder, note, sizeof(note)));
	assert_true(note[0] != 0);
	makers_load(in_folder("oui.csv"), note, 8); /* a short room is not overrun */
	assert_int_equal(strlen(note), 7);
}

static void debian_registry_loads(void **state)
{
	char note[NOTE];
	struct makers *m;

	(void)state;
	if (access("/usr/share/ieee-data/oui.csv", R_OK) != 0)
		skip();
	m = makers_load("/usr/share/ieee-data/oui.csv", note, sizeof(note));
	assert_non_null(m);
	assert_string_equal(note, "");
	assert_true(makers_count(m) > 40000);
	assert_string_equal(maker_of(m, (const uint8_t[]){ 0x00, 0x30, 0xde, 1, 2, 3 }), "WAGO Kontakttechnik GmbH");
	makers_free(m);
}

static bool look_up(const struct places *p, const char *text, struct place *out)
{
	uint8_t ip[16] = { 0 };
	uint8_t family = strchr(text, ':') != NULL ? 6 : 4;

	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, text, ip), 1);
	return place_of(p, family, ip, out);
}

static void places_are_found(void **state)
{
	char note[NOTE];
	struct place where = { 0 };
	struct places *p = places_open(SOURCE_DIR "/tests/unit/host/country.mmdb", SOURCE_DIR "/tests/unit/host/asn.mmdb", note, sizeof(note));

	(void)state;
	assert_non_null(p);
	assert_string_equal(note, "");
	assert_true(look_up(p, "8.8.8.8", &where));
	assert_string_equal(where.country, "US");
	assert_int_equal(where.as_number, 64500);
	assert_string_equal(where.as_organisation, "Example Carrier");
	assert_true(look_up(p, "9.9.9.9", &where)); /* registered country alone, no network known */
	assert_string_equal(where.country, "CH");
	assert_int_equal(where.as_number, 0);
	assert_string_equal(where.as_organisation, "");
	assert_true(look_up(p, "1.1.1.1", &where));
	assert_string_equal(where.country, "");
	assert_true(where.as_number == 4200000001U);
	assert_string_equal(where.as_organisation, "Caf\xc3\xa9-Net");
	assert_true(look_up(p, "2a00:1450:4001::1", &where)); /* the other file holds IPv4 alone */
	assert_string_equal(where.country, "IE");
	assert_false(look_up(p, "7.7.7.7", &where));
	assert_string_equal(where.country, "IE"); /* written only on success */
	assert_false(look_up(p, "10.1.2.3", &where)); /* the file has it, we don't ask */
	places_close(p);
}

static void special_ranges_are_not_public(void **state)
{
	static const char *const special[] = {
		"0.0.0.0", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.9.9", "172.16.0.1",
		"172.31.255.255", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "203.0.113.9", "224.0.0.5",
		"255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2001:10::1", "::ffff:8.8.8.8",
	};
	static const char *const public[] = { "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.1",
					      "192.167.1.1", "223.255.255.255", "2001:4860::8888", "2a00::1" };
	uint8_t ip[16];

	(void)state;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		uint8_t family = strchr(special[i], ':') != NULL ? 6 : 4;

		memset(ip, 0, sizeof(ip));
		inet_pton(family == 4 ? AF_INET : AF_INET6, special[i], ip);
		if (place_is_public(family, ip))
			fail_msg("%s is not public", special[i]);
	}
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		uint8_t family = strchr(public[i], ':') != NULL ? 6 : 4;

		memset(ip, 0, sizeof(ip));
		inet_pton(family == 4 ? AF_INET : AF_INET6, public[i], ip);
		if (!place_is_public(family, ip))
			fail_msg("%s is public", public[i]);
	}
	assert_false(place_is_public(0, ip));
}

static void broken_place_files_are_told(void **state)
{
	char note[NOTE];
	struct place where;
	struct places *p;

	(void)state;
	assert_null(places_open("/nonexistent.mmdb", "", note, sizeof(note)));
	assert_non_null(strstr(note, "/nonexistent.mmdb: "));
	write_file("broken.mmdb", "not a database");
	p = places_open(SOURCE_DIR "/tests/unit/host/country.mmdb", in_folder("broken.mmdb"), note, sizeof(note));
	assert_non_null(p);
	assert_non_null(strstr(note, "broken.mmdb: "));
	assert_true(look_up(p, "8.8.8.8", &where));
	assert_string_equal(where.country, "US");
	places_close(p);
	assert_null(places_open(NULL, "", note, sizeof(note)));
	assert_string_equal(note, "");
	assert_false(look_up(NULL, "8.8.8.8", &where));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
	static const char *const left[] = { "oui.csv", "mam.csv", "oui36.csv", "iab.csv", "broken.mmdb" };

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		remove_file(left[i]);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins),
		cmocka_unit_test(wanted_addresses_have_their_makers),
		cmocka_unit_test(some_addresses_have_no_maker),
		cmocka_unit_test(missing_registries_are_told),
		cmocka_unit_test(debian_registry_loads),
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(special_ranges_are_not_public),
		cmocka_unit_test(broken_place_files_are_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
