/*
 * BACnet/IP (ASHRAE 135 Annex J): devices, those behind routers too, and what they say of themselves.
 *
 * BVLC: 81 | function | length (2, of the whole datagram) | by function | NPDU
 *
 * NPDU (clause 6.2), the fields in brackets as the control octet says:
 *   01 | control | [DNET 2, DLEN, DADR] | [SNET 2, SLEN, SADR] | [hops] | [network message type] | APDU
 * APDU (clause 20): type << 4 | flags, then by type; its data are tags, see bacnet_tag.h
 *
 * BACnet has no clients and servers: all are peers. A source network (SNET) makes the sender a router
 * and the device behind it a sub-asset, named by its instance; by network and address alone where
 * it tells properties but not its instance. A Forwarded-NPDU speaks for the address it names, not for the BBMD
 * that sends it.
 */
#include "classifiers/api/classifier.h"
#include "classifiers/api/compose.h"
#include "classifiers/api/utf8.h"
#include "classifiers/ics/bacnet.h"
#include "classifiers/ics/bacnet_tag.h"
#include "classifiers/ics/bacnet_vendor.h"

#include <stdio.h>

enum {
	BACNET_PORT = 47808,
	BVLC_TYPE = 0x81,
	NPDU_VERSION = 1,
	MAC_MAX = 7,
	INSTANCE_BITS = 0x3fffff,
	INSTANCE_ANY = 0x3fffff, /* the wildcard, and a device that was given no number yet */
	TEXT_BYTES = 256,
	DEPTH_MAX = 12,
	LOOKED_UP = 60, /* confidence, per cent */
};

enum bvlc_function {
	BVLC_RESULT, BVLC_WRITE_BDT, BVLC_READ_BDT, BVLC_READ_BDT_ACK, BVLC_FORWARDED, BVLC_REGISTER, BVLC_READ_FDT,
	BVLC_READ_FDT_ACK, BVLC_DELETE_FDT, BVLC_DISTRIBUTE, BVLC_UNICAST, BVLC_BROADCAST, BVLC_SECURE, BVLC_FUNCTIONS
};

enum npdu_control { HAS_MESSAGE = 0x80, HAS_DEST = 0x20, HAS_SOURCE = 0x08, CONTROL_RESERVED = 0x50 };
enum network_message { I_AM_ROUTER = 0x01, NETWORK_NUMBER_IS = 0x13 };
enum apdu_type { CONFIRMED_REQUEST, UNCONFIRMED_REQUEST, SIMPLE_ACK, COMPLEX_ACK };
enum apdu_flag { SEGMENTED = 0x08, MORE_FOLLOWS = 0x04 };
enum confirmed_service { CONFIRMED_COV = 1, CONFIRMED_EVENT = 2, READ_PROPERTY = 12, READ_PROPERTY_MULTIPLE = 14 };
enum unconfirmed_service { I_AM, I_HAVE, UNCONFIRMED_COV, UNCONFIRMED_EVENT, WHO_AM_I = 13 };

enum property {
	APPLICATION_SOFTWARE = 12, DESCRIPTION = 28, FIRMWARE = 44, LOCATION = 58, MODEL = 70, OBJECT_IDENTIFIER = 75,
	OBJECT_NAME = 77, SYSTEM_STATUS = 112, VENDOR_ID = 120, VENDOR_NAME = 121, SERIAL_NUMBER = 372,
};

/* Whom the message speaks for. */
struct origin {
	enum side side;
	struct endpoint other; /* side OTHER */
	const char *protocol;
	unsigned port;         /* of its sender, 0 on Ethernet */
	bool routed;
	uint16_t network;      /* routed: SNET and SADR */
	uint8_t mac_len;
	uint8_t mac[MAC_MAX];
	char path[FINDING_PATH_BYTES];
};

/* Where the reading of a ReadProperty(Multiple) answer stands; kept between its segments. */
struct walk {
	uint32_t object;
	uint32_t property;
	uint8_t service;
	uint8_t depth;
	bool in_error;
};

