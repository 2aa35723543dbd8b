/*
 * Niagara Fox: the hello, before any login.
 *
 *   fox a 1 -1 fox hello LF { LF fox.version=s:1.0 LF id=i:1 LF };; LF
 */
#include "active/guard/allow.h"

static const char hello[] = "fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\n};;\n";

static bool judge_fox(struct ask *q)
{
	if (!ask_takes(q, hello, sizeof(hello) - 1))
		return ask_refuse(q, "the message is not the bare hello");
	return ask_reads(q, "hello");
}

const struct allow allow_fox = {
	.name = "fox",
	.transports = 1 << TRANSPORT_TCP,
	.may = "the hello",
	.judge = judge_fox,
};
