/* nDPI behind its small face: flows that it knows by sight, the number of looks that was asked for, labels in our form. */
#include "classifiers/ndpi/ndpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LABEL = 32, LOOKS = 2, NUMBERS = 300, PACKET_BYTES = 512 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static void put16(uint8_t *to, unsigned x)
{
	to[0] = (uint8_t)(x >> 8);
	to[1] = (uint8_t)x;
}

/* From 192.0.2.1 to 192.0.2.2, or back. The transport's header is zeros but for its ports. */
static uint16_t make_ip(uint8_t p[PACKET_BYTES], uint8_t protocol, bool back, unsigned port, unsigned service, size_t header, const char *data, size_t len)
{
	memset(p, 0, PACKET_BYTES);
	p[0] = 0x45;
	put16(p + 2, (unsigned)(20 + header + len));
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	p[15] = back ? 2 : 1;
	p[19] = back ? 1 : 2;
	put16(p + 20, back ? service : port);
	put16(p + 22, back ? port : service);
	if (len)
		memcpy(p + 20 + header, data, len);
	return (uint16_t)(20 + header + len);
}

static uint16_t make_udp(uint8_t p[PACKET_BYTES], bool back, unsigned service, const char *data, size_t len)
{
	uint16_t n = make_ip(p, 17, back, 40000, service, 8, data, len);

	put16(p + 24, (unsigned)(8 + len));
	return n;
}

static uint16_t make_tcp(uint8_t p[PACKET_BYTES], bool back, uint8_t flags, unsigned sequence, unsigned acknowledgment, const char *data, size_t len)
{
	uint16_t n = make_ip(p, 6, back, 40000, 80, 20, data, len);

	put16(p + 26, sequence);
	put16(p + 30, acknowledgment);
	p[32] = 0x50;
	p[33] = flags;
	put16(p + 34, 8192);
	return n;
}

static void expect_label(struct ndpi *n, uint16_t number, const char *want)
{
	char label[LABEL];

	ndpi_label(n, number, label, sizeof label);
	assert_string_equal(label, want);
}

/* The question for a name and its answer (RFC 1035, section 4.1). */
static void test_dns(void **state)
{
	static const char question[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\4host\7example\0\0\1\0\1";
	static const char answer[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4host\7example\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7";
	struct ndpi *n = ndpi_open(LOOKS * NDPI_PARTS);
	struct ndpi_look *look;
	uint8_t p[PACKET_BYTES];
	uint16_t number;

	(void)state;
	assert_non_null(n);
	look = ndpi_look_start(n, 0);
	assert_non_null(look);
	number = ndpi_look_at(n, look, p, make_udp(p, false, 53, question, sizeof question - 1), 1000000);
	if (!number)
		number = ndpi_look_at(n, look, p, make_udp(p, true, 53, answer, sizeof answer - 1), 2000000);
	expect_label(n, number, "dns");
	ndpi_look_end(n, look);
	ndpi_close(n);
}

/* Nothing is known from the handshake; the request tells. */
static void test_http(void **state)
{
	static const char get[] = "GET /status.xml HTTP/1.1\r\nHost: 192.0.2.2\r\nUser-Agent: panel/1.0\r\nAccept: */*\r\n\r\n";
	static const char ok[] = "HTTP/1.1 200 OK\r\nServer: device\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>";
	struct ndpi *n = ndpi_open(LOOKS * NDPI_PARTS);
	struct ndpi_look *look;
	uint8_t p[PACKET_BYTES];
	uint16_t number;

	(void)state;
	assert_non_null(n);
	look = ndpi_look_start(n, 0);
	assert_non_null(look);
	assert_int_equal(ndpi_look_at(n, look, p, make_tcp(p, false, 2, 100, 0, "", 0), 1000000), 0);
	assert_int_equal(ndpi_look_at(n, look, p, make_tcp(p, true, 18, 300, 101, "", 0), 2000000), 0);
	assert_int_equal(ndpi_look_at(n, look, p, make_tcp(p, false, 16, 101, 301, "", 0), 3000000), 0);
	number = ndpi_look_at(n, look, p, make_tcp(p, false, 24, 101, 301, get, sizeof get - 1), 4000000);
	if (!number)
		number = ndpi_look_at(n, look, p, make_tcp(p, true, 24, 301, 101 + sizeof get - 1, ok, sizeof ok - 1), 5000000);
	expect_label(n, number, "http");
	ndpi_look_end(n, look);
	ndpi_close(n);
}

/* There are as many looks in a part as were asked for, one that ended is there again, and another part has its own. */
static void test_looks(void **state)
{
	struct ndpi *n = ndpi_open(LOOKS * NDPI_PARTS);
	struct ndpi_look *first, *second, *other;

	(void)state;
	assert_non_null(n);
	first = ndpi_look_start(n, 0);
	second = ndpi_look_start(n, 0);
	assert_non_null(first);
	assert_non_null(second);
	assert_ptr_not_equal(first, second);
	assert_null(ndpi_look_start(n, 0));
	other = ndpi_look_start(n, 1);
	assert_non_null(other);
	assert_null(ndpi_look_start(n, 0));
	ndpi_look_end(n, first);
	assert_ptr_equal(ndpi_look_start(n, 0), first);
	ndpi_look_end(n, first);
	ndpi_look_end(n, second);
	ndpi_look_end(n, other);
	ndpi_close(n);
}

/* Whatever the library calls a protocol, its label is a word of ours, and keeps to its room. */
static void test_labels(void **state)
{
	struct ndpi *n = ndpi_open(1);
	char label[LABEL], cut[4];

	(void)state;
	assert_non_null(n);
	for (uint16_t i = 0; i < NUMBERS; i++) {
		ndpi_label(n, i, label, sizeof label);
		assert_int_equal(strspn(label, letters), strlen(label));
		assert_true(label[0] != '_');
		ndpi_label(n, i, cut, sizeof cut);
		assert_true(strlen(cut) < sizeof cut);
		assert_int_equal(strncmp(cut, label, strlen(cut)), 0);
	}
	ndpi_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
