/*
 * A walk over a pattern as PCRE2 writes them (pcre2pattern(3)), that follows no more than what decides
 * whether a byte must be there. Whatever is doubtful ends a text, or the walk.
 */
#include "classifiers/match/required_literal.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 32, OCTAL_DIGITS = 2 };

/* Bytes of a pattern that aren't what they look like; all others are the rule and are passed quickly. */
enum { OPENS = 1, REPEATS = 2, NESTS = 4 };
static const uint8_t kinds[256] = {
	['\\'] = OPENS | NESTS, ['['] = OPENS | NESTS, ['('] = OPENS | NESTS, [')'] = NESTS, ['|'] = OPENS | NESTS,
	['.'] = OPENS, ['^'] = OPENS, ['$'] = OPENS, ['*'] = REPEATS, ['?'] = REPEATS, ['+'] = REPEATS, ['{'] = REPEATS,
};

static bool is(char c, unsigned kind)
{
	return kinds[(unsigned char)c] & kind;
}

struct walk {
	const char *end;
	required_literal_see *see;
	void *context;
	uint8_t run[REQUIRED_LITERAL_BYTES];
	size_t len;
	bool caseless;
	bool lost; /* its meaning isn't followed any more */
};

/* What an atom is: a byte that must stand there, something else, or the end of what is followed. */
enum { NO_BYTE = -1 };

static void end_run(struct walk *w)
{
	if (w->len && w->see)
		w->see(w->context, w->run, w->len);
	w->len = 0;
}

static void add_byte(struct walk *w, int byte)
{
	if (w->len == sizeof w->run)
		end_run(w);
	w->run[w->len++] = (uint8_t)byte;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Up to two hexadecimal digits. */
static int read_hex(struct walk *w, const char **at)
{
	int byte = 0;

	if (*at < w->end && **at == '{') {
		w->lost = true;
		return NO_BYTE;
	}
	for (int n = 0; n < 2 && *at < w->end && isxdigit((unsigned char)**at); n++)
		byte = byte << 4 | hex_value(*(*at)++);
	return byte;
}

static int read_octal(const struct walk *w, const char **at)
{
	int byte = 0;

	for (int n = 0; n < OCTAL_DIGITS && *at < w->end && **at >= '0' && **at <= '7'; n++)
		byte = byte << 3 | (*(*at)++ - '0');
	return byte;
}

/* Behind a backslash: the byte it stands for, NO_BYTE for a class, an assertion or a reference. */
static int read_escape(struct walk *w, const char **at)
{
	char c = *at < w->end ? *(*at)++ : 0;

	switch (c) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'f': return '\f';
	case 'a': return '\a';
	case 'e': return 0x1b;
	case 'x': return read_hex(w, at);
	case '0': return read_octal(w, at);
	case 'd': case 'D': case 'w': case 'W': case 's': case 'S': case 'h': case 'H': case 'v': case 'V': case 'R': case 'N':
	case 'b': case 'B': case 'A': case 'Z': case 'z': case 'G':
		return NO_BYTE;
	default:
		break;
	}
	if (c >= '1' && c <= '9') {
		/* A reference to a group, or an octal number: neither is a byte that is known here. */
		while (*at < w->end && isdigit((unsigned char)**at))
			++*at;
		return NO_BYTE;
	}
	if (c && !isalnum((unsigned char)c))
		return (unsigned char)c;
	w->lost = true;
	return NO_BYTE;
}

/* Behind "[": to behind its "]". NULL when it doesn't end. */
static const char *skip_class(const char *at, const char *end)
{
	if (at < end && *at == '^')
		at++;
	if (at < end && *at == ']')
		at++;
	while (at < end && *at != ']') {
		if (*at == '\\') {
			at++;
		} else if (*at == '[' && end - at > 1 && (at[1] == ':' || at[1] == '.' || at[1] == '=')) {
			const char *close = at + 2;

			while (end - close > 1 && !(close[0] == at[1] && close[1] == ']'))
				close++;
			if (end - close > 1)
				at = close + 1;
		}
		at++;
	}
	return at < end ? at + 1 : NULL;
}

/*
 * Behind "(": the place of its ")", NULL when there is none; *branches when a "|" stands between its own
 * brackets. With `to_end` the text goes on to the end of all and needs no bracket.
 */
static const char *find_close(const char *at, const char *end, bool to_end, bool *branches)
{
	int depth = 0;

	*branches = false;
	while (at && at < end) {
		char c = *at++;

		if (!is(c, NESTS))
			continue;
		if (c == '\\')
			at++;
		else if (c == '[')
			at = skip_class(at, end);
		else if (c == '(')
			depth++;
		else if (c == '|' && depth == 0)
			*branches = true;
		else if (c == ')' && depth-- == 0)
			return to_end ? NULL : at - 1;
	}
	return to_end && at && depth == 0 ? end : NULL;
}

/* {n}, {n,} or {n,m}: its length, 0 for a brace that stands for itself; *none when n is 0. */
static size_t brace_length(const char *at, const char *end, bool *none)
{
	const char *c = at + 1;
	bool zero = true;

	if (c >= end || !isdigit((unsigned char)*c))
		return 0;
	for (; c < end && isdigit((unsigned char)*c); c++)
		zero &= *c == '0';
	if (c < end && *c == ',')
		for (c++; c < end && isdigit((unsigned char)*c); c++)
			continue;
	if (c >= end || *c != '}')
		return 0;
	*none = zero;
	return (size_t)(c + 1 - at);
}

