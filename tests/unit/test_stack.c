/*
 * Signatures of stacks: read from packets built here by what p0f's document says, and from those that this
 * machine's own kernel sends over loopback; and files of such signatures, good and bad.
 */
#include "classifiers/stack/os_db.h"
#include "classifiers/stack/stack_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static unsigned complaints;

static void note(void *context, const char *path, uint32_t line, const char *sentence)
{
	if (context)
		print_message("%s:%u: %s\n", path, line, sentence);
	complaints++;
}

/* An IPv4 packet: TTL, fragment field, identification, TCP flags, window, options. */
static size_t make(uint8_t *to, uint8_t ttl, unsigned fragment, unsigned id, uint8_t flags, unsigned window, const char *options, size_t len)
{
	size_t tcp = 20 + len;

	memset(to, 0, 40);
	to[0] = 0x45;
	to[3] = (uint8_t)(20 + tcp);
	to[4] = (uint8_t)(id >> 8);
	to[5] = (uint8_t)id;
	to[6] = (uint8_t)(fragment >> 8);
	to[8] = ttl;
	to[9] = 6;
	to[20 + 7] = 1;
	to[20 + 11] = (flags & 16) ? 1 : 0;
	to[20 + 12] = (uint8_t)(tcp / 4 << 4);
	to[20 + 13] = flags;
	to[20 + 14] = (uint8_t)(window >> 8);
	to[20 + 15] = (uint8_t)window;
	memcpy(to + 40, options, len);
	return 20 + tcp;
}

/* On every prefix of an exact block first, so that a sanitizer sees one byte too far. */
static void read_exact(const uint8_t *packet, size_t len, uint16_t peer_mss, struct stack_signature *s, char text[STACK_TEXT_BYTES])
{
	for (size_t n = 0; n <= len; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, packet, n);
		assert_int_equal(stack_signature_read(cursor_over(exact, n), peer_mss, s), n == len);
		free(exact);
	}
	stack_signature_write(s, text);
}

#define OPTIONS(text) text, sizeof(text) - 1

static void test_signatures(void **state)
{
	static const char windows[] = "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02", plc[] = "\x02\x04\x05\xb4";
	static const char linux_syn[] = "\x02\x04\x05\xb4\x04\x02\x08\x0a\x11\x22\x33\x44\0\0\0\0\x01\x03\x03\x07";
	static const char apple[] = "\x02\x04\x05\xb4\x01\x03\x03\x06\x01\x01\x08\x0a\0\0\0\0\0\0\0\0\x04\x02\0\0";
	struct stack_signature s;
	char text[STACK_TEXT_BYTES];
	uint8_t p[128];

	(void)state;
	read_exact(p, make(p, 128, 0x4000, 7, 2, 8192, OPTIONS(windows)), 0, &s, text);
	assert_string_equal(text, "4:128:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0");
	read_exact(p, make(p, 30, 0, 7, 18, 4096, OPTIONS(plc)), 1460, &s, text);
	assert_string_equal(text, "4:32:0:1460:4096,0:mss::0");
	assert_true(s.accepts);
	read_exact(p, make(p, 61, 0x4000, 9, 2, 64240, OPTIONS(linux_syn)), 0, &s, text);
	assert_string_equal(text, "4:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0");
	read_exact(p, make(p, 64, 0x4000, 0, 2, 65535, OPTIONS(apple)), 0, &s, text);
	assert_string_equal(text, "4:64:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,ts1-:0");
	read_exact(p, make(p, 255, 0, 0, 2 + 8 + 64 + 128, 1500 * 2, "\x02\x04\x01\x80\x63\x02\0\x77", 8), 0, &s, text);
	assert_string_equal(text, "4:255:0:384:mtu*2,0:mss,?99,eol+1:id-,ecn,pushf+,opt+:0");
	/* The window is a multiple of what the other side had stated. */
	read_exact(p, make(p, 64, 0x4000, 0, 18, 1234 * 3, OPTIONS(plc)), 1234, &s, text);
	assert_string_equal(text, "4:64:0:1460:mss*3,0:mss:df:0");
	/* Options that contradict themselves. */
	read_exact(p, make(p, 64, 0x4000, 0, 2, 1000, "\x02\x09\x05\xb4", 4), 0, &s, text);
	assert_non_null(strstr(text, "bad"));
	/* What is no opening of a connection has none. */
	assert_false(stack_signature_read(cursor_over(p, make(p, 64, 0, 0, 16, 1000, "", 0)), 0, &s));
	assert_false(stack_signature_read(cursor_over(p, make(p, 64, 0, 0, 3, 1000, "", 0)), 0, &s));
	assert_false(stack_signature_read(cursor_over(p, make(p, 64, 0x2000, 0, 2, 1000, "", 0)), 0, &s));
}

