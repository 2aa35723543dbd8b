/*
 * PROFINET real time: cyclic process data, alarms and clock synchronisation on layer 2.
 *
 * IEC 61158-6-10. Ethertype 0x8892; the frame id says what a frame is. DCP, which has the ids FEFC to
 * FEFF, is read by profinet_dcp.c.
 *
 *	+----------+--------------------------+-----------------+-------------+-----------------+
 *	| frame id | process data, at least 40| cycle counter 2 | data status | transfer status | cyclic
 *	+----------+------------+-------------+---+------+------+----+--------+-+---------------+
 *	| frame id | to 2 | from 2 | version, type | flags| send 2 | ack 2 | length 2 | ...         alarm
 *	+----------+------+--------+---------------+------+--------+-------+----------+
 *	| frame id | reserved and sequence 18 | TLVs: type and length 2, ...                        PTCP
 *	+----------+--------------------------+
 *
 * They come by the thousand each second and name nobody but by their MAC: they are recognised, no more.
 */
#include "classifiers/api/classifier.h"

enum { ETHERTYPE_PROFINET = 0x8892, CYCLIC_BYTES = 2 + 40 + 4, ALARM_BYTES = 2 + 12, PTCP_BYTES = 2 + 18 };
enum frame_id {
	CYCLIC_FIRST = 0x0100, CYCLIC_LAST = 0xfbff, ALARM_HIGH = 0xfc01,
	ALARM_LOW = 0xfe01,
};
enum { DATA_STATUS_RESERVED = 0x48, ALARM_VERSION = 1, ALARM_TYPES = 4 };

/* The last four bytes of the frame; no bit of the transfer status says anything but "broken". */
static bool is_cyclic(struct cursor c, bool truncated)
{
	uint8_t data_status, transfer_status;

	if (truncated)
		return cursor_left(&c) > 2;
	if (cursor_left(&c) < CYCLIC_BYTES)
		return false;
	cursor_skip(&c, cursor_left(&c) - 2);
	data_status = cursor_u8(&c);
	transfer_status = cursor_u8(&c);
	return transfer_status == 0 && !(data_status & DATA_STATUS_RESERVED);
}

static bool is_alarm(struct cursor c)
{
	uint8_t type;
	bool whole = cursor_left(&c) >= ALARM_BYTES;

	cursor_skip(&c, 2 + 4);
	type = cursor_u8(&c);
	return whole && type >> 4 == ALARM_VERSION && (type & 15) >= 1 && (type & 15) <= ALARM_TYPES;
}

static bool is_ptcp(uint16_t id, const struct cursor *c)
{
	if (cursor_left(c) < PTCP_BYTES)
		return false;
	return id == 0x0020 || id == 0x0021 || id == 0x0080 || id == 0x0081 || id == 0xff00 || id == 0xff01 || id == 0xff20 ||
	       id == 0xff21 || (id >= 0xff40 && id <= 0xff43);
}

static enum verdict read_profinet_rt(struct reader *r)
{
	struct cursor c = r->bytes;
	uint16_t id = cursor_u16be(&c);
	bool fits;

	if (id >= CYCLIC_FIRST && id <= CYCLIC_LAST)
		fits = is_cyclic(r->bytes, r->truncated);
	else if (id == ALARM_HIGH || id == ALARM_LOW)
		fits = is_alarm(r->bytes);
	else
		fits = is_ptcp(id, &r->bytes);
	if (!cursor_ok(&c) || !fits)
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	return MINE;
}

static bool glance_profinet_rt(struct glance *g, void *memo)
{
	struct cursor c = g->bytes;
	uint16_t id = cursor_u16be(&c);

	(void)memo;
	return id >= CYCLIC_FIRST && id <= CYCLIC_LAST && is_cyclic(g->bytes, false);
}

const struct classifier classifier_profinet_rt = {
	.name = "profinet_rt",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_PROFINET },
	.read = read_profinet_rt,
	.glance = glance_profinet_rt,
};
