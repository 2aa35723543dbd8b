/* Prints of nmap-os-db: the grammar of their values, what can be compared with them, when they agree, and bad files. */
#include "classifiers/files/whole_file.h"
#include "classifiers/stack/os_db.h"
#include "classifiers/stack/stack_file.h"
#include "tests/unit/stack_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char prints[] =
	"Fingerprint L\nClass Maker | Lambda || x\nOPS(O1=M5B4NW2ST11L|M5B4W1)\nWIN(W1=>1000|<20)\nECN(R=N)\nT1(DF=N%TG=FF%Q=U)\n\n"
	"Fingerprint M\nClass Maker | Mu | 1 | x\nClass Maker | other | 2 | x\nOPS(O1=M5B4ST01NW7)\nWIN(W1=100-1FF|)\n"
	"ECN(W=ABC%O=M5B4NW7SL)\nT1(DF=Y%TG=40)\n\n";

static const struct shape nmap_syn = { .flags = SYN, .window = 1, OPTIONS(MSS_1460 SOK_TIMED_WS) };
static const struct shape untimed_syn = { .flags = SYN, .window = 1, OPTIONS(MSS_1460 "\x01\x03\x03\x08\x01\x01\x04\x02") };

/* The family of an answer; "" for none. */
static const char *family_of(const struct os_db *db, const struct shape *answer, const struct shape *asked)
{
	static struct os_guess g;
	struct stack_signature a, q;

	assert_true(read_shape(asked, 0, &q));
	assert_true(read_shape(answer, q.mss, &a));
	return os_db_guess(db, &a, &q, &g) ? g.family : "";
}

static struct os_db *read_prints(const char *text, size_t len, unsigned complained)
{
	struct os_db *db;

	complaints = 0;
	db = os_db_read(text, len, "prints", note, NULL);
	assert_int_equal(complaints, complained);
	return db;
}

static void test_prints(void **state)
{
	struct shape l = { .flags = SYN_ACK, .ttl = 255, .window = 0x1001, .urgent = 1, OPTIONS(MSS_1460 "\x01\x03\x03\x02\x04\x02" TIMED "\0\0\0\0") };
	struct shape m = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x100, OPTIONS(MSS_1460 "\x04\x02\x08\x0a\0\0\0\0\0\0\0\0\x01\x03\x03\x07") };
	struct os_db *db = read_prints(prints, sizeof prints - 1, 0);

	(void)state;
	assert_non_null(db);
	assert_int_equal(os_db_count(db), 2);
	assert_string_equal(family_of(db, &l, &nmap_syn), "Lambda");
	l.window = 0x1f;
	assert_string_equal(family_of(db, &l, &nmap_syn), "Lambda");
	l.window = 0x20;
	assert_string_equal(family_of(db, &l, &nmap_syn), "");
	l.window = 0x1001;
	l.urgent = 0;
	assert_string_equal(family_of(db, &l, &nmap_syn), "");
	l.urgent = 1;
	assert_string_equal(family_of(db, &l, &untimed_syn), "");
	l.options = MSS_1460 "\x63\x04\x03\x02\x04\x02" TIMED "\0\0\0\0";
	assert_string_equal(family_of(db, &l, &nmap_syn), "");
	assert_string_equal(family_of(db, &m, &nmap_syn), "Mu");
	m.window = 0x200;
	assert_string_equal(family_of(db, &m, &nmap_syn), "");
	m.window = 0xff;
	assert_string_equal(family_of(db, &m, &nmap_syn), "");
	/* To a SYN without timestamps the ECN line is what can be compared. */
	m = (struct shape){ .flags = SYN_ACK, .fragment = 0x4000, .window = 0xabc, OPTIONS(MSS_1460 "\x01\x03\x03\x07\x04\x02\0\0") };
	assert_string_equal(family_of(db, &m, &untimed_syn), "Mu");
	assert_string_equal(family_of(db, &m, &nmap_syn), "");
	os_db_free(db);
	os_db_free(NULL);
}