/* An answer in segments. A tag that a segment's end cuts is carried over when it is short. */
struct bacnet_memo {
	struct walk walk;
	uint32_t whom; /* network and address it comes from */
	uint8_t invoke;
	uint8_t next;
	bool active;
	uint8_t carried;
	uint8_t carry[32];
};

_Static_assert(sizeof(struct bacnet_memo) <= MEMO_BYTES, "the memo has 64 bytes");

static void state(struct reader *r, const struct origin *o, enum attribute a, struct cursor text)
{
	if (o->side == OTHER)
		tell_other(r, &o->other, o->path, a, text);
	else
		tell(r, o->side, o->path, a, text);
}

static void state_text(struct reader *r, const struct origin *o, enum attribute a, const char *text)
{
	state(r, o, a, cursor_over(text, strlen(text)));
}

static void state_number(struct reader *r, const struct origin *o, enum attribute a, uint32_t number)
{
	char text[16];
	struct composed t = compose_in(text, sizeof text);

	compose_number(&t, number);
	state_text(r, o, a, text);
}

/* The number is what the device says; the name is looked up and gives way to one that a device tells. */
static void state_vendor(struct reader *r, const struct origin *o, uint32_t id)
{
	const char *name = bacnet_vendor(id);
	uint16_t at;

	state_number(r, o, ATTR_VENDOR_ID, id);
	at = r->told->count;
	if (name)
		state_text(r, o, ATTR_VENDOR, name);
	if (r->told->count > at)
		r->told->items[at].confidence = LOOKED_UP;
}

/* Names the sub-asset that a routed message is about: by instance where it is known, else by where it sits. */
static void set_path(struct origin *o, uint32_t instance)
{
	struct composed t = compose_in(o->path, sizeof o->path);

	if (!o->routed)
		return;
	compose_text(&t, o->protocol);
	compose_text(&t, "/");
	compose_number(&t, o->port);
	if (instance != INSTANCE_ANY) {
		compose_text(&t, "/device:");
		compose_number(&t, instance);
		return;
	}
	compose_text(&t, "/net:");
	compose_number(&t, o->network);
	compose_text(&t, "/mac:");
	for (unsigned i = 0; i < o->mac_len; i++)
		compose_hex(&t, o->mac[i], 2);
}

/* The object of a message: a device object says which device speaks. */
static void state_instance(struct reader *r, struct origin *o, uint32_t object)
{
	uint32_t instance = object & INSTANCE_BITS;

	if (object >> 22 != BACNET_DEVICE)
		return;
	set_path(o, instance);
	if (o->side != OTHER && o->routed)
		tell_subasset(r, o->side, o->path);
	if (instance != INSTANCE_ANY)
		state_number(r, o, ATTR_NETWORK_ADDRESS, instance);
}

/* Clause 20.2.9. UTF-8 and ISO 8859-1 are left to the one who cleans all text; of code pages only their ASCII part comes through. */
static void state_string(struct reader *r, const struct origin *o, enum attribute a, struct cursor c)
{
	enum { UTF8, DBCS, JIS, UCS4, UCS2, LATIN1 };
	char text[TEXT_BYTES];
	uint8_t set = cursor_u8(&c);

	if (set == UCS4 || set == UCS2)
		c = cursor_over(text, utf8_from_wide(text, sizeof text, c, set == UCS4 ? 4 : 2));
	if (set == DBCS)
		cursor_skip(&c, 2);
	state(r, o, a, c);
}

static void state_status(struct reader *r, const struct origin *o, uint64_t status)
{
	static const char *const words[] = { "operational", "operational-read-only", "download-required",
					     "download-in-progress", "non-operational", "backup-in-progress" };

	if (status < sizeof words / sizeof *words)
		state_text(r, o, ATTR_STATE, words[status]);
}

static enum attribute text_attribute(uint32_t property)
{
	switch (property) {
	case VENDOR_NAME: return ATTR_VENDOR;
	case MODEL: return ATTR_PRODUCT;
	case FIRMWARE: return ATTR_FIRMWARE;
	case APPLICATION_SOFTWARE: return ATTR_SOFTWARE;
	case OBJECT_NAME: return ATTR_NAME;
	case LOCATION: return ATTR_LOCATION;
	case DESCRIPTION: return ATTR_DESCRIPTION;
	case SERIAL_NUMBER: return ATTR_SERIAL;
	default: return ATTR_NONE;
	}
}

