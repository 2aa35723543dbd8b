/* BER elements, object identifiers and the names of certificates: forms that transcripts don't hold. */
#include "classifiers/api/x509.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OVER(...) cursor_over((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_lengths(void **state)
{
	struct cursor c = OVER(0x04, 0x81, 0x02, 'a', 'b', 0x04, 0x80, 0x00), v;
	uint8_t tag;

	(void)state;
	v = der_any(&c, &tag);
	assert_true(cursor_ok(&v));
	assert_int_equal(tag, DER_OCTETS);
	assert_int_equal(cursor_left(&v), 2);
	/* The indefinite form, a length of five bytes, a length past the end, a long tag. */
	v = der_any(&c, &tag);
	assert_false(cursor_ok(&v));
	c = OVER(0x04, 0x85, 0, 0, 0, 0, 0);
	v = der_any(&c, &tag);
	assert_false(cursor_ok(&v));
	c = OVER(0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0);
	v = der_any(&c, &tag);
	assert_false(cursor_ok(&v));
	c = OVER(0x1f, 0x00);
	v = der_any(&c, &tag);
	assert_false(cursor_ok(&v));
	c = OVER(0x04, 0x00);
	v = der_take(&c, DER_OID);
	assert_false(cursor_ok(&v));
}

static void test_oids(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(der_oid_text(OVER(0x2b, 6, 1, 4, 1, 0x81, 0x78), text, sizeof text), 15);
	assert_string_equal(text, "1.3.6.1.4.1.248");
	assert_true(der_oid_text(OVER(0x88, 0x37, 0x03), text, sizeof text) > 0); /* X.690, 8.19.5: 2.999.3 */
	assert_string_equal(text, "2.999.3");
	/* An arc over 32 bits, and no room: nothing rather than something wrong. */
	assert_int_equal(der_oid_text(OVER(0x2b, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), text, sizeof text), 0);
	assert_int_equal(der_oid_text(OVER(0x2b, 6, 1, 4, 1), text, 6), 0);
	assert_string_equal(text, "");
}

/* CN as BMPString "Aé€", then O with an OU beside it in one set, then a private attribute. */
static const uint8_t name[] = {
	0x31, 0x0d, 0x30, 0x0b, 0x06, 0x02, 0x2a, 0x03, 0x0c, 0x05, 'o', 't', 'h', 'e', 'r',
	0x31, 0x12, 0x30, 0x07, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x00, 0x30, 0x07, 0x06, 0x03, 0x55, 0x04, 0x0b, 0x0c, 0x00,
	0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04, 0x03, 0x1e, 0x06, 0x00, 0x41, 0x00, 0xe9, 0x20, 0xac,
};

static void test_names(void **state)
{
	char text[128];

	(void)state;
	x509_name_text(cursor_over(name, sizeof name), text, sizeof text);
	assert_string_equal(text, "commonName=A\xc3\xa9\xe2\x82\xac,organizationalUnitName=+organizationName=,1.2.3=other");
	for (size_t room = 1; room < 80; room++)
		assert_true(x509_name_text(cursor_over(name, sizeof name), text, room) < room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_oids),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
