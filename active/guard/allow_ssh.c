/*
 * SSH: the identification line of a client at most; no key exchange is begun. RFC 4253, 4.2.
 *
 *   | SSH-2.0-askance CR LF |
 */
#include "active/guard/allow.h"

static bool judge_ssh(struct ask *q)
{
	static const char banner[] = "SSH-2.0-askance\r\n";

	if (!ask_takes(q, banner, sizeof(banner) - 1))
		return ask_refuse(q, "the bytes are not our identification line");
	return ask_reads(q, "identification line");
}

const struct allow allow_ssh = {
	.name = "ssh",
	.transports = 1 << TRANSPORT_TCP,
	.may = "nothing, or the line SSH-2.0-askance",
	.judge = judge_ssh,
};