/* One value of a property of a device object. */
static void read_value(struct reader *r, struct origin *o, uint32_t property, const struct bacnet_tag *t)
{
	struct cursor c = t->content;
	size_t len = cursor_left(&c);

	if (t->number == TAG_STRING && text_attribute(property) != ATTR_NONE)
		state_string(r, o, text_attribute(property), c);
	else if (t->number == TAG_UNSIGNED && property == VENDOR_ID && len <= 2)
		state_number(r, o, ATTR_VENDOR_ID, (uint32_t)cursor_be(&c, len));
	else if (t->number == TAG_ENUMERATED && property == SYSTEM_STATUS && len == 1)
		state_status(r, o, cursor_u8(&c));
	else if (t->number == TAG_OBJECT && property == OBJECT_IDENTIFIER && len == 4)
		state_instance(r, o, cursor_u32be(&c));
}

/*
 * One tag of an answer (clauses 15.5.1.2, 15.7.1.2). ReadProperty: 0 object, 1 property, 2 index, 3
 * opens the value. ReadPropertyMultiple: 0 object, 1 opens a list of 2 property, 3 index, 4 opens the
 * value or 5 an error. False when the answer is none.
 */
static bool walk_tag(struct reader *r, struct origin *o, struct walk *w, struct bacnet_tag *t)
{
	bool multiple = w->service == READ_PROPERTY_MULTIPLE;
	unsigned value_depth = multiple ? 2 : 1;
	size_t len = cursor_left(&t->content);

	if (t->opening) {
		if (w->depth + 1u == value_depth)
			w->in_error = t->number == 5;
		return ++w->depth < DEPTH_MAX;
	}
	if (t->closing)
		return w->depth-- != 0;
	if (w->depth == 0 && t->context && t->number == 0 && len == 4) {
		w->object = cursor_u32be(&t->content);
		state_instance(r, o, w->object);
	} else if (w->depth + 1u == value_depth && t->context && t->number == value_depth && len <= 4) {
		w->property = (uint32_t)cursor_be(&t->content, len);
	} else if (w->depth == value_depth && !t->context && !w->in_error && w->object >> 22 == BACNET_DEVICE) {
		read_value(r, o, w->property, t);
	}
	return true;
}

/* Returns the bytes of a tag that was cut at the end. */
static struct cursor walk_answer(struct reader *r, struct origin *o, struct walk *w, struct cursor c)
{
	struct bacnet_tag t;

	while (cursor_left(&c)) {
		struct cursor at = c;

		if (!bacnet_read_tag(&c, &t))
			return at;
		if (!walk_tag(r, o, w, &t))
			break;
	}
	return cursor_over(c.at, 0);
}

static uint32_t whom(const struct origin *o)
{
	uint32_t h = o->network;

	for (unsigned i = 0; i < o->mac_len; i++)
		h = h * 31 + o->mac[i] + 1;
	return h;
}

/* A segment after the first: goes on with the tag that the one before it cut. */
static void continue_answer(struct reader *r, struct origin *o, struct bacnet_memo *m, struct cursor c)
{
	uint8_t joined[sizeof m->carry + 1500];
	size_t n = cursor_left(&c);

	set_path(o, m->walk.object >> 22 == BACNET_DEVICE ? m->walk.object & INSTANCE_BITS : INSTANCE_ANY);
	if (n > 1500)
		n = 1500;
	memcpy(joined, m->carry, m->carried);
	(void)cursor_copy(&c, joined + m->carried, n);
	c = walk_answer(r, o, &m->walk, cursor_over(joined, m->carried + n));
	m->active = cursor_left(&c) <= sizeof m->carry;
	m->carried = 0;
	if (m->active) {
		m->carried = (uint8_t)cursor_left(&c);
		(void)cursor_copy(&c, m->carry, m->carried);
	}
}

