/* Texts of numbers with dots that become bytes: an AMS NetID, and an object identifier as an ACSE title. */
#include "active/ruleset/script.h"

#include <string.h>

enum {
	NETID_NUMBERS = NETID_BYTES,
	ARCS_MOST = 32, DIGITS_MOST = 9, ARC_BYTES_MOST = 5,
	TAG_OID = 0x06, TAG_RELATIVE = 0x80, SHORT_LENGTH = 0x7f,
};

/* Reads "1.2.3" to its end; how many numbers there are, 0 when it is something else or has more than `most`. */
static size_t read_numbers(const uint8_t *text, size_t len, uint32_t *numbers, size_t most)
{
	size_t count = 0, digits = 0;
	uint32_t number = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '.') {
			if (digits == 0 || count == most)
				return 0;
			numbers[count++] = number;
			number = 0;
			digits = 0;
		} else if (text[i] < '0' || text[i] > '9' || ++digits > DIGITS_MOST) {
			return 0;
		} else {
			number = number * 10 + (text[i] - (uint32_t)'0');
		}
	}
	return count;
}

static bool encode_netid(const uint8_t *text, size_t len, uint8_t *out, size_t *n)
{
	uint32_t numbers[NETID_NUMBERS];

	if (read_numbers(text, len, numbers, NETID_NUMBERS) != NETID_NUMBERS)
		return false;
	for (size_t i = 0; i < NETID_NUMBERS; i++) {
		if (numbers[i] > UINT8_MAX)
			return false;
		out[i] = (uint8_t)numbers[i];
	}
	*n = NETID_NUMBERS;
	return true;
}

/* X.690, 8.19.2: seven bits a byte, the highest first, bit 8 on all but the last. */
static size_t put_arc(uint32_t arc, uint8_t *out)
{
	size_t n = 1;

	while (arc >> 7 * n)
		n++;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((arc >> 7 * (n - 1 - i) & 0x7f) | (i + 1 < n ? 0x80 : 0));
	return n;
}

/* The first two numbers of an absolute one share a byte (8.19.4); a relative one begins with a dot. */
static bool encode_title(const uint8_t *text, size_t len, uint8_t *out, size_t *n)
{
	uint32_t arcs[ARCS_MOST];
	bool relative = len && text[0] == '.';
	size_t count = read_numbers(text + relative, len - relative, arcs, ARCS_MOST), used = 2, first = 0;

	if (count == 0 || (!relative && (count < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39))))
		return false;
	if (!relative) {
		arcs[1] += 40 * arcs[0];
		first = 1;
	}
	for (size_t i = first; i < count; i++) {
		if (used + ARC_BYTES_MOST > RULE_TEXT_BYTES)
			return false;
		used += put_arc(arcs[i], out + used);
	}
	out[0] = relative ? TAG_RELATIVE : TAG_OID;
	out[1] = (uint8_t)(used - 2);
	*n = used;
	return used - 2 <= SHORT_LENGTH;
}

bool text_encode(enum text_form form, const uint8_t *text, size_t len, uint8_t out[RULE_TEXT_BYTES], size_t *n)
{
	uint8_t bytes[RULE_TEXT_BYTES];
	size_t length = len;
	bool done = len <= RULE_TEXT_BYTES;

	if (done && form == FORM_PLAIN)
		memcpy(bytes, text, len);
	else if (done)
		done = form == FORM_NETID ? encode_netid(text, len, bytes, &length) : encode_title(text, len, bytes, &length);
	if (!done)
		return false;
	if (out)
		memcpy(out, bytes, length);
	if (n)
		*n = length;
	return true;
}