static const char file[] =
	"; comment\n"
	"classes = win,unix\n"
	"[mtu]\nlabel = x\nsig = 1500\n"
	"[tcp:request]\n"
	"label = g:unix:Linux:\n"
	"sys = @unix\n"
	"sig = *:64:0:*:mss*44,*:mss,sok,ts,nop,ws:df,id+:0\n"
	"label = s:unix:Linux:5.x\n"
	"sig = *:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+:0\n"
	"label = s:!:Scanner:fast\n"
	"sig = 4:64-:0:1460:%1000,0:mss:df,id+,flow:0\n"
	"[tcp:response]\n"
	"label = s:other:Controller:S7\n"
	"sig = 4:32:0:1460:4096,0:mss::0\n"
	"[http:request]\nlabel = anything\nsig = anything\n";

static const char *label_of(const struct stack_file *f, const uint8_t *packet, size_t len)
{
	const struct stack_label *label;
	struct stack_signature s;

	assert_true(stack_signature_read(cursor_over(packet, len), 0, &s));
	label = stack_file_find(f, &s);
	return label ? label->name : "";
}

static void test_file(void **state)
{
	static const char plc[] = "\x02\x04\x05\xb4";
	char syn[] = "\x02\x04\x05\xb4\x04\x02\x08\x0a\x11\x22\x33\x44\0\0\0\0\x01\x03\x03\x07";
	struct stack_file *f;
	uint8_t p[128];

	(void)state;
	complaints = 0;
	f = stack_file_read(file, sizeof file - 1, "file", note, &complaints);
	assert_non_null(f);
	assert_int_equal(complaints, 0);
	assert_int_equal(stack_file_count(f), 5);
	assert_string_equal(label_of(f, p, make(p, 64, 0x4000, 9, 2, 64240, OPTIONS(syn))), "Linux 5.x");
	syn[19] = 9;
	assert_string_equal(label_of(f, p, make(p, 50, 0x4000, 9, 2, 64240, OPTIONS(syn))), "Linux");
	/* Not quite: too far away, without DF, another window. */
	assert_string_equal(label_of(f, p, make(p, 20, 0x4000, 9, 2, 64240, OPTIONS(syn))), "");
	assert_string_equal(label_of(f, p, make(p, 64, 0, 9, 2, 64240, OPTIONS(syn))), "");
	assert_string_equal(label_of(f, p, make(p, 64, 0x4000, 9, 2, 64241, OPTIONS(syn))), "");
	assert_string_equal(label_of(f, p, make(p, 30, 0, 7, 18, 4096, OPTIONS(plc))), "Controller S7");
	/* The same from a client is another thing. */
	assert_string_equal(label_of(f, p, make(p, 30, 0, 7, 2, 4096, OPTIONS(plc))), "");
	stack_file_free(f);
}