static void read_segment(struct reader *r, struct origin *o, uint8_t flags, uint8_t invoke, struct cursor c)
{
	struct bacnet_memo *m = r->memo;
	uint8_t sequence = cursor_u8(&c), service;

	cursor_skip(&c, 1);
	service = cursor_u8(&c);
	if (!m || !cursor_ok(&c) || (service != READ_PROPERTY && service != READ_PROPERTY_MULTIPLE))
		return;
	if (sequence == 0) {
		memset(m, 0, sizeof *m);
		m->active = true;
		m->walk.service = service;
		m->invoke = invoke;
		m->whom = whom(o);
	} else if (!m->active || m->invoke != invoke || m->next != sequence || m->whom != whom(o)) {
		return;
	}
	m->next = (uint8_t)(sequence + 1);
	continue_answer(r, o, m, c);
	m->active = m->active && flags & MORE_FOLLOWS;
}

static void read_complex_ack(struct reader *r, struct origin *o, uint8_t flags, struct cursor c)
{
	struct walk w = { 0 };
	uint8_t invoke = cursor_u8(&c);

	if (flags & SEGMENTED) {
		read_segment(r, o, flags, invoke, c);
		return;
	}
	w.service = cursor_u8(&c);
	if (w.service == READ_PROPERTY || w.service == READ_PROPERTY_MULTIPLE)
		(void)walk_answer(r, o, &w, c);
}

/* Clause 16.10.2: device, largest APDU, segmentation, vendor. */
static void read_i_am(struct reader *r, struct origin *o, struct cursor c)
{
	uint32_t object, apdu, segmentation, vendor;

	if (!bacnet_read_number(&c, TAG_OBJECT, &object) || !bacnet_read_number(&c, TAG_UNSIGNED, &apdu) ||
	    !bacnet_read_number(&c, TAG_ENUMERATED, &segmentation) || !bacnet_read_number(&c, TAG_UNSIGNED, &vendor))
		return;
	if (object >> 22 != BACNET_DEVICE || segmentation > 3 || vendor > 0xffff)
		return;
	state_instance(r, o, object);
	if ((object & INSTANCE_BITS) == INSTANCE_ANY)
		state_number(r, o, ATTR_NETWORK_ADDRESS, INSTANCE_ANY);
	state_vendor(r, o, vendor);
}

/* Clause 16.9.2: device, object, its name. */
static void read_i_have(struct reader *r, struct origin *o, struct cursor c)
{
	uint32_t device, object;
	struct bacnet_tag name;

	if (!bacnet_read_number(&c, TAG_OBJECT, &device) || !bacnet_read_number(&c, TAG_OBJECT, &object) || !bacnet_read_tag(&c, &name))
		return;
	state_instance(r, o, device);
	if (object == device && name.number == TAG_STRING && !name.context)
		state_string(r, o, ATTR_NAME, name.content);
}

/* Addendum 135-2016bz: vendor, model, serial number of a device that waits for its instance. */
static void read_who_am_i(struct reader *r, struct origin *o, struct cursor c)
{
	uint32_t vendor;
	struct bacnet_tag model, serial;

	if (!bacnet_read_number(&c, TAG_UNSIGNED, &vendor) || !bacnet_read_tag(&c, &model) || !bacnet_read_tag(&c, &serial))
		return;
	set_path(o, INSTANCE_ANY);
	state_vendor(r, o, vendor);
	if (model.number == TAG_STRING && serial.number == TAG_STRING) {
		state_string(r, o, ATTR_PRODUCT, model.content);
		state_string(r, o, ATTR_SERIAL, serial.content);
	}
}

/* Notifications of values and events (clauses 13.1, 13.8) name the device they come from in tag 1. */
static void read_notification(struct reader *r, struct origin *o, struct cursor c)
{
	struct bacnet_tag process, device;

	if (!bacnet_read_tag(&c, &process) || !bacnet_read_tag(&c, &device))
		return;
	if (process.context && process.number == 0 && device.context && device.number == 1 && cursor_left(&device.content) == 4)
		state_instance(r, o, cursor_u32be(&device.content));
}