/* What follows an atom: its repetition. True when there is one; *none when the atom may be left out. */
static bool read_repetition(const struct walk *w, const char **at, bool *none)
{
	size_t n;

	*none = false;
	if (*at >= w->end)
		return false;
	if (**at == '*' || **at == '?' || **at == '+') {
		*none = **at != '+';
		n = 1;
	} else if (**at != '{' || !(n = brace_length(*at, w->end, none))) {
		return false;
	}
	*at += n;
	if (*at < w->end && (**at == '?' || **at == '+'))
		++*at;
	return true;
}

/* What a group's beginning says of it. */
enum group { GROUP_PLAIN, GROUP_SKIPPED, GROUP_LOST };

static enum group read_flags(struct walk *w, const char **at, const char *close)
{
	for (; *at < close; ++*at) {
		if (**at == ':') {
			++*at;
			return GROUP_PLAIN;
		}
		if (**at == 'i')
			w->caseless = true;
		else if (**at != 's' && **at != 'm' && **at != '-')
			return GROUP_LOST;
	}
	return GROUP_SKIPPED;
}

static enum group read_name(const char **at, const char *close, char ends)
{
	while (*at < close && **at != ends)
		++*at;
	if (*at == close)
		return GROUP_LOST;
	++*at;
	return GROUP_PLAIN;
}

/* Behind "(": moves behind what says of what kind the group is. */
static enum group read_group_start(struct walk *w, const char **at, const char *close)
{
	if (*at < close && **at == '*')
		return GROUP_LOST;
	if (*at >= close || **at != '?')
		return GROUP_PLAIN;
	++*at;
	switch (*at < close ? *(*at)++ : 0) {
	case ':': case '>': case '=': return GROUP_PLAIN;
	case '!': case '#': return GROUP_SKIPPED;
	case 'P': return *at < close && *(*at)++ == '<' ? read_name(at, close, '>') : GROUP_LOST;
	case '\'': return read_name(at, close, '\'');
	case '<':
		if (*at < close && **at == '!')
			return GROUP_SKIPPED;
		if (*at < close && **at == '=') {
			++*at;
			return GROUP_PLAIN;
		}
		return read_name(at, close, '>');
	case 'i': case 's': case 'm': case '-':
		--*at;
		return read_flags(w, at, close);
	default: return GROUP_LOST;
	}
}

static void walk_sequence(struct walk *w, const char *at, const char *end, int depth);

/* `at` is behind the "("; moves behind the group and its repetition. */
static void walk_group(struct walk *w, const char **at, int depth)
{
	const char *inside = *at, *close;
	bool branches, none;
	enum group kind;

	close = find_close(inside, w->end, false, &branches);
	if (!close || depth == DEPTH_MAX) {
		w->lost = true;
		return;
	}
	kind = read_group_start(w, &inside, close);
	w->lost |= kind == GROUP_LOST;
	*at = close + 1;
	read_repetition(w, at, &none);
	end_run(w);
	if (kind == GROUP_PLAIN && !w->lost) {
		required_literal_see *see = w->see;

		/* Where nothing in it is required it may still turn case off, or hold what isn't followed here. */
		if (branches || none)
			w->see = NULL;
		walk_sequence(w, inside, close, depth + 1);
		w->see = see;
	}
}

/* Bytes that stand for themselves, once; behind the last of them. */
static const char *walk_plain(struct walk *w, const char *at, const char *end)
{
	for (; at < end && !is(*at, OPENS) && !(at + 1 < w->end && is(at[1], REPEATS)); at++)
		add_byte(w, (unsigned char)*at);
	return at;
}

static void walk_sequence(struct walk *w, const char *at, const char *end, int depth)
{
	while (!w->lost && (at = walk_plain(w, at, end)) < end) {
		int byte = NO_BYTE;
		bool none;

		switch (*at++) {
		case '\\':
			byte = read_escape(w, &at);
			break;
		case '[':
			at = skip_class(at, end);
			w->lost |= !at;
			break;
		case '(':
			walk_group(w, &at, depth);
			continue;
		case '.': case '^': case '$': case '|':
			break;
		default:
			byte = (unsigned char)at[-1];
		}
		if (w->lost)
			break;
		if (read_repetition(w, &at, &none)) {
			if (byte != NO_BYTE && !none)
				add_byte(w, byte);
			end_run(w);
		} else if (byte == NO_BYTE) {
			end_run(w);
		} else {
			add_byte(w, byte);
		}
	}
	end_run(w);
}

bool required_literals(const char *pattern, size_t len, required_literal_see *see, void *context, bool *caseless)
{
	struct walk w = { .end = pattern + len, .see = see, .context = context };
	bool branches;

	*caseless = false;
	if (!find_close(pattern, w.end, true, &branches))
		return false;
	if (branches)
		w.see = NULL;
	walk_sequence(&w, pattern, w.end, 0);
	*caseless = w.caseless;
	return !w.lost;
}
