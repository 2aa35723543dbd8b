/* The NULL probe: it connects, listens and closes. No byte of it may ever be sent, so none passes here. */
#include "active/guard/allow.h"

static bool judge_null(struct ask *q)
{
	return ask_refuse(q, "the NULL probe only listens; it sends nothing");
}

const struct allow allow_null = {
	.name = "null",
	.transports = 1 << TRANSPORT_TCP,
	.may = "nothing: connect, listen, close",
	.judge = judge_null,
};
