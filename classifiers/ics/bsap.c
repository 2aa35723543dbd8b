/*
 * BSAP over IP: Emerson (Bristol) ControlWave controllers and the stations below them.
 *
 * Emerson D301401X012 "ControlWave Protocol Reference"; the form in UDP is not published and follows what
 * controllers send. Numbers are little-endian.
 *
 *	UDP 1234   0              2          4          6          10      14 (or 22)
 *	          +--------------+----------+----------+----------+-------+-------------+----+----------+---------
 *	          | header bytes | messages | function | sequence | ack   | data bytes  | 0C | sequence | request
 *	          +--------------+----------+----------+----------+-------+-------------+----+----------+---------
 *	UDP 1235  10 02 | address | serial number | ... | 10 03 | crc      with 10 doubled inside
 *
 * An address from 80 on is followed by destination and source in the whole tree of stations.
 */
#include "classifiers/api/role.h"

#include <stdio.h>

enum {
	BSAP_PORT = 1234, SERIAL_PORT = 1235,
	HEADER_BYTES = 14, LONG_HEADER_BYTES = 22,
	SERIAL_MAX_BYTES = 600,
	GLOBAL = 0x80,
	DLE = 0x10, STX = 0x02, ETX = 0x03,
	ENOUGH = 3,
	TOLD = 12,
};

enum function { POLL = 0, ACKNOWLEDGE = 1, RESPONSE = 5, REQUEST = 6, REQUEST_84 = 84, REQUEST_86 = 86 };
enum { APPLICATION_RDB = 0xa0 };

struct memo {
	uint8_t told[TOLD];      /* local addresses told last, 0 none */
	uint16_t told_global[4];
	uint8_t next;
	uint8_t good;
	bool named;
	bool mine;
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* CRC-16 of X.25 over the bytes without stuffing and the closing ETX, as the frames show it. */
static uint16_t add_crc(uint16_t crc, uint8_t byte)
{
	crc ^= byte;
	for (int i = 0; i < 8; i++)
		crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1);
	return crc;
}

/* Undoes the stuffing; length of the frame, 0 when it is none or its CRC is wrong. */
static size_t read_serial_frame(struct cursor c, uint8_t to[SERIAL_MAX_BYTES])
{
	uint16_t crc = 0xffff;
	size_t n = 0;

	if (cursor_u8(&c) != DLE || cursor_u8(&c) != STX)
		return 0;
	while (cursor_left(&c) && n < SERIAL_MAX_BYTES) {
		uint8_t b = cursor_u8(&c);

		if (b == DLE) {
			b = cursor_u8(&c);
			if (b == ETX)
				return cursor_u16le(&c) == add_crc(crc, ETX) && cursor_ok(&c) ? n : 0;
			if (b != DLE)
				return 0;
		}
		to[n++] = b;
		crc = add_crc(crc, b);
	}
	return 0;
}

static bool told_global(struct memo *memo, uint16_t address)
{
	for (int i = 0; i < 4; i++)
		if (memo->told_global[i] == address)
			return true;
	memo->told_global[memo->next % 4] = address;
	memo->next++;
	return false;
}

static bool told_local(struct memo *memo, uint8_t address)
{
	if (memchr(memo->told, address, TOLD))
		return true;
	memo->told[memo->next % TOLD] = address;
	memo->next++;
	return false;
}

/* An address 0 is the master's. What a station sends bears the address of the one it goes to, or its own. */
static void tell_stations(struct reader *r, struct memo *memo, struct cursor c)
{
	uint8_t local = cursor_u8(&c);
	char path[FINDING_PATH_BYTES];
	uint16_t to, from;

	if (local < GLOBAL) {
		if (local == 0 || told_local(memo, local))
			return;
		snprintf(path, sizeof path, "bsap/%u/local:%u", r->receiver_port, local);
		tell_subasset(r, RECEIVER, path);
		return;
	}
	cursor_skip(&c, 1);
	to = cursor_u16le(&c);
	from = cursor_u16le(&c);
	if (!cursor_ok(&c))
		return;
	if (to && !told_global(memo, to)) {
		snprintf(path, sizeof path, "bsap/%u/global:0x%04x", r->receiver_port, to);
		tell_subasset(r, RECEIVER, path);
	}
	if (from && !told_global(memo, from)) {
		snprintf(path, sizeof path, "bsap/%u/global:0x%04x", r->sender_port, from);
		tell_subasset(r, SENDER, path);
	}
}

