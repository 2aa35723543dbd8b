/*
 * What tests/unit/test_stack.c leaves out of the signatures of stacks: IPv6, each quirk of p0f's list, each multiple
 * that a window is tried with, and lines of p0f.fp that are seldom or at their limits.
 */
#include "classifiers/stack/stack_file.h"
#include "tests/unit/stack_fixture.h"

static void expect(const struct shape *w, uint16_t peer_mss, const char *want)
{
	struct stack_signature s;
	char text[STACK_TEXT_BYTES];

	assert_true(read_shape(w, peer_mss, &s));
	assert_int_equal(stack_signature_write(&s, text), strlen(want));
	assert_string_equal(text, want);
}

#define EXPECT(want, ...) expect(&(struct shape){ __VA_ARGS__ }, 0, want)

static void test_quirks(void **state)
{
	(void)state;
	EXPECT("4:64:0:0:1000,0::id-,ecn:0", .flags = SYN, .window = 1000, .tos = 1);
	EXPECT("4:64:0:0:1000,0::id-,ecn:0", .flags = SYN, .window = 1000, .ns = 1);
	EXPECT("4:64:0:0:1000,0::id-,0+:0", .flags = SYN, .window = 1000, .fragment = 0x8000);
	EXPECT("4:64:0:0:1000,0::df:0", .flags = SYN, .window = 1000, .fragment = 0x4000);
	EXPECT("4:64:0:0:1000,0::seq-:0", .flags = SYN, .window = 1000, .id = 7, .no_sequence = 1);
	EXPECT("4:64:0:0:1000,0::ack+:0", .flags = SYN, .window = 1000, .id = 7, .acknowledgment = 5);
	EXPECT("4:64:0:0:1000,0::ack-:0", .flags = SYN_ACK, .window = 1000, .id = 7);
	EXPECT("4:64:0:0:1000,0::uptr+:0", .flags = SYN, .window = 1000, .id = 7, .urgent = 3);
	EXPECT("4:64:0:0:1000,0::urgf+:0", .flags = SYN + 32, .window = 1000, .id = 7, .urgent = 3);
	EXPECT("4:64:0:0:1000,0:nop,nop,ts:ts2+:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\1\1\x08\x0a\x11\x22\x33\x44\0\0\0\1"));
	EXPECT("4:64:0:0:1000,0:nop,nop,ts::0", .flags = SYN_ACK, .acknowledgment = 1, .window = 1000, .id = 7,
	       OPTIONS("\1\1\x08\x0a\x11\x22\x33\x44\0\0\0\1"));
	EXPECT("4:64:0:0:1000,15:nop,ws:exws:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x01\x03\x03\x0f"));
	EXPECT("4:64:0:0:1000,14:nop,ws::0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x01\x03\x03\x0e"));
	EXPECT("4:64:0:0:1000,0:sack::0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x05\x08\0\0\0\0\0\0"));
	EXPECT("4:64:8:0:1000,0:::+", .flags = SYN, .window = 1000, .id = 7, .ip_options = 8, .payload = 1);
	/* What fills a frame of Ethernet is no payload. */
	EXPECT("4:64:0:0:1000,0:::0", .flags = SYN, .window = 1000, .id = 7, .padding = 6);
	EXPECT("4:128:0:0:1000,0:::0", .flags = SYN, .window = 1000, .id = 7, .ttl = 65);
}

/* An option whose length contradicts its kind, is less than 2, or goes past the header's end. */
static void test_bad_options(void **state)
{
	(void)state;
	EXPECT("4:64:0:0:1000,0:mss:bad:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x02\x03\x05\xb4"));
	EXPECT("4:64:0:0:1000,0:?99:bad:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x63\x01\0\0"));
	EXPECT("4:64:0:0:1000,0:?99:bad:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x63\x05\0\0"));
	EXPECT("4:64:0:0:1000,0:nop,nop,nop,mss:bad:0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x01\x01\x01\x02"));
	EXPECT("4:64:0:0:1000,0:nop,?6,eol+0::0", .flags = SYN, .window = 1000, .id = 7, OPTIONS("\x01\x06\x02\0"));
}

static void test_ipv6(void **state)
{
	struct shape w = { .version = 6, .flags = SYN, .window = 5760, OPTIONS(MSS_1440 SOK_TIMED_WS) };
	struct stack_signature s;
	uint8_t p[PACKET_BYTES];
	size_t len = make(p, &w);

	(void)state;
	expect(&w, 0, "6:64:0:1440:mss*4,7:mss,sok,ts,nop,ws::0");
	w.flow = 0x12345;
	expect(&w, 0, "6:64:0:1440:mss*4,7:mss,sok,ts,nop,ws:flow:0");
	w.tos = 2;
	expect(&w, 0, "6:64:0:1440:mss*4,7:mss,sok,ts,nop,ws:ecn,flow:0");
	w.padding = 4;
	expect(&w, 0, "6:64:0:1440:mss*4,7:mss,sok,ts,nop,ws:ecn,flow:0");
	w.payload = 4;
	expect(&w, 0, "6:64:0:1440:mss*4,7:mss,sok,ts,nop,ws:ecn,flow:+");
	for (size_t n = 0; n < len; n++)
		assert_false(stack_signature_read(cursor_over(p, n), 0, &s));
}

