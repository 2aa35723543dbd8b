/*
 * What engineers do over CIP: services of objects that hold programs, modes and settings.
 *
 * ODVA, The CIP Networks Library, volume 1 appendix A (common services), 5-2 (identity: reset), 5-42 (file). The
 * objects of Logix controllers are Rockwell's own (0x8E controller, 0x68 program, 0x6A routine, 0xA1 flash) and
 * known from what its tools send.
 */
#ifndef CLASSIFIERS_ICS_CIP_ACTIVITY_H
#define CLASSIFIERS_ICS_CIP_ACTIVITY_H

#include "classifiers/api/classifier.h"
#include "classifiers/ics/cip_path.h"

enum cip_act {
	CIP_SET_ALL = 0x02, CIP_SET_LIST = 0x04, CIP_RESET = 0x05, CIP_START = 0x06, CIP_STOP = 0x07, CIP_CREATE = 0x08,
	CIP_DELETE = 0x09, CIP_SEVERAL = 0x0a, CIP_SET = 0x10, CIP_FILE_UPLOAD = 0x4b, CIP_FILE_DOWNLOAD = 0x4c, CIP_WRITE_TAG = 0x4d,
	CIP_CHANGE_TAG = 0x4e, CIP_READ_ROUTINE = 0x4f, CIP_FORWARDED = 0x52, CIP_WRITE_PART = 0x53,
};

enum cip_held {
	CIP_IDENTITY = 0x01, CIP_ROUTER = 0x02, CIP_MANAGER = 0x06, CIP_FILE = 0x37, CIP_PROGRAM_NAME = 0x64, CIP_PROGRAM = 0x68, CIP_ROUTINE = 0x6a,
	CIP_CONTROLLER = 0x8e, CIP_FLASH = 0xa1, CIP_TCPIP = 0xf5, CIP_LINK = 0xf6,
};

enum { CIP_ACTS_LOOKED_AT = 16 };

static inline bool cip_sets(uint8_t service)
{
	return service == CIP_SET_ALL || service == CIP_SET_LIST || service == CIP_SET;
}

static inline enum activity cip_activity_of(uint8_t service, uint16_t class)
{
	switch (class) {
	case CIP_IDENTITY:
		return service == CIP_RESET ? ACTIVITY_RESET : ACTIVITY_NONE;
	case CIP_CONTROLLER:
		return service == CIP_START ? ACTIVITY_MODE_RUN : service == CIP_STOP ? ACTIVITY_MODE_STOP :
		       service == CIP_RESET ? ACTIVITY_RESET : cip_sets(service) ? ACTIVITY_CONFIGURATION : ACTIVITY_NONE;
	case CIP_PROGRAM:
	case CIP_ROUTINE:
		return service == CIP_CREATE || service == CIP_DELETE || cip_sets(service) ? ACTIVITY_ONLINE_EDIT :
		       service == CIP_READ_ROUTINE ? ACTIVITY_PROGRAM_UPLOAD : ACTIVITY_NONE;
	case CIP_FILE:
		return service == CIP_FILE_DOWNLOAD ? ACTIVITY_PROGRAM_DOWNLOAD : service == CIP_FILE_UPLOAD ? ACTIVITY_PROGRAM_UPLOAD : ACTIVITY_NONE;
	case CIP_FLASH:
		return service >= CIP_FILE_UPLOAD && service <= CIP_READ_ROUTINE ? ACTIVITY_FIRMWARE_UPDATE : ACTIVITY_NONE;
	case CIP_TCPIP:
	case CIP_LINK:
		return cip_sets(service) ? ACTIVITY_CONFIGURATION : service == CIP_RESET ? ACTIVITY_RESET : ACTIVITY_NONE;
	default:
		return ACTIVITY_NONE;
	}
}

/* The object of one request; the last class of its path is meant. */
static inline void cip_tell_one(struct reader *r, struct cursor c)
{
	uint8_t service = cursor_u8(&c);
	struct cursor path = cursor_take(&c, 2u * cursor_u8(&c));
	struct cip_path p = cip_read_path(path);
	enum activity a = p.good && cursor_ok(&c) ? cip_activity_of(service, p.class) : ACTIVITY_NONE;

	if (service == CIP_WRITE_TAG || service == CIP_CHANGE_TAG || service == CIP_WRITE_PART)
		r->signs |= SIGN_WRITE;
	if (a != ACTIVITY_NONE)
		tell_activity(r, NULL, a, "service 0x%02x on class 0x%02x", service, p.class);
}