/* Only what answers a SYN like nmap's own can be compared with its prints. */
static void test_other_questions(void **state)
{
	static const struct shape asked[] = {
		{ .flags = SYN, .window = 1, OPTIONS(MSS_1300 SOK_TIMED_WS) },
		{ .flags = SYN, .window = 1, OPTIONS(MSS_1460 "\x04\x02" TIMED) },
		{ .flags = SYN, .window = 1, OPTIONS(MSS_1460 TIMED "\x01\x01\x01\x03\x03\x07") },
	};
	struct shape m = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x100, OPTIONS(MSS_1460 "\x04\x02\x08\x0a\0\0\0\0\0\0\0\0\x01\x03\x03\x07") };
	struct os_db *db = read_prints(prints, sizeof prints - 1, 0);

	(void)state;
	assert_non_null(db);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		assert_string_equal(family_of(db, &m, &asked[i]), "");
	m.version = 6;
	assert_string_equal(family_of(db, &m, &nmap_syn), "");
	m.version = 4;
	m.flags = SYN;
	assert_string_equal(family_of(db, &m, &nmap_syn), "");
	m.flags = SYN_ACK;
	assert_string_equal(family_of(db, &m, &nmap_syn), "Mu");
	os_db_free(db);
}

#define PRINT(family) "Fingerprint x\nClass Maker | " family " || x\nOPS(O1=M5B4W3L)\nWIN(W1=77)\nT1(DF=Y%TG=40)\n\n"

/* Four prints of five are agreement, three of four are none; "embedded" is a name for those that have none. */
static void test_agreement(void **state)
{
	static const char four_of_five[] = PRINT("Rho") PRINT("Pi") PRINT("Pi") PRINT("Pi") PRINT("Pi");
	static const char three_of_four[] = PRINT("Rho") PRINT("Pi") PRINT("Pi") PRINT("Pi");
	static const char embedded[] = PRINT("embedded");
	const struct shape answer = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x77, OPTIONS(MSS_1460 "\x03\x03\x03\0") };
	struct os_db *db = read_prints(four_of_five, sizeof four_of_five - 1, 0);

	(void)state;
	assert_string_equal(family_of(db, &answer, &nmap_syn), "Pi");
	os_db_free(db);
	db = read_prints(three_of_four, sizeof three_of_four - 1, 0);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
	db = read_prints(embedded, sizeof embedded - 1, 0);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
}

#define TOLD(family, lines) "Fingerprint x\nClass Maker | " family " || x\nOPS(O1=M5B4W3L)\nWIN(W1=77)\nT1(DF=Y%TG=40)\n" lines "\n\n"
#define ECN_LINE "ECN(R=Y%DF=Y%TG=40%W=77%O=M5B4W3L%CC="

/* Whether the answer's number is zero is held against how numbers grow; a print that doesn't tell stays. */
static void test_numbers(void **state)
{
	static const char text[] = TOLD("Zero", "SEQ(SP=1%TI=Z)") TOLD("Grows", "SEQ(TI=I|RD%II=Z)") TOLD("Both", "SEQ(TI=BI|Z)");
	static const char silent[] = TOLD("Silent", "SEQ(SP=1)");
	struct shape answer = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x77, OPTIONS(MSS_1460 "\x03\x03\x03\0") };
	struct os_db *db = read_prints(text, sizeof text - 1, 0);

	(void)state;
	/* Of three prints two fit: no agreement. Without the third each is alone. */
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
	db = read_prints(text, (size_t)(strstr(text, "Fingerprint x\nClass Maker | Both") - text), 0);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "Zero");
	answer.id = 7;
	assert_string_equal(family_of(db, &answer, &nmap_syn), "Grows");
	os_db_free(db);
	db = read_prints(silent, sizeof silent - 1, 0);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "Silent");
	os_db_free(db);
}

