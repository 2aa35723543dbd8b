/*
 * PC Worx: connect, the question for the controller's description and its result, disconnect; these
 * four frames and no other.
 *
 *   | 01 | command 1 | length 2 | sequence 2 | ... session id at 10 or 11 |   big-endian
 *
 * Command 05 also carries file access and downloads; only its question for the description passes.
 */
#include "active/guard/allow.h"

/* A frame in two halves, with the session's id between them. */
struct frame {
	uint8_t command;
	uint8_t before_bytes, after_bytes;
	bool has_session;
	const char *before, *after;
	const char *reads;
};

static const struct frame frames[] = {
	{ 0x01, 24, 0, false, "\0\x1a\0\0\0\0\x78\x80\0\3\0\x0cIBETH01N0_M\0", "", "connect" },
	{ 0x05, 9, 10, true, "\0\x16\0\1\0\0\x78\x80\0", "\0\0\0\6\0\4\2\x95\0\0", "ask for the controller's description" },
	{ 0x06, 9, 2, true, "\0\x0e\0\2\0\0\0\0\0", "\4\0", "read the controller's description" },
	{ 0x02, 9, 0, true, "\0\x0c\0\3\xff\xff\xff\x0f\0", "", "disconnect" },
};

static bool judge_pcworx(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes), command = cursor_u8(&q->bytes);

	if (type != 1)
		return ask_refuse(q, "the frame is no request");
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		const struct frame *f = &frames[i];

		if (f->command != command)
			continue;
		if (!ask_takes(q, f->before, f->before_bytes))
			return ask_refuse(q, "command 0x%02x is not in the one form that reads", command);
		if (f->has_session)
			cursor_skip(&q->bytes, 1);
		if (!ask_takes(q, f->after, f->after_bytes))
			return ask_refuse(q, "command 0x%02x is not in the one form that reads", command);
		return ask_reads(q, "%s", f->reads);
	}
	return ask_refuse(q, "command 0x%02x is none of connect, read and disconnect", command);
}

const struct allow allow_pcworx = {
	.name = "pcworx",
	.transports = 1 << TRANSPORT_TCP,
	.may = "connect, read the controller's description, disconnect",
	.judge = judge_pcworx,
};
