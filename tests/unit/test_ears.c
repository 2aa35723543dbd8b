/*
 * A file of service probes inside the engine: whose answer is matched with which lines, what is told of it,
 * and that the structure a classifier read is worth more. The file here is our own.
 */
#include "tests/unit/engine_fixture.h"

#include <sys/mman.h>

static const char probes[] =
	"Probe TCP NULL q||\n"
	"match gadget m|^\\+HELLO gadget ([\\d.]+)\\r\\n| p/Gadget/ v/$1/ i/door $1/ o/Linux/ d/webcam/ h/gadget-$1/ "
	"cpe:/a:maker:gadget:$1/a cpe:/h:big_maker:door%2b1/a\n"
	"softmatch softy m|^SOFT|\n"
	"match ssh m|^SSH-2\\.0-Plant_([\\d.]+)\\r\\n| p/Plant ssh/ v/$1/\n"
	"match telnet m|^SSH-2\\.0-Wrong|\n"
	"match tiny m|^\\0\\x01|\n"
	"Probe TCP GetRequest q|GET / HTTP/1.0\\r\\n\\r\\n|\n"
	"match http m|^HTTP/1\\.[01] \\d\\d\\d .*\\r\\nServer: plantd/([\\d.]+)|s p/plantd/ v/$1/\n"
	"Probe TCP Ask q|WHO\\r\\n|\n"
	"match asked m|^I AM (\\w+)| p/Asked $1/\n"
	"Probe UDP Ping q|\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08?|\n"
	"match pong m|^\\x81(.)(....)| v/$I(1,\">\")/ p/Pong/\n";

static struct fixture *start(const char *text)
{
	struct fixture *x = calloc(1, sizeof *x);
	struct engine_config config = { .flows = 4096, .details = 1024, .stream_bytes = 8 << 20, .file = { "probes" } };
	int fd = memfd_create("probes", 0);

	assert_non_null(x);
	for (int i = 3; i < FD_ENGINE_FILES; i++)
		if (i != fd)
			dup2(STDERR_FILENO, i);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(dup2(fd, FD_ENGINE_FILES), FD_ENGINE_FILES);
	fixture_start_with(x, config);
	return x;
}

static const struct finding *find(const struct fixture *x, enum finding_kind kind, enum attribute a, const char *value)
{
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == kind && x->findings[i].attribute == a && (!value || strcmp(x->findings[i].value, value) == 0))
			return &x->findings[i];
	return NULL;
}

static const struct finding *service(const struct fixture *x, const char *protocol)
{
	for (unsigned i = 0; i < x->count; i++)
		if (x->findings[i].kind == FINDING_SERVICE && strcmp(x->findings[i].protocol, protocol) == 0)
			return &x->findings[i];
	return NULL;
}

static void test_greeting(void **state)
{
	struct fixture *x = start(probes);
	const struct finding *f;

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "+HELLO gad");
	assert_null(service(x, "gadget"));
	fixture_tcp(x, true, 1010, TCP_ACK, "get 1.2\r\n");
	f = service(x, "gadget");
	assert_non_null(f);
	assert_int_equal(f->evidence, EVIDENCE_PORT);
	assert_int_equal(f->port, 2222);
	assert_int_equal(f->subject.ip[3], 2);
	f = find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "Gadget 1.2 (door 1.2)");
	assert_non_null(f);
	assert_int_equal(f->source, SOURCE_PASSIVE);
	assert_int_equal(f->subject.ip[3], 2);
	assert_string_equal(f->protocol, "gadget");
	assert_true(f->confidence >= 50 && f->confidence < 95);
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_OS, "Linux"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_DEVICE_CLASS, "webcam"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_HOSTNAME, "gadget-1.2"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_CPE, "cpe:/a:maker:gadget:1.2"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_VENDOR, "big maker"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_PRODUCT, "door+1"));
	/* What it told once needs no guess by its port at the end. */
	fixture_tcp(x, false, 100, TCP_RST, "");
	assert_int_equal(x->engine.counters.service_matches, 1);
	fixture_end(x);
}

/* A flow that a classifier reads is that protocol's; a line of another service is counted and not told. */
static void test_owned(void **state)
{
	struct fixture *x = start(probes);
	const struct finding *f;

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0-Plant_7.4\r\n");
	f = find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "Plant ssh 7.4");
	assert_non_null(f);
	assert_string_equal(f->protocol, "ssh");
	assert_int_equal(service(x, "ssh")->evidence, EVIDENCE_STRUCTURE);
	fixture_end(x);
	x = start(probes);
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SSH-2.0-Wrong\r\n");
	assert_null(service(x, "telnet"));
	assert_int_equal(x->engine.counters.service_contradicted, 1);
	fixture_end(x);
}