static void add_print(char *text, const char *family, const char *line)
{
	sprintf(text + strlen(text), "Fingerprint x\nClass Maker | %s || x\nOPS(O1=M5B4W3L)\nWIN(W1=77)\nT1(DF=Y%%TG=40)\n%s\n\n", family, line);
}

/* ECN's own tests count where the SYN had both of its flags, and there alone. */
static void test_congestion(void **state)
{
	static const struct shape both = { .flags = SYN | 0xc0, .window = 3, OPTIONS(MSS_1460 "\x01\x03\x03\x08\x01\x01\x04\x02") };
	static const struct shape one = { .flags = SYN | 0x40, .window = 3, OPTIONS(MSS_1460 "\x01\x03\x03\x08\x01\x01\x04\x02") };
	static const struct shape timed = { .flags = SYN | 0xc0, .window = 3, OPTIONS(MSS_1460 SOK_TIMED_WS) };
	static const struct {
		unsigned flags;
		const char *line, *other;
	} cases[] = {
		{ SYN_ACK | 0x40, ECN_LINE "Y%Q=)", ECN_LINE "N%Q=)" }, { SYN_ACK, ECN_LINE "N%Q=)", ECN_LINE "Y%Q=)" },
		{ SYN_ACK | 0xc0, ECN_LINE "S%Q=)", ECN_LINE "Y%Q=)" }, { SYN_ACK | 0x80, ECN_LINE "O%Q=)", ECN_LINE "S%Q=)" },
		{ SYN_ACK | 0x40, ECN_LINE "Y%Q=)", "ECN(R=N)" },       { SYN_ACK | 0x40, ECN_LINE "Y%Q=)", ECN_LINE "Y%Q=U)" },
	};
	struct shape answer = { .fragment = 0x4000, .window = 0x77, OPTIONS(MSS_1460 "\x03\x03\x03\0") };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512] = "";
		struct os_db *db;

		add_print(text, "Right", cases[i].line);
		answer.flags = SYN_ACK;
		db = read_prints(text, strlen(text), 0);
		/* A SYN with one of the flags asks for nothing of it. */
		assert_string_equal(family_of(db, &answer, &one), "Right");
		os_db_free(db);
		add_print(text, "Wrong", cases[i].other);
		answer.flags = cases[i].flags;
		db = read_prints(text, strlen(text), 0);
		assert_string_equal(family_of(db, &answer, &both), "Right");
		/* With timestamps it is T1's SYN, which can tell whether and how it is answered, and no more of that line. */
		assert_string_equal(family_of(db, &answer, &timed), i == 5 ? "" : "Right");
		os_db_free(db);
	}
}

/* Bits without a use are R of Q. */
static void test_reserved(void **state)
{
	static const char text[] = "Fingerprint x\nClass Maker | Rho || x\nOPS(O1=M5B4W3L)\nWIN(W1=77)\nT1(DF=Y%TG=40%Q=RU)\n\n";
	struct shape answer = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x77, .urgent = 1, .ns = 4, OPTIONS(MSS_1460 "\x03\x03\x03\0") };
	struct os_db *db = read_prints(text, sizeof text - 1, 0);

	(void)state;
	assert_string_equal(family_of(db, &answer, &nmap_syn), "Rho");
	answer.ns = 0;
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
}

/* What prints have to say is weighed by MatchPoints: one that tells of its numbers outweighs four that don't. */
static void test_points(void **state)
{
	static const char points[] = "MatchPoints\nSEQ(SP=25%TI=200)\nOPS(O1=2)\nWIN(W1=2)\nT1(DF=2%T=15%TG=2)\n\n";
	static const char some[] = TOLD("Many", "") TOLD("Many", "") TOLD("Many", "") TOLD("Many", "") TOLD("One", "SEQ(TI=Z)");
	const struct shape answer = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x77, OPTIONS(MSS_1460 "\x03\x03\x03\0") };
	char text[sizeof points + sizeof some];
	struct os_db *db = read_prints(some, sizeof some - 1, 0);

	(void)state;
	/* Without, each test is worth as much: sixteen of twenty-one are no agreement. */
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
	snprintf(text, sizeof text, "%s%s", points, some);
	db = read_prints(text, strlen(text), 0);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "One");
	assert_int_equal(os_db_count(db), 5);
	os_db_free(db);
}

