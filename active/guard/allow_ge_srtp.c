/*
 * GE SRTP: the connect of 56 zeros, and the service that returns controller type and id (43).
 * GFK-0529C, chapter 6 (the services, there for SNP).
 *
 *   | type 1 | 0 | sequence 1 | 0 | text length 2 | ... | 31: C0 | source 4 | destination 4 | 01 01 | service 1 | 13 zeros |
 *
 * 07 to 09 write, 20 to 22 log on and change rights, 23 runs and stops, 24 sets the clock, 39 clears
 * faults, 3f and 40 load programs, 44 forces.
 */
#include "active/guard/allow.h"

enum { CONNECT = 0, REQUEST = 2, MESSAGE_BYTES = 56, CONTROLLER_ID = 0x43 };

static const uint8_t zeros[MESSAGE_BYTES];

/* Up to the sequence number, which stands at 2 and 30; the time of day (26 to 28) is left at zero. */
static bool take_head(struct ask *q, uint8_t *sequence)
{
	bool plain = cursor_u8(&q->bytes) == 0;

	*sequence = cursor_u8(&q->bytes);
	plain &= ask_takes(q, zeros, 6) && cursor_u8(&q->bytes) == 1 && ask_takes(q, zeros, 7);
	return plain && cursor_u8(&q->bytes) == 1 && ask_takes(q, zeros, 12);
}

static bool judge_request(struct ask *q)
{
	uint8_t sequence, slot, service;

	if (!take_head(q, &sequence) || cursor_u8(&q->bytes) != sequence || !ask_takes(q, "\xc0\0\0\0\0", 5))
		return ask_refuse(q, "the header is not that of a request without text");
	slot = cursor_u8(&q->bytes);
	if (slot == 0 || slot & 0x0f || slot > 0x30 || !ask_takes(q, "\x0e\0\0\1\1", 5))
		return ask_refuse(q, "the destination is not the controller in slot 1, 2 or 3");
	service = cursor_u8(&q->bytes);
	if (service != CONTROLLER_ID)
		return ask_refuse(q, "service 0x%02x is not the return of controller type and id (0x43)", service);
	if (!ask_takes(q, zeros, 13))
		return ask_refuse(q, "the service carries something");
	return ask_reads(q, "read type and id of the controller in slot %u", slot >> 4);
}

static bool judge_ge_srtp(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes);

	if (type == REQUEST)
		return judge_request(q);
	if (type != CONNECT || !ask_takes(q, zeros, MESSAGE_BYTES - 1))
		return ask_refuse(q, "type 0x%02x is neither request nor the connect of %d zeros", type, MESSAGE_BYTES);
	return ask_reads(q, "connect");
}

const struct allow allow_ge_srtp = {
	.name = "ge_srtp",
	.transports = 1 << TRANSPORT_TCP,
	.may = "connect, return controller type and id (service 43)",
	.judge = judge_ge_srtp,
};