static void test_windows(void **state)
{
	(void)state;
	EXPECT("4:64:0:1300:0,0:mss::0", .flags = SYN, .window = 0, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:64:640,0:mss::0", .flags = SYN, .window = 640, .id = 7, OPTIONS(MSS_64));
	EXPECT("4:64:0:1300:mss*5,0:mss::0", .flags = SYN, .window = 5 * 1300, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:mss*5,7:mss,sok,ts,nop,ws::0", .flags = SYN, .window = 5 * 1288, .id = 7, OPTIONS(MSS_1300 SOK_TIMED_WS));
	EXPECT("4:64:0:1300:6440,0:mss::0", .flags = SYN, .window = 5 * 1288, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:mss*5,0:mss::0", .flags = SYN, .window = 5 * 1460, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:mss*5,0:mss::0", .flags = SYN, .window = 5 * 1448, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:7200,0:mss::0", .flags = SYN, .window = 5 * 1440, .id = 7, OPTIONS(MSS_1300));
	EXPECT("6:64:0:1300:mss*5,0:mss::0", .version = 6, .flags = SYN, .window = 5 * 1440, OPTIONS(MSS_1300));
	EXPECT("6:64:0:1300:mss*5,0:mss::0", .version = 6, .flags = SYN, .window = 5 * 1428, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:mtu*3,0:mss::0", .flags = SYN, .window = 3 * 1340, .id = 7, OPTIONS(MSS_1300));
	EXPECT("4:64:0:1300:mtu*5,0:mss::0", .flags = SYN, .window = 5 * 1344, .id = 7, OPTIONS(MSS_1300));
	EXPECT("6:64:0:1300:mtu*3,0:mss::0", .version = 6, .flags = SYN, .window = 3 * 1360, OPTIONS(MSS_1300));
	EXPECT("6:64:0:1300:mtu*3,0:mss::0", .version = 6, .flags = SYN, .window = 3 * 1500, OPTIONS(MSS_1300));
	/* What an answer's window is of may be what the other side had stated, with room for timestamps or without. */
	expect(&(struct shape){ .flags = SYN_ACK, .acknowledgment = 1, .window = 7 * 1388, .id = 7, OPTIONS(MSS_1300) }, 1400,
	       "4:64:0:1300:mss*7,0:mss::0");
	expect(&(struct shape){ .flags = SYN_ACK, .acknowledgment = 1, .window = 9717, .id = 7, OPTIONS(MSS_1300) }, 1400,
	       "4:64:0:1300:9717,0:mss::0");
	expect(&(struct shape){ .flags = SYN_ACK, .acknowledgment = 1, .window = 7 * 90, .id = 7, OPTIONS(MSS_1300) }, 90,
	       "4:64:0:1300:630,0:mss::0");
}

static void test_no_opening(void **state)
{
	static const struct shape others[] = {
		{ .flags = SYN, .protocol = 17 },  { .version = 6, .flags = SYN, .protocol = 17 }, { .version = 5, .flags = SYN },
		{ .flags = SYN, .tcp_header = 16 }, { .flags = SYN + 4 }, { .flags = SYN, .fragment = 185 },
	};
	struct shape short_ip = { .flags = SYN };
	struct stack_signature s;
	uint8_t p[PACKET_BYTES];
	size_t len = make(p, &short_ip);

	(void)state;
	assert_true(stack_signature_read(cursor_over(p, len), 0, &s));
	p[0] = 0x44;
	assert_false(stack_signature_read(cursor_over(p, len), 0, &s));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(read_shape(&others[i], 0, &s));
}

/* Each bad line is refused by its number, in a sentence, and the good ones round it stay. */
static void test_refused_lines(void **state)
{
	static const struct {
		const char *line, *sentence;
	} bad[] = {
		{ "sig = 7:64:0:*:1,0:mss:df:0", "the version is 4, 6 or *" },
		{ "sig = 99999999999999999999:64:0:*:1,0:mss:df:0", "the version is 4, 6 or *" },
		{ "sig = *:64+x:0:*:1,0:mss:df:0", "the initial TTL is as 64, 64- or 54+10" },
		{ "sig = *:250+6:0:*:1,0:mss:df:0", "the initial TTL is as 64, 64- or 54+10" },
		{ "sig = *:-:0:*:1,0:mss:df:0", "the initial TTL is as 64, 64- or 54+10" },
		{ "sig = *:64:256:*:1,0:mss:df:0", "the bytes of IP options are a number" },
		{ "sig = *:64:0:x:1,0:mss:df:0", "the MSS is a number or *" },
		{ "sig = *:64:0:*:mtu*1001,0:mss:df:0", "the window is as 8192,7 or mss*20,* or mtu*4,0 or %8192,0" },
		{ "sig = *:64:0:*:65536,0:mss:df:0", "the window is as 8192,7 or mss*20,* or mtu*4,0 or %8192,0" },
		{ "sig = *:64:0:*:1,256:mss:df:0", "the window is as 8192,7 or mss*20,* or mtu*4,0 or %8192,0" },
		{ "sig = *:64:0:*:1,0:,mss:df:0", "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:mss,:df:0", "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:?256:df:0", "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:?1x:df:0", "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:eol+41:df:0", "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:mss,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,"
		  "nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop:df:0",
		  "a TCP option is none of nop mss ws sok sack ts eol+N ?N" },
		{ "sig = *:64:0:*:1,0:mss:df,,id+:0", "a quirk is none of p0f's" },
		{ "label = s", "a label is s or g, a class, a name and a flavour: s:unix:Linux:3.x" },
		{ "label = s:unix:Linux", "a label is s or g, a class, a name and a flavour: s:unix:Linux:3.x" },
		{ "lab = s:unix:Linux:3", "there are label, sys and sig" },
		{ "nap = x", "there are label, sys and sig" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[512];
		struct stack_file *f;

		snprintf(text, sizeof text, "[tcp:request]\nlabel = s:unix:Good:1\nsig = *:64:0:*:1,0:mss:df:0\n%s", bad[i].line);
		complaints = 0;
		f = stack_file_read(text, strlen(text), "bad", note, NULL);
		assert_non_null(f);
		assert_int_equal(complaints, 1);
		assert_int_equal(told_line, 4);
		assert_string_equal(told, bad[i].sentence);
		assert_int_equal(stack_file_count(f), 1);
		stack_file_free(f);
	}
}

static void test_unreadable_lines(void **state)
{
	static const char nul[] = "[tcp:request]\nlabel = s:unix:Good:1\nsig = *:64:0:*:1,0:mss:df:0\nsys = \0\n";
	char text[2048];
	struct stack_file *f;

	(void)state;
	complaints = 0;
	f = stack_file_read(nul, sizeof nul - 1, "nul", note, NULL);
	assert_non_null(f);
	assert_int_equal(complaints, 1);
	assert_string_equal(told, "a NUL stands in the line");
	stack_file_free(f);
	snprintf(text, sizeof text, "[tcp:request]\nlabel = s:unix:Good:1\nsig = *:64:0:*:1,0:mss:df:0\n;%01100d\n", 0);
	complaints = 0;
	f = stack_file_read(text, strlen(text), "long", note, NULL);
	assert_non_null(f);
	assert_int_equal(complaints, 1);
	assert_string_equal(told, "the line is too long");
	stack_file_free(f);
	stack_file_free(NULL);
}

static const char *label_of(const struct stack_file *f, const struct shape *w)
{
	const struct stack_label *label;
	struct stack_signature s;

	assert_true(read_shape(w, 0, &s));
	label = stack_file_find(f, &s);
	return label ? label->name : "";
}

/* More signatures than the first list has room for; then a packet that each part of one keeps from fitting. */
static void test_fit(void **state)
{
	static const char one[] = "label = s:unix:Sure:\nsig = *:64-:0:1300:*,7:mss,sok,ts,nop,ws:df,id+:*\n"
				  "label = s:unix:Modulo:\nsig = 4:64:0:*:%1000,*:mss:df,id+:+\n"
				  "label = s:unix:Mtu:1\nsig = *:64:0:*:mtu*3,0:mss::0\n"
				  "label = g:unix:Broad:\nsig = *:54+10:0:*:*,*:mss:df,id+:*\n"
				  "label = g:unix:Broader:\nsig = *:64:0:*:*,*:mss:df,id+:*\n";
	struct shape w = { .flags = SYN, .window = 5000, .fragment = 0x4000, .id = 7, OPTIONS(MSS_1300 SOK_TIMED_WS) };
	struct shape v6 = { .version = 6, .flags = SYN, .window = 5000, .flow = 9, .ttl = 20, OPTIONS(MSS_1300 SOK_TIMED_WS) };
	struct shape plain = { .flags = SYN, .window = 5000, .fragment = 0x4000, .id = 7, .payload = 1, OPTIONS(MSS_1460) };
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof text, "[tcp:request]\nlabel = s:unix:Other:\n");
	struct stack_file *f;

	(void)state;
	for (unsigned i = 0; i < 70; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "sig = 4:255:0:%u:1,0::bad:0\n", 200 + i);
	snprintf(text + n, sizeof text - n, "%s", one);
	complaints = 0;
	f = stack_file_read(text, strlen(text), "many", note, NULL);
	assert_non_null(f);
	assert_int_equal(complaints, 0);
	assert_int_equal(stack_file_count(f), 75);
	assert_string_equal(label_of(f, &w), "Sure");
	w.payload = 3;
	assert_string_equal(label_of(f, &w), "Sure");
	w.ttl = 1;
	assert_string_equal(label_of(f, &w), "Sure");
	w.ttl = 65;
	assert_string_equal(label_of(f, &w), "");
	/* What the other version of IP can't show is not asked of it, but a flow label is none that `*` may have. */
	assert_string_equal(label_of(f, &v6), "");
	v6.flow = 0;
	assert_string_equal(label_of(f, &v6), "Sure");
	v6.options = MSS_1440 SOK_TIMED_WS;
	assert_string_equal(label_of(f, &v6), "");
	v6.options = MSS_1300 "\x04\x02" TIMED "\x01\x03\x03\x08";
	assert_string_equal(label_of(f, &v6), "");
	v6.options = MSS_1300 "\x04\x02" TIMED "\x03\x03\x07\x01";
	assert_string_equal(label_of(f, &v6), "");
	assert_string_equal(label_of(f, &plain), "Modulo");
	plain.window = 5001;
	assert_string_equal(label_of(f, &plain), "Broad");
	plain.window = 5000;
	plain.payload = 0;
	assert_string_equal(label_of(f, &plain), "Broad");
	plain.ip_options = 4;
	assert_string_equal(label_of(f, &plain), "");
	assert_string_equal(label_of(f, &(struct shape){ .flags = SYN, .id = 7, .window = 4500, OPTIONS(MSS_1300) }), "Mtu 1");
	assert_string_equal(label_of(f, &(struct shape){ .flags = SYN, .id = 7, .window = 3000, OPTIONS(MSS_1300) }), "");
	stack_file_free(f);
}

/* [mtu] names the link that an MSS was made for, beside signatures and without any; its bad lines are told. */
static void test_links(void **state)
{
	static const char text[] = "classes = unix\n[mtu]\nlabel = Ethernet or modem\nsig = 1500\nlabel = DSL\nsig = 1492\nsig = many\nsig = 65536\nsig = 0\n"
				   "[http:request]\nlabel = x\nsig = y\n[mtu]\nsig = 576\n";
	struct stack_file *f;
	struct stack_signature s;
	struct shape syn = { .flags = SYN, .window = 1, OPTIONS(MSS_1460) };
	unsigned mtu = 0;

	(void)state;
	complaints = 0;
	f = stack_file_read(text, sizeof text - 1, "links", note, NULL);
	assert_non_null(f);
	assert_int_equal(complaints, 4);
	assert_string_equal(told, "a signature belongs to a label before it");
	assert_int_equal(stack_file_count(f), 2);
	assert_true(read_shape(&syn, 0, &s));
	assert_string_equal(stack_file_link(f, &s, &mtu), "Ethernet or modem");
	assert_int_equal(mtu, 1500);
	assert_null(stack_file_find(f, &s));
	syn.options = "\x02\x04\x05\xac";
	assert_true(read_shape(&syn, 0, &s));
	assert_string_equal(stack_file_link(f, &s, &mtu), "DSL");
	/* The header of IPv6 is longer. */
	syn.version = 6;
	assert_true(read_shape(&syn, 0, &s));
	assert_null(stack_file_link(f, &s, &mtu));
	syn.options = MSS_1440;
	assert_true(read_shape(&syn, 0, &s));
	assert_string_equal(stack_file_link(f, &s, &mtu), "Ethernet or modem");
	/* No MSS is that of no link, though there be one of 40 bytes. */
	syn = (struct shape){ .flags = SYN, .window = 1 };
	stack_file_free(f);
	f = stack_file_read("[mtu]\nlabel = tiny\nsig = 40\n", 29, "links", note, NULL);
	assert_true(read_shape(&syn, 0, &s));
	assert_null(stack_file_link(f, &s, &mtu));
	stack_file_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quirks),        cmocka_unit_test(test_bad_options),      cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_windows),       cmocka_unit_test(test_no_opening),       cmocka_unit_test(test_refused_lines),
		cmocka_unit_test(test_unreadable_lines), cmocka_unit_test(test_fit), cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