static void test_bad_prints(void **state)
{
	static const char *const classes[] = { "Maker", "Maker | Family", "Maker |  | 1 | x", "Maker | A family whose name is longer than any name may be | 1 | x" };
	static const char nul[] = "Fingerprint x\nClass \0\n";
	static char many[300 * 96];
	const struct shape answer = { .flags = SYN_ACK, .fragment = 0x4000, .window = 0x77, OPTIONS(MSS_1460 "\x03\x03\x03\0") };
	char text[4096];
	size_t n = 0;
	struct os_db *db;

	(void)state;
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		int len = snprintf(text, sizeof text, "Fingerprint x\nClass %s\nOPS(O1=M5B4W3L)\nWIN(W1=77)\nT1(DF=Y%%TG=40)\n", classes[i]);

		/* The line, and that nothing is left. */
		assert_null(read_prints(text, (size_t)len, 2));
		assert_string_equal(told, "holds no print that can be compared");
	}
	assert_null(read_prints(nul, sizeof nul - 1, 2));
	n = (size_t)snprintf(text, sizeof text, "%s#%02500d\n", PRINT("Pi"), 0);
	db = read_prints(text, n, 1);
	assert_non_null(db);
	assert_string_equal(told, "the line is too long");
	assert_int_equal(told_line, 7);
	os_db_free(db);
	/* There is room for 256 families; what is of a further one is left out. */
	n = 0;
	for (unsigned i = 0; i < 257; i++)
		n += (size_t)snprintf(many + n, sizeof many - n, "Fingerprint x\nClass Maker | F%u || x\nOPS(O1=MW3L)\nWIN(W1=77)\nT1(DF=Y%%TG=40)\n", i);
	db = read_prints(many, n, 1);
	assert_string_equal(told, "a class is vendor | family | generation | type");
	assert_int_equal(os_db_count(db), 256);
	assert_string_equal(family_of(db, &answer, &nmap_syn), "");
	os_db_free(db);
}

/* A descriptor that is no regular file, one that can't be read, and a file that is too large. */
static void test_unreadable_files(void **state)
{
	char path[] = "/tmp/askance-stack-XXXXXX";
	int ends[2], fd = mkstemp(path), shut = open(path, O_WRONLY | O_CLOEXEC);
	const char *why = NULL;
	size_t len;

	(void)state;
	assert_true(fd >= 0 && shut >= 0);
	unlink(path);
	assert_int_equal(write(fd, "seven b", 7), 7);
	assert_int_equal(pipe(ends), 0);
	complaints = 0;
	assert_null(stack_file_load_fd(ends[0], "pipe", note, NULL));
	assert_string_equal(told, "is no file of a size that is read");
	assert_null(os_db_load_fd(ends[0], "pipe", note, NULL));
	assert_string_equal(told, "is no file of a size that is read");
	assert_int_equal(complaints, 2);
	assert_null(whole_file(fd, 6, &len, &why));
	assert_string_equal(why, "is no file of a size that is read");
	assert_null(whole_file(shut, 7, &len, &why));
	assert_string_equal(why, strerror(EBADF));
	assert_null(whole_file(-1, 7, &len, &why));
	assert_string_equal(why, "is no file of a size that is read");
	close(fd);
	close(shut);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prints),     cmocka_unit_test(test_other_questions),  cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_bad_prints), cmocka_unit_test(test_unreadable_files), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_congestion), cmocka_unit_test(test_reserved),         cmocka_unit_test(test_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
