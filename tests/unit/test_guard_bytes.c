/*
 * Each message that the guard lets pass, byte by byte: which values a byte may have while all others stay. The messages
 * stand in tests/unit/guard_bytes, a file for each protocol:
 *
 *   TRANSPORT [SUM] [from N]: BYTES      a message; SUM names the checksum that follows a change, N the least bytes of it
 *   = what the guard reads in it
 *   TRANSPORT not: BYTES                 a message that is refused
 *   = for what reason
 *
 * With the name of a protocol that one alone is tried. BYTES are hex. 4a* may be any byte, 4a{01,40-4f} one of these, 4a~ belongs to the checksum; each other is just what it is.
 */
#include "active/guard/crc.h"
#include "tests/unit/guard_fixture.h"


enum { LINE_BYTES = 4096, VALUES = 256 };

struct byte {
	uint8_t value;
	bool may[VALUES];
	bool sum;
};

struct pattern {
	const char *where;      /* file and line, for people */
	char protocol[64];
	enum transport transport;
	bool refused;
	void (*mend)(uint8_t *b, size_t n);
	size_t least, len;
	struct byte bytes[MESSAGE_BYTES];
	char told[GUARD_READING_BYTES];
};

static const char *only; /* the protocol that is tried; NULL for all */

static void mend_nothing(uint8_t *b, size_t n)
{
	(void)b;
	(void)n;
}

static void put_le(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void mend_dnp3(uint8_t *b, size_t n)
{
	put_le(b + 8, crc_dnp3(b, 8));
	for (size_t at = 10; at + 2 < n; at += 18) {
		size_t block = n - at - 2 < 16 ? n - at - 2 : 16;

		put_le(b + at + block, crc_dnp3(b + at, block));
	}
}

static void mend_ccitt(uint8_t *b, size_t n)
{
	uint16_t crc = crc_ccitt(b, n - 2);

	b[n - 2] = (uint8_t)(crc >> 8);
	b[n - 1] = (uint8_t)crc;
}

static void mend_xor(uint8_t *b, size_t n)
{
	b[n - 1] = xor8(b + 8, n - 9);
}

static void mend_add(uint8_t *b, size_t n)
{
	b[n - 2] = sum8(b + 1, n - 3);
}

static void (*find_mend(const char *name))(uint8_t *b, size_t n)
{
	if (strcmp(name, "dnp3") == 0)
		return mend_dnp3;
	if (strcmp(name, "ccitt") == 0)
		return mend_ccitt;
	if (strcmp(name, "xor") == 0)
		return mend_xor;
	return strcmp(name, "add") == 0 ? mend_add : NULL;
}

static unsigned int take_hex(const struct pattern *p, const char **text)
{
	unsigned int value;
	int used = 0;

	if (sscanf(*text, "%2x%n", &value, &used) != 1 || used != 2)
		fail_msg("%s: no two digits: %s", p->where, *text);
	*text += 2;
	return value;
}

/* "{01,40-4f}": the values that a byte may have. */
static void take_set(const struct pattern *p, const char **text, struct byte *byte)
{
	byte->may[byte->value] = false;
	while (**text != '}') {
		unsigned int first, last;

		++*text;
		first = last = take_hex(p, text);
		if (**text == '-') {
			++*text;
			last = take_hex(p, text);
		}
		for (unsigned int value = first; value <= last; value++)
			byte->may[value] = true;
	}
	++*text;
	if (!byte->may[byte->value])
		fail_msg("%s: %02x is not in its own set", p->where, byte->value);
}

static void take_bytes(struct pattern *p, const char *text)
{
	while (*text != '\0' && *text != '\n') {
		struct byte *byte = &p->bytes[p->len];

		if (*text == ' ') {
			text++;
			continue;
		}
		assert_true(p->len < MESSAGE_BYTES);
		memset(byte, 0, sizeof *byte);
		byte->value = (uint8_t)take_hex(p, &text);
		byte->may[byte->value] = true;
		p->len++;
		if (*text == '*')
			memset(byte->may, true, sizeof byte->may);
		byte->sum = *text == '~';
		if (*text == '{')
			take_set(p, &text, byte);
		else if (*text == '*' || *text == '~')
			text++;
	}
}

/* What stands before the colon. */
static void take_head(struct pattern *p, char *head)
{
	char *rest, *word = strtok_r(head, " ", &rest);

	p->mend = mend_nothing;
	p->transport = strcmp(word, "tcp") == 0 ? TCP : strcmp(word, "udp") == 0 ? UDP : ETH;
	if (p->transport == ETH)
		assert_string_equal(word, "eth");
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		if (strcmp(word, "not") == 0)
			p->refused = true;
		else if (strcmp(word, "from") == 0)
			p->least = strtoul(strtok_r(NULL, " ", &rest), NULL, 10);
		else if ((p->mend = find_mend(word)) == NULL)
			fail_msg("%s: no checksum is called %s", p->where, word);
	}
}

