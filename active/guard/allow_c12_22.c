/*
 * ANSI C12.22: the identification service, in the clear. ANSI C12.22-2012, 5.3.2.4.1 and 5.3.4.
 *
 *   60 { a2 { called title }, a6 { calling title }, a8 { 02 04 invocation }, be { 28 { 81 { 80 01 20 } } } }
 */
#include "active/guard/allow.h"
#include "classifiers/api/der.h"

enum {
	APDU = 0x60, CALLED = 0xa2, CALLING = 0xa6, INVOCATION = 0xa8, USER = 0xbe, EXTERNAL = 0x28, EPSEM = 0x81,
	RELATIVE = 0x80, IDENTIFY = 0x20, TITLE_MOST = 60,
};

static bool is_title(struct cursor c)
{
	uint8_t tag;
	struct cursor title = der_any(&c, &tag);

	return cursor_ok(&title) && cursor_left(&c) == 0 && (tag == DER_OID || tag == RELATIVE) && cursor_left(&title) >= 1 &&
	       cursor_left(&title) <= TITLE_MOST && !(title.end[-1] & 0x80);
}

static bool judge_c12_22(struct ask *q)
{
	struct cursor apdu = der_take(&q->bytes, APDU), called = der_take(&apdu, CALLED), calling = der_take(&apdu, CALLING);
	struct cursor invocation = der_take(&apdu, INVOCATION), number = der_take(&invocation, DER_INTEGER);
	struct cursor user = der_take(&apdu, USER), external = der_take(&user, EXTERNAL), epsem = der_take(&external, EPSEM);

	if (!cursor_ok(&epsem) || cursor_left(&apdu) || cursor_left(&user) || cursor_left(&external) || cursor_left(&invocation))
		return ask_refuse(q, "the APDU does not hold called and calling title, invocation and user information alone");
	if (!is_title(called) || !is_title(calling) || cursor_left(&number) != 4)
		return ask_refuse(q, "a title or the invocation id is malformed");
	if (cursor_left(&epsem) != 3 || cursor_u8(&epsem) != 0x80 || cursor_u8(&epsem) != 1 || cursor_u8(&epsem) != IDENTIFY)
		return ask_refuse(q, "the service is not identification in the clear (80 01 20)");
	return ask_reads(q, "identify");
}

const struct allow allow_c12_22 = {
	.name = "c12_22",
	.transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP,
	.may = "the identification service, in the clear",
	.judge = judge_c12_22,
};