static void test_bad_files(void **state)
{
	static const char *const bad[] = {
		"label = linux", "label = x:unix:Linux:3", "label = s:unix::3", "sig", "sig = ", "sig = *:64:0:*:1,0:mss:df", "sig = 5:64:0:*:1,0:mss:df:0",
		"sig = *:0:0:*:1,0:mss:df:0", "sig = *:256:0:*:1,0:mss:df:0", "sig = *:64:x:*:1,0:mss:df:0", "sig = *:64:0:70000:1,0:mss:df:0",
		"sig = *:64:0:*:1:mss:df:0", "sig = *:64:0:*:mss*,0:mss:df:0", "sig = *:64:0:*:%1,0:mss:df:0", "sig = *:64:0:*:1,0:mss,xyz:df:0",
		"sig = *:64:0:*:1,0:eol+1,mss:df:0", "sig = *:64:0:*:1,0:mss:dfx:0", "sig = *:64:0:*:1,0:mss:df:1", "sig = *:64:0:*:1,0:mss:df:0:0",
		"signature = *:64:0:*:1,0:mss:df:0", "nonsense",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[512];
		struct stack_file *f;

		snprintf(text, sizeof text, "[tcp:request]\nlabel = s:unix:Good:1\nsig = *:64:0:*:1,0:mss:df:0\n%s\n", bad[i]);
		complaints = 0;
		f = stack_file_read(text, strlen(text), "bad", note, NULL);
		if (!f || complaints != 1 || stack_file_count(f) != 1)
			fail_msg("%s: %u complaints", bad[i], complaints);
		stack_file_free(f);
	}
	complaints = 0;
	assert_null(stack_file_read("", 0, "empty", note, NULL));
	assert_null(stack_file_read("[tcp:request]\nsig = *:64:0:*:1,0:mss:df:0\n", 42, "no label", note, NULL));
	assert_int_equal(complaints, 3);
}

static void test_installed_file(void **state)
{
	FILE *in = fopen("/etc/p0f/p0f.fp", "re");
	struct stack_file *f;

	(void)state;
	if (!in)
		skip();
	complaints = 0;
	f = stack_file_load_fd(fileno(in), "/etc/p0f/p0f.fp", note, &complaints);
	assert_non_null(f);
	print_message("/etc/p0f/p0f.fp: %zu signatures of TCP, %u lines left out\n", stack_file_count(f), complaints);
	assert_int_equal(complaints, 0);
	assert_true(stack_file_count(f) > 150);
	stack_file_free(f);
	fclose(in);
}

static const char prints[] =
	"# comment\nMatchPoints\nOPS(O1=20)\nWIN(W1=15)\n\n"
	"Fingerprint A 1\nClass Maker | Alpha | 1.X | general purpose\nCPE cpe:/o:a:a\nOPS(O1=M5B4ST11NW7|M5B4ST11NW8%O2=M5B4)\n"
	"WIN(W1=7120|FE80-FFFF%W2=1)\nECN(R=Y%DF=Y%T=3B-45%TG=40%W=7120%O=M5B4NNSNW7%CC=Y%Q=)\nT1(R=Y%DF=Y%T=3B-45%TG=40%S=O%A=S+%F=AS%RD=0%Q=)\n\n"
	"Fingerprint B\nClass Maker | Beta || switch\nOPS(O1=M5B4%O2=M5B4)\nWIN(W1=1000)\nECN(R=N)\nT1(R=Y%DF=N%TG=20%Q=)\n\n"
	"Fingerprint C\nClass Maker | Gamma || switch\nOPS(R=N)\nT1(R=N)\n\n";

static bool guess_of(const struct os_db *db, unsigned window, const char *options, size_t len, const char *asked, size_t asked_len, struct os_guess *g)
{
	struct stack_signature question, answer;
	uint8_t p[128];

	assert_true(stack_signature_read(cursor_over(p, make(p, 64, 0x4000, 9, 2, 64240, asked, asked_len)), 0, &question));
	assert_true(stack_signature_read(cursor_over(p, make(p, 63, 0x4000, 0, 18, window, options, len)), question.mss, &answer));
	return os_db_guess(db, &answer, &question, g);
}