static struct guard_answer judge_bytes(const struct pattern *p, const uint8_t *bytes, size_t len)
{
	return judge(p->protocol, p->transport, bytes, len);
}

/* Every value of every byte; a byte of the checksum is changed by itself, the checksum follows a change of the others. */
static void try_values(const struct pattern *p, const uint8_t *bytes)
{
	uint8_t copy[MESSAGE_BYTES];

	for (size_t i = 0; i < p->len; i++)
		for (unsigned int value = 0; value < VALUES; value++) {
			struct guard_answer a;

			memcpy(copy, bytes, p->len);
			copy[i] = (uint8_t)value;
			if (!p->bytes[i].sum)
				p->mend(copy, p->len);
			a = judge_bytes(p, copy, p->len);
			if (a.allowed != p->bytes[i].may[value])
				fail_msg("%s: byte %zu as %02x was %s: %s%s", p->where, i, value, a.allowed ? "allowed" : "refused", a.reading, a.why);
			assert_true((a.reading[0] != '\0') == a.allowed && (a.why[0] != '\0') != a.allowed);
		}
}

static void try_message(const struct pattern *p)
{
	uint8_t bytes[MESSAGE_BYTES + 1] = { 0 };
	struct guard_answer a;

	for (size_t i = 0; i < p->len; i++)
		bytes[i] = p->bytes[i].value;
	a = judge_bytes(p, bytes, p->len);
	if (a.allowed == p->refused)
		fail_msg("%s: was %s: %s%s", p->where, a.allowed ? "allowed" : "refused", a.reading, a.why);
	if (strcmp(p->refused ? a.why : a.reading, p->told) != 0)
		fail_msg("%s: \"%s\" was expected, and said was \"%s%s\"", p->where, p->told, a.reading, a.why);
	if (p->refused)
		return;
	for (size_t n = 0; n < p->len; n++)
		if (judge_bytes(p, bytes, n).allowed != (p->least && n >= p->least))
			fail_msg("%s: the first %zu bytes were judged wrongly", p->where, n);
	if (judge_bytes(p, bytes, p->len + 1).allowed)
		fail_msg("%s: a byte behind the message was allowed", p->where);
	try_values(p, bytes);
}

static size_t try_file(const char *protocol, FILE *f)
{
	char line[LINE_BYTES], where[128];
	struct pattern p = { .where = where };
	size_t number = 0, tried = 0;

	while (fgets(line, sizeof line, f)) {
		char *colon = strchr(line, ':');

		snprintf(where, sizeof where, "guard_bytes/%s:%zu", protocol, ++number);
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (strncmp(line, "= ", 2) == 0) {
			assert_true(strlen(line + 2) < sizeof p.told);
			memcpy(p.told, line + 2, strlen(line + 2) + 1);
			try_message(&p);
			tried++;
			continue;
		}
		if (!colon)
			fail_msg("%s: there is no colon", where);
		*colon = '\0';
		p.refused = false;
		p.least = p.len = 0;
		snprintf(p.protocol, sizeof p.protocol, "%s", protocol);
		take_head(&p, line);
		take_bytes(&p, colon + 1);
	}
	return tried;
}

/* Every protocol that may send something has its file. */
static void test_every_byte(void **state)
{
	const char *may, *name;
	uint8_t transports;

	(void)state;
	for (size_t i = 0; (name = guard_protocol(i, &transports, &may)) != NULL; i++) {
		char path[256];
		FILE *f;

		if (only && strcmp(only, name) != 0)
			continue;
		snprintf(path, sizeof path, "%s/tests/unit/guard_bytes/%s", SOURCE_DIR, name);
		f = fopen(path, "r");
		if (!f)
			fail_msg("there is no %s", path);
		if (try_file(name, f) == 0)
			fail_msg("%s has no message", path);
		fclose(f);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_byte) };

	only = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