static void test_requests(void **state)
{
	struct fixture *x = start(probes);

	(void)state;
	/* The same question of another path and version, its answer in two segments. */
	fixture_handshake(x);
	fixture_tcp(x, false, 100, TCP_ACK, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
	fixture_tcp(x, true, 1000, TCP_ACK, "HTTP/1.1 200 OK\r\nDate: now\r\n");
	fixture_tcp(x, true, 1028, TCP_ACK, "Server: plantd/3.1\r\n\r\n");
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "plantd 3.1"));
	fixture_end(x);
	/* A probe's own question on a protocol that nobody knows. */
	x = start(probes);
	fixture_handshake(x);
	fixture_tcp(x, false, 100, TCP_ACK, "WHO\r\n");
	fixture_tcp(x, true, 1000, TCP_ACK, "I AM door7\r\n");
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "Asked door7"));
	assert_non_null(service(x, "asked"));
	fixture_end(x);
	/* The same answer to another question says nothing. */
	x = start(probes);
	fixture_handshake(x);
	fixture_tcp(x, false, 100, TCP_ACK, "WHAT?\r\n");
	fixture_tcp(x, true, 1000, TCP_ACK, "I AM door7\r\n");
	fixture_tcp(x, false, 107, TCP_RST, "");
	assert_null(service(x, "asked"));
	assert_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, NULL));
	fixture_end(x);
	/* A greeting that is unknown, then a question that is known. */
	x = start(probes);
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "READY\r\n");
	fixture_tcp(x, false, 100, TCP_ACK, "WHO\r\n");
	fixture_tcp(x, true, 1007, TCP_ACK, "I AM door8\r\n");
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "Asked door8"));
	fixture_end(x);
	/* In mid-stream what a server says first is no greeting. */
	x = start(probes);
	fixture_tcp(x, true, 1000, TCP_ACK, "+HELLO gadget 1.2\r\n");
	fixture_tcp(x, false, 100, TCP_RST, "");
	assert_null(service(x, "gadget"));
	fixture_end(x);
}

static void test_softmatch(void **state)
{
	struct fixture *x = start(probes);

	(void)state;
	fixture_handshake(x);
	fixture_tcp(x, true, 1000, TCP_ACK, "SOFTLY\r\n");
	assert_null(service(x, "softy"));
	fixture_tcp(x, false, 100, TCP_RST, "");
	assert_non_null(service(x, "softy"));
	assert_true(service(x, "softy")->confidence < 50);
	assert_null(service(x, ""));
	assert_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, NULL));
	fixture_end(x);
}

static void send_udp(struct fixture *x, bool from_server, uint16_t port, const char *bytes, size_t len)
{
	struct wire w;

	wire_udp(&w, from_server, port, bytes, len);
	fixture_wire(x, &w);
}

static void test_datagrams(void **state)
{
	struct fixture *x = start(probes);

	(void)state;
	send_udp(x, false, 4001, "\x01\x02\x03\x04\x05\x06\x07\x08?", 9);
	send_udp(x, true, 4001, "nothing", 7);
	send_udp(x, true, 4001, "\x81\x2a" "four", 6);
	assert_non_null(service(x, "pong"));
	assert_non_null(find(x, FINDING_ATTRIBUTE, ATTR_SOFTWARE, "Pong 42"));
	/* Kin: the same header but for one number. */
	fixture_end(x);
	x = start(probes);
	send_udp(x, false, 4001, "\x01\x02\x03\x77\x05\x06\x07\x08#more", 13);
	send_udp(x, true, 4001, "\x81\x2a" "four", 6);
	/* The line says too little to be believed of kin. */
	assert_null(service(x, "pong"));
	send_udp(x, false, 4002, "\x09\x09\x09\x09\x09\x09\x09\x09#more", 13);
	send_udp(x, true, 4002, "\x81\x2a" "four", 6);
	assert_null(service(x, "pong"));
	fixture_end(x);
}

/* A server that says nothing known is left alone after some connections; a silent or endless one costs a bounded buffer. */
static void test_bounds(void **state)
{
	struct fixture *x = start(probes);
	char large[1400];

	(void)state;
	for (int i = 0; i < 40; i++) {
		fixture_tcp(x, false, 99, TCP_SYN, "");
		fixture_tcp(x, true, 999, TCP_SYN | TCP_ACK, "");
		fixture_tcp(x, true, 1000, TCP_ACK, "UNKNOWN\r\n");
		fixture_tcp(x, false, 100, TCP_RST, "");
	}
	assert_true(x->engine.counters.service_subjects >= 8 && x->engine.counters.service_subjects < 20);
	fixture_end(x);
	x = start(probes);
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	fixture_handshake(x);
	for (uint32_t i = 0; i < 6; i++)
		fixture_tcp(x, true, 1000 + i * (uint32_t)(sizeof large - 1), TCP_ACK, large);
	assert_true(x->engine.counters.service_subjects <= 3);
	fixture_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),  cmocka_unit_test(test_owned),     cmocka_unit_test(test_requests),
		cmocka_unit_test(test_softmatch), cmocka_unit_test(test_datagrams), cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
