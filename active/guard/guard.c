/* Finds the protocol's list and holds a message against it, to the last byte. */
#include "active/guard/guard.h"

#include "active/guard/allow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LPD = 515, JETDIRECT_FIRST = 9100, JETDIRECT_LAST = 9107 };

bool ask_refuse(struct ask *q, const char *format, ...)
{
	va_list args;

	if (!q->answer)
		return false;
	va_start(args, format);
	vsnprintf(q->answer->why, sizeof(q->answer->why), format, args);
	va_end(args);
	return false;
}

bool ask_reads(struct ask *q, const char *format, ...)
{
	va_list args;

	if (!q->answer)
		return true;
	va_start(args, format);
	vsnprintf(q->answer->reading, sizeof(q->answer->reading), format, args);
	va_end(args);
	return true;
}

bool ask_takes(struct ask *q, const void *expected, size_t n)
{
	struct cursor taken = cursor_take(&q->bytes, n);

	return cursor_starts(&taken, expected, n);
}

bool ask_among(uint32_t value, const uint32_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

static const struct allow *find_allow(const char *protocol)
{
	for (size_t i = 0; allows[i]; i++)
		if (strcmp(allows[i]->name, protocol) == 0)
			return allows[i];
	return NULL;
}

bool guard_port_prints(uint16_t port)
{
	return (port >= JETDIRECT_FIRST && port <= JETDIRECT_LAST) || port == LPD;
}

bool guard_knows(const char *protocol, enum transport transport)
{
	const struct allow *allow = find_allow(protocol);

	return allow && (allow->transports & 1 << transport);
}

const char *guard_protocol(size_t i, uint8_t *transports, const char **may)
{
	for (size_t n = 0; n < i; n++)
		if (!allows[n])
			return NULL;
	if (!allows[i])
		return NULL;
	*transports = allows[i]->transports;
	*may = allows[i]->may;
	return allows[i]->name;
}

/* What a judge said yes to is still refused when its message did not end where the bytes do. */
static bool check_end(struct ask *q)
{
	if (!cursor_ok(&q->bytes))
		return ask_refuse(q, "the message ends before its last field");
	if (cursor_left(&q->bytes))
		return ask_refuse(q, "%zu bytes stand after the message's end", cursor_left(&q->bytes));
	return true;
}

static bool judge_message(struct ask *q, const char *protocol)
{
	const struct allow *allow = find_allow(protocol);

	if (!allow)
		return ask_refuse(q, "no list of reading functions is compiled in for protocol '%s'", protocol);
	if (!(allow->transports & 1 << q->transport))
		return ask_refuse(q, "%s is not asked over %s", protocol, transport_name(q->transport));
	if (allow->judge(q) && check_end(q))
		return true;
	return cursor_ok(&q->bytes) ? false : ask_refuse(q, "the message ends before its last field");
}

struct guard_answer guard_allows(const char *protocol, enum transport transport, const void *bytes, size_t len)
{
	struct guard_answer answer = { .allowed = false };
	struct ask q = { cursor_over(bytes, len), len, transport, &answer };

	answer.allowed = judge_message(&q, protocol);
	if (!answer.allowed)
		answer.reading[0] = '\0';
	return answer;
}

bool guard_permits(const char *protocol, enum transport transport, const void *bytes, size_t len)
{
	struct ask q = { cursor_over(bytes, len), len, transport, NULL };

	return judge_message(&q, protocol);
}
