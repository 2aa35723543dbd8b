/*
 * CODESYS V2: login, which is answered by the runtime's description, and logout.
 *
 *   | bb bb | length 4, in the processor's byte order, = 1 | service 1 |
 *
 * Of some 90 services these two; 03 starts, 04 stops, 06 writes, 13 resets, 2f to 36 are files.
 */
#include "active/guard/allow.h"

enum { LOGIN = 1, LOGOUT = 2 };

static bool judge_codesys_v2(struct ask *q)
{
	uint8_t length[4] = { 0 }, service;

	if (!ask_takes(q, "\xbb\xbb", 2))
		return ask_refuse(q, "the message does not begin with bb bb");
	cursor_copy(&q->bytes, length, sizeof(length));
	service = cursor_u8(&q->bytes);
	if (memcmp(length, "\1\0\0\0", 4) != 0 && memcmp(length, "\0\0\0\1", 4) != 0)
		return ask_refuse(q, "the service carries something");
	if (service == LOGIN)
		return ask_reads(q, "login without a name, answered by the description");
	if (service == LOGOUT)
		return ask_reads(q, "logout");
	return ask_refuse(q, "service 0x%02x is neither login nor logout", service);
}

const struct allow allow_codesys_v2 = {
	.name = "codesys_v2",
	.transports = 1 << TRANSPORT_TCP,
	.may = "login and logout",
	.judge = judge_codesys_v2,
};
