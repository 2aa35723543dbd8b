/* A file of p0f signatures inside the engine: which packets it is asked about, and under which name each answer is told. */
#include "tests/unit/engine_fixture.h"

#include <sys/mman.h>

static const char signatures[] = "[mtu]\n"
				 "label = DSL\n"
				 "sig = 1492\n"
				 "[tcp:request]\n"
				 "label = s:unix:Plantix:2.x\n"
				 "sig = *:64:0:*:1024,0:mss::0\n";

static struct fixture *start(const char *text)
{
	struct fixture *x = calloc(1, sizeof *x);
	struct engine_config config = { .flows = 4096, .details = 1024, .stream_bytes = 8 << 20, .file = { [ENGINE_P0F] = "p0f.fp" } };
	int fd = memfd_create("p0f", 0), place = FD_ENGINE_FILES + ENGINE_P0F;

	assert_non_null(x);
	for (int i = 3; i < place; i++)
		if (i != fd)
			dup2(STDERR_FILENO, i);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(dup2(fd, place), place);
	fixture_start_with(x, config);
	return x;
}

/* An opening packet that states an MSS; 0 for none. */
static void open_with(struct fixture *x, bool from_server, unsigned mss)
{
	const uint8_t option[] = { 2, 4, (uint8_t)(mss >> 8), (uint8_t)mss };
	struct wire w;

	wire_tcp(&w, from_server, 2222, 999, from_server ? TCP_SYN | TCP_ACK : TCP_SYN, option, mss ? sizeof option : 0);
	w.bytes[14 + 20 + 12] = mss ? 0x60 : 0x50;
	fixture_wire(x, &w);
}

static unsigned told(const struct fixture *x, const char *protocol, enum attribute a, unsigned last_octet, const char *value)
{
	unsigned count = 0;

	for (unsigned i = 0; i < x->count; i++) {
		const struct finding *f = &x->findings[i];

		count += f->kind == FINDING_ATTRIBUTE && f->attribute == a && strcmp(f->protocol, protocol) == 0 && f->subject.ip[3] == last_octet &&
			 (!value || strcmp(f->value, value) == 0);
	}
	return count;
}

/* The MSS of either end names the link that it was made for: of who states it, once, beside its signature, and as no system. */
static void links(void **state)
{
	struct fixture *x = start(signatures);

	(void)state;
	open_with(x, false, 1452);
	assert_int_equal(told(x, "tcp_mtu", ATTR_FINGERPRINT, 1, "MTU 1492, DSL"), 1);
	assert_int_equal(told(x, "tcp_mtu", ATTR_FINGERPRINT, 2, NULL), 0);
	assert_int_equal(told(x, "tcp_syn", ATTR_FINGERPRINT, 1, NULL), 1);
	open_with(x, true, 1452);
	assert_int_equal(told(x, "tcp_mtu", ATTR_FINGERPRINT, 2, "MTU 1492, DSL"), 1);
	assert_int_equal(told(x, "tcp_syn_ack", ATTR_FINGERPRINT, 2, NULL), 1);
	open_with(x, false, 1452);
	assert_int_equal(told(x, "tcp_mtu", ATTR_FINGERPRINT, 1, NULL), 1);
	assert_int_equal(told(x, "tcp_mtu", ATTR_OS, 1, NULL) + told(x, "tcp_mtu", ATTR_OS, 2, NULL), 0);
	fixture_end(x);
}

/* An MTU that the file does not name, and a packet that states none, name no link. */
static void no_link(void **state)
{
	struct fixture *x = start(signatures);

	(void)state;
	open_with(x, false, 1460);
	open_with(x, true, 0);
	assert_int_equal(told(x, "tcp_syn", ATTR_FINGERPRINT, 1, NULL), 1);
	assert_int_equal(told(x, "tcp_syn_ack", ATTR_FINGERPRINT, 2, NULL), 0);
	assert_int_equal(told(x, "tcp_mtu", ATTR_FINGERPRINT, 1, NULL) + told(x, "tcp_mtu", ATTR_FINGERPRINT, 2, NULL), 0);
	fixture_end(x);
}

/* A system is named by its own packet alone: the same from a server is another section's. */
static void systems(void **state)
{
	struct fixture *x = start(signatures);

	(void)state;
	open_with(x, true, 1460);
	assert_int_equal(told(x, "tcp_syn_ack", ATTR_OS, 2, NULL), 0);
	open_with(x, false, 1460);
	assert_int_equal(told(x, "tcp_syn", ATTR_OS, 1, "Plantix 2.x"), 1);
	fixture_end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(links), cmocka_unit_test(no_link), cmocka_unit_test(systems) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