static void read_unconfirmed(struct reader *r, struct origin *o, struct cursor c)
{
	switch (cursor_u8(&c)) {
	case I_AM: read_i_am(r, o, c); break;
	case I_HAVE: read_i_have(r, o, c); break;
	case WHO_AM_I: read_who_am_i(r, o, c); break;
	case UNCONFIRMED_COV:
	case UNCONFIRMED_EVENT: read_notification(r, o, c); break;
	default: break;
	}
}

static void read_confirmed(struct reader *r, struct origin *o, uint8_t flags, struct cursor c)
{
	uint8_t service;

	cursor_skip(&c, 2);
	service = cursor_u8(&c);
	if (!(flags & SEGMENTED) && (service == CONFIRMED_COV || service == CONFIRMED_EVENT))
		read_notification(r, o, c);
}

static void read_apdu(struct reader *r, struct origin *o, struct cursor c)
{
	uint8_t first = cursor_u8(&c);

	switch (first >> 4) {
	case CONFIRMED_REQUEST: read_confirmed(r, o, first & 15, c); break;
	case UNCONFIRMED_REQUEST: read_unconfirmed(r, o, c); break;
	case COMPLEX_ACK: read_complex_ack(r, o, first & 15, c); break;
	default: break;
	}
}

static void read_network_message(struct reader *r, struct origin *o, struct cursor c)
{
	char path[FINDING_PATH_BYTES];

	if (cursor_u8(&c) != I_AM_ROUTER)
		return;
	o->path[0] = 0;
	state_text(r, o, ATTR_ROLE, "router");
	while (o->side != OTHER && !o->routed && cursor_left(&c) >= 2) {
		snprintf(path, sizeof path, "%s/%u/net:%u", o->protocol, o->port, cursor_u16be(&c));
		tell_subasset(r, o->side, path);
	}
}

/* Source network and address; zero and all ones are no networks. */
static bool read_source(struct cursor *c, struct origin *o)
{
	o->network = cursor_u16be(c);
	o->mac_len = cursor_u8(c);
	o->routed = true;
	return o->mac_len && o->mac_len <= MAC_MAX && o->network && o->network != 0xffff && cursor_copy(c, o->mac, o->mac_len);
}

/* True for the header of an NPDU; what follows is read as far as it can be. */
static bool read_npdu(struct reader *r, struct origin *o, struct cursor c)
{
	uint8_t version = cursor_u8(&c), control = cursor_u8(&c);

	if (!cursor_ok(&c) || version != NPDU_VERSION || control & CONTROL_RESERVED)
		return false;
	if (control & HAS_DEST) {
		cursor_skip(&c, 2);
		cursor_skip(&c, cursor_u8(&c));
	}
	if (control & HAS_SOURCE && !read_source(&c, o))
		return false;
	if (control & HAS_DEST)
		cursor_skip(&c, 1);
	if (!cursor_ok(&c))
		return false;
	if (control & HAS_MESSAGE) {
		read_network_message(r, o, c);
		return true;
	}
	set_path(o, INSTANCE_ANY);
	read_apdu(r, o, c);
	if (o->routed && o->side != OTHER)
		tell_text(r, o->side, NULL, ATTR_ROLE, "router");
	return true;
}

bool bacnet_read_npdu(struct reader *r, const char *protocol, struct cursor npdu)
{
	struct origin o = { .side = SENDER, .protocol = protocol };

	return read_npdu(r, &o, npdu);
}

/* The first sender's address as a BBMD wrote it down (Annex J.2.5). */
static bool read_forwarded(struct reader *r, struct origin *o, struct cursor *c)
{
	struct endpoint e = { .family = 4 };

	if (!cursor_copy(c, e.ip, 4))
		return false;
	o->port = cursor_u16be(c);
	tell_text(r, SENDER, NULL, ATTR_ROLE, "bbmd");
	if (e.ip[0] == 0 || e.ip[0] >= 224)
		return cursor_ok(c);
	if (r->sender->family != 4 || memcmp(r->sender->ip, e.ip, 4) != 0) {
		o->side = OTHER;
		o->other = e;
	}
	return cursor_ok(c);
}