/* A frame that goes to station 0 is an answer to the master, one to another address a question of his. */
static enum verdict read_serial(struct reader *r, struct memo *memo)
{
	uint8_t frame[SERIAL_MAX_BYTES];
	size_t n = read_serial_frame(r->bytes, frame);

	if (n < 5)
		return NOT_MINE;
	r->sender_role = frame[0] & ~GLOBAL ? ROLE_CLIENT : ROLE_SERVER;
	tell_stations(r, memo, cursor_over(frame, n));
	return MINE;
}

/* "@GV." begins the names of global variables on a ControlWave; older Bristol stations have none. */
static void read_request(struct reader *r, struct memo *memo, struct cursor c)
{
	static const char global[] = "@GV.";

	cursor_skip(&c, 4 + 1 + 4);
	if (memo->named || cursor_u8(&c) != APPLICATION_RDB)
		return;
	while (cursor_left(&c) >= sizeof global) {
		if (cursor_starts(&c, global, sizeof global - 1)) {
			memo->named = true;
			tell_text(r, RECEIVER, NULL, ATTR_VENDOR, "Emerson");
			tell_text(r, RECEIVER, NULL, ATTR_PRODUCT, "ControlWave");
			return;
		}
		cursor_skip(&c, 1);
	}
}

static uint8_t role_of(uint16_t function)
{
	if (function == RESPONSE)
		return ROLE_SERVER;
	return function == REQUEST || function == REQUEST_84 || function == REQUEST_86 ? ROLE_CLIENT : ROLE_UNKNOWN;
}

/*
 * With messages inside, lengths chain to the datagram's end. A bare acknowledgement is a header alone: it
 * takes several, at the usual port.
 */
static enum verdict read_native(struct reader *r, struct memo *memo)
{
	struct cursor c = r->bytes, data;
	size_t whole = cursor_left(&c);
	uint16_t header_bytes = cursor_u16le(&c), messages = cursor_u16le(&c), function = cursor_u16le(&c);
	bool port = r->sender_port == BSAP_PORT || r->receiver_port == BSAP_PORT;

	if ((header_bytes != HEADER_BYTES && header_bytes != LONG_HEADER_BYTES) || whole < header_bytes ||
	    (function > ACKNOWLEDGE && function != RESPONSE && function != REQUEST && function != REQUEST_84 && function != REQUEST_86))
		return NOT_MINE;
	cursor_skip(&c, header_bytes - 6u);
	data = c;
	if (messages == 0 && cursor_left(&c) == 0) {
		r->sender_role = role_or_guess(r, role_by_port(r, BSAP_PORT));
		if (!memo->mine && port && memo->good < ENOUGH)
			memo->good++;
		memo->mine |= memo->good >= ENOUGH;
		return memo->mine ? MINE : port ? MAYBE : NOT_MINE;
	}
	for (unsigned i = 0; i < messages && i < 16; i++) {
		uint32_t n = cursor_u32le(&c);

		if (n < 9 || !cursor_ok(&c))
			return NOT_MINE;
		cursor_skip(&c, n - 4);
	}
	if (!cursor_ok(&c) || messages == 0 || messages > 16 || cursor_left(&c))
		return NOT_MINE;
	memo->mine = true;
	r->sender_role = role_of(function) != ROLE_UNKNOWN ? role_of(function) : role_or_guess(r, role_by_port(r, BSAP_PORT));
	if (r->sender_role == ROLE_CLIENT)
		read_request(r, memo, data);
	return MINE;
}

static enum verdict read_bsap(struct reader *r)
{
	struct cursor c = r->bytes;

	return cursor_peek(&c, 0) == DLE ? read_serial(r, r->memo) : read_native(r, r->memo);
}

static void forget_bsap(void *flow)
{
	struct memo *memo = flow;

	memset(memo->told, 0, sizeof memo->told);
	memset(memo->told_global, 0, sizeof memo->told_global);
}

const struct classifier classifier_bsap = {
	.name = "bsap",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { BSAP_PORT, SERIAL_PORT },
	.read = read_bsap,
	.forget = forget_bsap,
};
