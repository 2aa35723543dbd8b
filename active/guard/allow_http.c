/*
 * HTTP: GET or HEAD of "/", with headers that name the host and end the connection, and no body.
 * RFC 9110, RFC 9112.
 */
#include "active/guard/allow.h"

#include <ctype.h>
#include <strings.h>

static const char *const requests[] = { "GET / HTTP/1.0", "GET / HTTP/1.1", "HEAD / HTTP/1.0", "HEAD / HTTP/1.1" };
static const char *const headers[] = { "Host", "Connection", "User-Agent", "Accept" };

static bool is_text(const struct cursor *line)
{
	for (const uint8_t *p = line->at; p < line->end; p++)
		if (*p < 0x20 || *p > 0x7e)
			return false;
	return true;
}

static bool is_allowed_header(const struct cursor *line)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t n = strlen(headers[i]);

		if (cursor_left(line) > n + 1 && strncasecmp((const char *)line->at, headers[i], n) == 0 &&
		    line->at[n] == ':')
			return true;
	}
	return false;
}

/* A line ends in CR LF here; LF alone is read differently by different servers. Where no line ends so, c fails. */
static struct cursor take_line(struct cursor *c)
{
	const uint8_t *start = c->at;
	struct cursor line = cursor_line(c);

	if (c->at - start != (line.end - line.at) + 2)
		cursor_fail(c);
	return line;
}

static bool judge_http(struct ask *q)
{
	struct cursor line = take_line(&q->bytes);
	const char *request = NULL;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (cursor_left(&line) == strlen(requests[i]) && memcmp(line.at, requests[i], strlen(requests[i])) == 0)
			request = requests[i];
	if (!request)
		return ask_refuse(q, "the request is neither GET nor HEAD of /");
	while (line = take_line(&q->bytes), cursor_left(&line))
		if (!is_text(&line) || !is_allowed_header(&line))
			return ask_refuse(q, "a header line is none of Host, Connection, User-Agent and Accept");
	return ask_reads(q, "%s", request);
}

const struct allow allow_http = {
	.name = "http",
	.transports = 1 << TRANSPORT_TCP,
	.may = "GET / and HEAD /",
	.judge = judge_http,
};