/* Tables of ten-byte entries. */
static bool table_fits(struct reader *r, const struct cursor *c, bool answer)
{
	if (cursor_left(c) % 10)
		return false;
	if (answer)
		tell_text(r, SENDER, NULL, ATTR_ROLE, "bbmd");
	return true;
}

static bool read_bvlc(struct reader *r, uint8_t function, struct cursor c)
{
	struct origin o = { .side = SENDER, .protocol = "bacnet", .port = r->sender_port };

	switch (function) {
	case BVLC_RESULT: return cursor_left(&c) == 2 && (cursor_u16be(&c) & 0xff0f) == 0;
	case BVLC_READ_BDT:
	case BVLC_READ_FDT: return cursor_left(&c) == 0;
	case BVLC_WRITE_BDT: return table_fits(r, &c, false);
	case BVLC_READ_BDT_ACK:
	case BVLC_READ_FDT_ACK: return table_fits(r, &c, true);
	case BVLC_DELETE_FDT: return cursor_left(&c) == 6;
	case BVLC_REGISTER: tell_text(r, SENDER, NULL, ATTR_ROLE, "foreign device"); return cursor_left(&c) == 2;
	case BVLC_FORWARDED: return read_forwarded(r, &o, &c) && read_npdu(r, &o, c);
	case BVLC_SECURE: return cursor_left(&c) > 24;
	default: return read_npdu(r, &o, c);
	}
}

static enum verdict read_bacnet(struct reader *r)
{
	struct cursor c = r->bytes;
	uint8_t type, function;
	size_t whole = cursor_left(&c), length;

	r->sender_role = ROLE_PEER;
	type = cursor_u8(&c);
	function = cursor_u8(&c);
	length = cursor_u16be(&c);
	if (!cursor_ok(&c) || type != BVLC_TYPE || function >= BVLC_FUNCTIONS)
		return NOT_MINE;
	/* The whole length must agree: random datagrams on this port are common enough. */
	if (length != whole && !(r->truncated && length > whole))
		return NOT_MINE;
	return read_bvlc(r, function, c) ? MINE : NOT_MINE;
}

/* Of the device itself, whole: reading, writing, and what is read of objects that are not the device. */
static bool glance_apdu(struct cursor c)
{
	uint8_t first = cursor_u8(&c), type = first >> 4, service;

	if (type == CONFIRMED_REQUEST)
		cursor_skip(&c, 2);
	else if (type == COMPLEX_ACK)
		cursor_skip(&c, 1);
	service = cursor_u8(&c);
	if (first & SEGMENTED || !cursor_ok(&c))
		return false;
	switch (type) {
	case CONFIRMED_REQUEST:
		return service != CONFIRMED_COV && service != CONFIRMED_EVENT;
	case UNCONFIRMED_REQUEST:
		return service > UNCONFIRMED_EVENT && service != WHO_AM_I;
	case COMPLEX_ACK:
		return (service != READ_PROPERTY && service != READ_PROPERTY_MULTIPLE) || !bacnet_names_device(c);
	default:
		return true;
	}
}

static bool glance_bacnet(struct glance *g, void *memo)
{
	struct cursor c = g->bytes;
	size_t whole = cursor_left(&c);
	uint8_t type = cursor_u8(&c), function = cursor_u8(&c), control;
	uint16_t length = cursor_u16be(&c);

	(void)memo;
	if (type != BVLC_TYPE || (function != BVLC_UNICAST && function != BVLC_BROADCAST) || length != whole || cursor_u8(&c) != NPDU_VERSION)
		return false;
	control = cursor_u8(&c);
	if (control & (CONTROL_RESERVED | HAS_SOURCE | HAS_MESSAGE))
		return false;
	if (control & HAS_DEST) {
		cursor_skip(&c, 2);
		cursor_skip(&c, cursor_u8(&c));
		cursor_skip(&c, 1);
	}
	cursor_rest(&g->bytes);
	return cursor_ok(&c) && glance_apdu(c);
}

const struct classifier classifier_bacnet = {
	.name = "bacnet",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { BACNET_PORT, BACNET_PORT + 1, BACNET_PORT + 2, BACNET_PORT + 3, BACNET_PORT + 4 },
	.read = read_bacnet,
	.glance = glance_bacnet,
};