/* Several requests in one: count, offsets from the count on. */
static inline void cip_tell_several(struct reader *r, struct cursor c)
{
	struct cursor table = c;
	uint16_t count = cursor_u16le(&table);

	for (unsigned i = 0; i < count && i < CIP_ACTS_LOOKED_AT && cursor_ok(&table); i++) {
		struct cursor one = c;

		cursor_skip(&one, cursor_u16le(&table));
		if (cursor_ok(&one) && cursor_ok(&table))
			cip_tell_one(r, one);
	}
}

/* A whole request of a client, also one that is forwarded over a backplane. Reading tags, the bulk of all traffic, ends at once. */
static inline void cip_tell_activities(struct reader *r, struct cursor request)
{
	struct cursor c = request;
	uint8_t service = cursor_u8(&c);
	struct cip_path p;
	uint16_t length;

	if (service == 0x01 || service == 0x03 || service == 0x0e || (service == CIP_FILE_DOWNLOAD && cursor_peek(&c, 1) == 0x91))
		return;
	if (service != CIP_SEVERAL && service != CIP_FORWARDED) {
		cip_tell_one(r, request);
		return;
	}
	p = cip_read_path(cursor_take(&c, 2u * cursor_u8(&c)));
	if (!p.good || !cursor_ok(&c))
		return;
	if (service == CIP_FORWARDED && p.class == CIP_MANAGER) {
		cursor_skip(&c, 2); /* priority and time-out ticks */
		length = cursor_u16le(&c);
		request = cursor_take(&c, length);
		c = request;
		if (!cursor_ok(&request) || cursor_u8(&c) != CIP_SEVERAL) {
			if (cursor_ok(&request))
				cip_tell_one(r, request);
			return;
		}
		p = cip_read_path(cursor_take(&c, 2u * cursor_u8(&c)));
		if (!p.good || !cursor_ok(&c))
			return;
	}
	if (p.class == CIP_ROUTER)
		cip_tell_several(r, c);
}

/*
 * The class that a short path of usual form names, 20 cc and an instance 24 ii or 25 00 iiii: the bulk of all cyclic
 * requests. 0 for a symbol's, -1 for any other path.
 */
static inline int cip_glance_class(struct cursor path)
{
	size_t left = cursor_left(&path);
	uint8_t first = cursor_u8(&path), class = cursor_u8(&path), second = cursor_u8(&path);

	if (first == 0x91)
		return 0;
	if (first != 0x20 || !((second == 0x24 && left == 4) || (second == 0x25 && left == 6)))
		return -1;
	return class;
}

/* True for one request to an object of which nothing is ever told or kept. */
static inline bool cip_glance_one(struct cursor c, uint8_t *signs)
{
	uint8_t service = cursor_u8(&c);
	int class = cip_glance_class(cursor_take(&c, 2u * cursor_u8(&c)));

	switch (class) {
	case -1:
	case CIP_IDENTITY:
	case CIP_ROUTER:
	case CIP_MANAGER:
	case CIP_FILE:
	case CIP_PROGRAM_NAME:
	case CIP_PROGRAM:
	case CIP_ROUTINE:
	case CIP_CONTROLLER:
	case CIP_FLASH:
	case CIP_TCPIP:
	case CIP_LINK:
		return false;
	default:
		break;
	}
	if (service == CIP_WRITE_TAG || service == CIP_CHANGE_TAG || service == CIP_WRITE_PART)
		*signs |= SIGN_WRITE;
	return cursor_ok(&c);
}

/* The same for a request that may be several in one, for the router. */
static inline bool cip_glance_request(struct cursor request, uint8_t *signs)
{
	static const uint8_t several[6] = { CIP_SEVERAL, 2, 0x20, CIP_ROUTER, 0x24, 1 };
	struct cursor c = request, table;
	uint16_t count;

	if (!cursor_starts(&c, several, sizeof several))
		return cip_glance_one(request, signs);
	cursor_skip(&c, sizeof several);
	table = c;
	count = cursor_u16le(&table);
	for (unsigned i = 0; i < count && i < CIP_ACTS_LOOKED_AT; i++) {
		struct cursor one = c;

		cursor_skip(&one, cursor_u16le(&table));
		if (!cursor_ok(&table) || !cip_glance_one(one, signs))
			return false;
	}
	return true;
}

/* An answer: service, reserved, status. 6 says that more is to come. */
static inline void cip_tell_error(struct reader *r, struct cursor reply)
{
	uint8_t status;

	cursor_skip(&reply, 2);
	status = cursor_u8(&reply);
	if (cursor_ok(&reply) && status && status != 6)
		r->signs |= SIGN_ERROR;
}

#endif