static void test_os_db(void **state)
{
	static const char timed[] = "\x02\x04\x05\xb4\x04\x02\x08\x0a\x11\x22\x33\x44\0\0\0\0\x01\x03\x03\x07", plain[] = "\x02\x04\x05\xb4";
	static const char untimed[] = "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02", short_answer[] = "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x07";
	struct os_db *db;
	struct os_guess g;

	(void)state;
	complaints = 0;
	db = os_db_read(prints, sizeof prints - 1, "prints", note, &complaints);
	assert_non_null(db);
	assert_int_equal(complaints, 0);
	/* One answers nothing of what can be compared. */
	assert_int_equal(os_db_count(db), 2);
	assert_true(guess_of(db, 0x7120, OPTIONS(timed), OPTIONS(timed), &g));
	assert_string_equal(g.family, "Alpha");
	assert_int_equal(g.share, 100);
	assert_true(guess_of(db, 0xff00, OPTIONS(timed), OPTIONS(timed), &g));
	assert_true(guess_of(db, 0x7120, OPTIONS(short_answer), OPTIONS(untimed), &g));
	/* Another window, other options, a client that offered less than nmap does. */
	assert_false(guess_of(db, 0x7121, OPTIONS(timed), OPTIONS(timed), &g));
	assert_false(guess_of(db, 0x7120, OPTIONS(plain), OPTIONS(timed), &g));
	assert_false(guess_of(db, 0x1000, OPTIONS(plain), OPTIONS(plain), &g));
	os_db_free(db);
	complaints = 0;
	assert_null(os_db_read("Fingerprint A\nnonsense\nClass x\n", 31, "bad", note, NULL));
	assert_int_equal(complaints, 3);
}

static void test_installed_prints(void **state)
{
	FILE *in = fopen("/usr/share/nmap/nmap-os-db", "re");
	struct os_db *db;

	(void)state;
	if (!in)
		skip();
	complaints = 0;
	db = os_db_load_fd(fileno(in), "/usr/share/nmap/nmap-os-db", note, &complaints);
	assert_non_null(db);
	print_message("nmap-os-db: %zu prints can be compared, %u lines left out\n", os_db_count(db), complaints);
	assert_int_equal(complaints, 0);
	assert_true(os_db_count(db) > 4000);
	os_db_free(db);
	fclose(in);
}

/* The kernel of this machine opens a connection to itself; both its first packets are read off loopback. */
static void test_own_kernel(void **state)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex("lo") };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int heard = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)), server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof at;
	bool asked = false, answered = false;
	uint16_t mss = 0;

	(void)state;
	if (heard < 0 || bind(heard, (struct sockaddr *)&link, sizeof link) < 0)
		skip();
	assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
	for (struct pollfd ready = { .fd = heard, .events = POLLIN }; !(asked && answered) && poll(&ready, 1, 2000) > 0;) {
		uint8_t p[2048];
		ssize_t n = recv(heard, p, sizeof p, 0);
		struct stack_signature s;
		char text[STACK_TEXT_BYTES];

		if (n < 40 || (memcmp(p + 20, &at.sin_port, 2) != 0 && memcmp(p + 22, &at.sin_port, 2) != 0) ||
		    !stack_signature_read(cursor_over(p, (size_t)n), mss, &s))
			continue;
		stack_signature_write(&s, text);
		print_message("%s %s\n", s.accepts ? "answered" : "asked   ", text);
		assert_int_equal(s.version, 4);
		assert_int_equal(s.initial_ttl, 64);
		assert_true(s.quirks & QUIRK_DF && !(s.quirks & QUIRK_BAD));
		assert_true(s.mss > 1000 && s.layout_count >= 1 && s.layout[0] == stack_option_of("mss"));
		mss = s.mss;
		asked |= !s.accepts;
		answered |= s.accepts;
	}
	assert_true(asked && answered);
	close(client);
	close(server);
	close(heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),     cmocka_unit_test(test_file),       cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_installed_file), cmocka_unit_test(test_own_kernel),
		cmocka_unit_test(test_os_db),          cmocka_unit_test(test_installed_prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
