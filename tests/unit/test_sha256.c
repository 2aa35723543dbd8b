/* SHA-256 against the examples of FIPS 180-4 (NIST's "SHA256.pdf" and the CAVP's short messages). */
#include "classifiers/api/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *bytes, size_t len, size_t step, const char *want)
{
	uint8_t digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	struct sha256 s;

	sha256_start(&s);
	for (size_t at = 0; at < len; at += step)
		sha256_add(&s, (const uint8_t *)bytes + at, len - at < step ? len - at : step);
	sha256_end(&s, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, want);
}

static void test_one_block(void **state)
{
	(void)state;
	expect("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("\xbd", 1, 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
}

static void test_two_blocks(void **state)
{
	static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	for (size_t step = 1; step < sizeof message; step++)
		expect(message, sizeof message - 1, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Lengths round the padding's edges, and a million letters; the digests of zeros are NIST's additional vectors. */
static void test_edges(void **state)
{
	static uint8_t bytes[1000000];

	(void)state;
	expect(bytes, 55, 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
	expect(bytes, 56, 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
	expect(bytes, 57, 57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785");
	expect(bytes, 64, 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
	expect(bytes, 1000, 7, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53");
	memset(bytes, 'a', sizeof bytes);
	expect(bytes, sizeof bytes, 4096, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_block),
		cmocka_unit_test(test_two_blocks),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
