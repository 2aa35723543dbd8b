/*
 * MMS: how IEC 61850 clients read and drive protection relays; also ICCP/TASE.2 between control centres.
 *
 * ISO 9506-2, IEC 61850-8-1. MMS stands in presentation (X.226), session (X.225), COTP and TPKT.
 *
 *	TPKT, COTP | 01 00 01 00 | 61 { 30 { 02 context, A0 { A0 { 02 invoke id, service } } } }
 *	             session       presentation             MMS: A0 request, A1 answer, A3 report ...
 *
 * When the session is opened (0D, 0E) the name of MMS is in it: 1.0.9506.2.1 and .3. A long answer comes
 * in several COTP pieces, of which the first is read. What was asked is kept until it is answered,
 * because answers name nothing. Logical devices are things of their own: mms/102/ld:NAME.
 */
#include "classifiers/api/compose.h"
#include "classifiers/api/der.h"
#include "classifiers/ics/tpkt.h"

enum spdu { SPDU_DATA = 1, SPDU_CONNECT = 0x0d, SPDU_ACCEPT = 0x0e };
enum pdu {
	REQUEST = 0xa0, ANSWER = 0xa1, ERROR = 0xa2, REPORT = 0xa3, REJECT = 0xa4, CANCEL = 0x85, CANCELLED = 0x86,
	CANCEL_ERROR = 0xa7, CONCLUDE = 0x8b, CONCLUDED = 0x8c, CONCLUDE_ERROR = 0xad,
};
enum service { GET_NAME_LIST = 0xa1, IDENTIFY = 0xa2, READ = 0xa4 };
enum { USER_DATA = 0x61, CONTEXT_0 = 0xa0, CONTEXT_1 = 0xa1, VISIBLE_STRING = 0x1a, DATA_TEXT = 0x8a, DATA_STRUCTURE = 0xa2 };
enum { CLASS_DOMAIN = 9, ITEMS = 8, PENDING = 3, PHYNAM_PARTS = 7, REPORT_VALUES = 6, DOMAINS_TOLD = 48 };
enum asked { ASKED_NOTHING, ASKED_DOMAINS, ASKED_ITEMS };

struct pending {
	uint32_t invoke;
	uint8_t asked;
	uint8_t count;
	uint8_t item[ITEMS]; /* 1 + index in name_plate, 0 for what is of no interest */
};

struct memo {
	bool mine;
	uint8_t client;   /* 1 + direction of the client, 0 unknown */
	uint8_t fragment; /* bit for each direction: a COTP message goes on */
	uint8_t next;     /* pending to be used next */
	struct pending pending[PENDING];
};

_Static_assert(sizeof(struct memo) <= MEMO_BYTES, "memo too large");

/* IEC 61850-7-3, classes LPL and DPL, as IEC 61850-8-1 names their parts. ATTR_NONE: the structure of all parts. */
static const struct {
	const char *node; /* the logical node's name begins so */
	const char *end;
	enum attribute attribute;
} name_plate[] = {
	{ "LPHD", "$PhyNam$vendor", ATTR_VENDOR },     { "LPHD", "$PhyNam$hwRev", ATTR_HARDWARE },
	{ "LPHD", "$PhyNam$swRev", ATTR_FIRMWARE },    { "LPHD", "$PhyNam$serNum", ATTR_SERIAL },
	{ "LPHD", "$PhyNam$model", ATTR_PRODUCT },     { "LPHD", "$PhyNam$location", ATTR_LOCATION },
	{ "LPHD", "$PhyNam$name", ATTR_NAME },         { "LPHD", "$DC$PhyNam", ATTR_NONE },
	{ "LLN0", "$NamPlt$vendor", ATTR_VENDOR },     { "LLN0", "$NamPlt$swRev", ATTR_SOFTWARE },
	{ "LLN0", "$NamPlt$d", ATTR_DESCRIPTION },
};

/* Opens the next element, of this tag; of a message in pieces as much of it as is here. */
static bool enter(struct cursor *c, uint8_t tag, bool whole)
{
	uint8_t got = cursor_u8(c), first = cursor_u8(c);
	size_t len = first;

	if (got != tag || first == 0x80 || first > 0x84)
		return false;
	if (first > 0x80)
		len = (size_t)cursor_be(c, first & 0x7f);
	if (!cursor_ok(c) || (whole && cursor_left(c) < len))
		return false;
	*c = cursor_take(c, cursor_left(c) < len ? cursor_left(c) : len);
	return true;
}

static void tell_domain(struct reader *r, struct cursor name)
{
	char path[FINDING_PATH_BYTES];
	struct composed t = compose_in(path, sizeof path);
	size_t n = cursor_left(&name);

	if (n == 0 || n > 64)
		return;
	for (struct cursor c = name; cursor_left(&c);) {
		uint8_t b = cursor_u8(&c);

		if (b <= ' ' || b >= 0x7f || b == '"' || b == '\'' || b == '\\' || b == '/')
			return;
	}
	compose_text(&t, "mms/");
	compose_number(&t, r->sender_port);
	compose_text(&t, "/ld:");
	compose_bytes(&t, name.at, n);
	tell_subasset(r, SENDER, path);
}

static struct pending *find_pending(struct memo *memo, uint32_t invoke)
{
	for (int i = 0; i < PENDING; i++)
		if (memo->pending[i].asked && memo->pending[i].invoke == invoke)
			return &memo->pending[i];
	return NULL;
}

static struct pending *new_pending(struct memo *memo, uint32_t invoke, enum asked asked)
{
	struct pending *p = find_pending(memo, invoke);

	if (!p)
		p = &memo->pending[memo->next++ % PENDING];
	memset(p, 0, sizeof *p);
	p->invoke = invoke;
	p->asked = (uint8_t)asked;
	return p;
}

static bool ends_with(const struct cursor *c, const char *end)
{
	size_t n = strlen(end);

	return cursor_left(c) >= n && memcmp(c->end - n, end, n) == 0;
}

static uint8_t item_of(struct cursor name)
{
	for (size_t i = 0; i < sizeof name_plate / sizeof name_plate[0]; i++)
		if (cursor_starts(&name, name_plate[i].node, strlen(name_plate[i].node)) && ends_with(&name, name_plate[i].end))
			return (uint8_t)(i + 1);
	return 0;
}

/* [80 with result], A1 { A0 { 30 { A0 { A1 { 1A domain, 1A item } } } ... } } */
static void keep_items(struct memo *memo, uint32_t invoke, struct cursor c)
{
	uint8_t item[ITEMS] = { 0 }, count = 0, wanted = 0;
	struct cursor flag;

	der_maybe(&c, 0x80, &flag);
	if (!enter(&c, CONTEXT_1, true) || !enter(&c, CONTEXT_0, true))
		return;
	for (; count < ITEMS && cursor_left(&c); count++) {
		struct cursor variable = der_take(&c, DER_SEQUENCE);

		if (!enter(&variable, CONTEXT_0, true) || !enter(&variable, CONTEXT_1, true))
			return;
		(void)der_take(&variable, VISIBLE_STRING);
		item[count] = item_of(der_take(&variable, VISIBLE_STRING));
		wanted |= item[count];
	}
	if (wanted) {
		struct pending *p = new_pending(memo, invoke, ASKED_ITEMS);

		p->count = count;
		memcpy(p->item, item, sizeof p->item);
	}
}

static void read_request(struct memo *memo, uint32_t invoke, struct cursor c)
{
	uint8_t service = cursor_peek(&c, 0);
	struct cursor class;

	if (!enter(&c, service, true))
		return;
	if (service == READ) {
		keep_items(memo, invoke, c);
	} else if (service == GET_NAME_LIST && enter(&c, CONTEXT_0, true)) {
		class = der_take(&c, 0x80);
		if (cursor_left(&class) == 1 && cursor_u8(&class) == CLASS_DOMAIN)
			(void)new_pending(memo, invoke, ASKED_DOMAINS);
	}
}

/* The parts in the order of the class, when all of them are there. */
static void tell_physical_name(struct reader *r, struct cursor c)
{
	struct cursor part[PHYNAM_PARTS];

	for (int i = 0; i < PHYNAM_PARTS; i++)
		part[i] = der_take(&c, DATA_TEXT);
	if (!cursor_ok(&c) || cursor_left(&c))
		return;
	for (int i = 0; i < PHYNAM_PARTS; i++)
		tell(r, SENDER, NULL, name_plate[i].attribute, part[i]);
}

static void read_results(struct reader *r, const struct pending *p, struct cursor c, bool whole)
{
	struct cursor specification;

	der_maybe(&c, CONTEXT_0, &specification);
	if (!enter(&c, CONTEXT_1, whole))
		return;
	for (int i = 0; i < p->count && cursor_left(&c); i++) {
		uint8_t tag;
		struct cursor value = der_any(&c, &tag);
		enum attribute a = p->item[i] ? name_plate[p->item[i] - 1].attribute : ATTR_NONE;

		if (!cursor_ok(&value))
			return;
		if (a != ATTR_NONE && tag == DATA_TEXT)
			tell(r, SENDER, NULL, a, value);
		else if (p->item[i] && a == ATTR_NONE && tag == DATA_STRUCTURE)
			tell_physical_name(r, value);
	}
}

static void read_domains(struct reader *r, struct cursor c, bool whole)
{
	if (!enter(&c, CONTEXT_0, whole))
		return;
	for (int i = 0; i < DOMAINS_TOLD && cursor_left(&c); i++) {
		struct cursor name = der_take(&c, VISIBLE_STRING);

		if (!cursor_ok(&name))
			return;
		tell_domain(r, name);
	}
}

static void tell_identity(struct reader *r, struct cursor c)
{
	struct cursor vendor = der_take(&c, 0x80), model = der_take(&c, 0x81), revision = der_take(&c, 0x82);

	if (!cursor_ok(&c))
		return;
	tell(r, SENDER, NULL, ATTR_VENDOR, vendor);
	tell(r, SENDER, NULL, ATTR_PRODUCT, model);
	tell(r, SENDER, NULL, ATTR_FIRMWARE, revision);
}

static void read_answer(struct reader *r, struct memo *memo, uint32_t invoke, struct cursor c, bool whole)
{
	struct pending *p = find_pending(memo, invoke);
	uint8_t service = cursor_peek(&c, 0);

	if (!enter(&c, service, whole))
		return;
	if (service == IDENTIFY)
		tell_identity(r, c);
	else if (service == GET_NAME_LIST && p && p->asked == ASKED_DOMAINS)
		read_domains(r, c, whole);
	else if (service == READ && p && p->asked == ASKED_ITEMS)
		read_results(r, p, c, whole);
	if (p)
		p->asked = ASKED_NOTHING;
}

/* A report says near its start whose values it brings: "LD/LLN0$DataSet". Other texts are values. */
static void read_report(struct reader *r, struct cursor c, bool whole)
{
	struct cursor name;
	uint8_t tag;

	if (!enter(&c, CONTEXT_0, whole))
		return;
	(void)der_any(&c, &tag); /* the list's name */
	if (!enter(&c, CONTEXT_0, whole))
		return;
	for (int i = 0; i < REPORT_VALUES && cursor_left(&c); i++) {
		struct cursor value = der_any(&c, &tag);
		ptrdiff_t slash = cursor_ok(&value) && tag == DATA_TEXT ? cursor_find(&value, '/') : -1;

		if (slash <= 0)
			continue;
		name = cursor_take(&value, (size_t)slash);
		if (cursor_starts(&value, "/LLN0$", 6))
			tell_domain(r, name);
	}
}

/* True for a tag of MMS's services; other users of the session have universal tags here. */
static bool is_service(struct cursor c)
{
	return cursor_left(&c) >= 2 && (cursor_peek(&c, 0) & 0xc0) == 0x80;
}

static void accept(struct reader *r, struct memo *memo, const struct tpkt *t, bool looks_like_client)
{
	if (!memo->client)
		memo->client = tpkt_client(r, t, looks_like_client);
	memo->mine = true;
	r->sender_role = memo->client == 1 + r->direction ? ROLE_CLIENT : ROLE_SERVER;
}

/* What belongs to a session of ours but is not of MMS alone. */
static enum verdict read_other(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	if (!memo->mine)
		return MAYBE;
	accept(r, memo, t, true);
	return MINE;
}

/* Confirmed services: invoke id, [modifiers], service. */
static enum verdict read_confirmed(struct reader *r, struct memo *memo, const struct tpkt *t, uint8_t pdu, struct cursor c)
{
	struct cursor id = der_take(&c, DER_INTEGER), modifiers;
	uint32_t invoke;

	if (cursor_left(&id) < 1 || cursor_left(&id) > 5)
		return NOT_MINE;
	invoke = (uint32_t)cursor_be(&id, cursor_left(&id));
	der_maybe(&c, DER_SEQUENCE, &modifiers);
	if (!is_service(c))
		return NOT_MINE;
	accept(r, memo, t, pdu == REQUEST);
	if (pdu == REQUEST)
		read_request(memo, invoke, c);
	else
		read_answer(r, memo, invoke, c, t->end);
	return MINE;
}

static enum verdict read_pdu(struct reader *r, struct memo *memo, const struct tpkt *t, struct cursor c)
{
	uint8_t pdu = cursor_peek(&c, 0);

	if (!enter(&c, pdu, t->end))
		return NOT_MINE;
	switch (pdu) {
	case REQUEST:
	case ANSWER:
		return read_confirmed(r, memo, t, pdu, c);
	case ERROR:
		if (cursor_left(&c) < 2 || cursor_peek(&c, 0) != 0x80)
			return NOT_MINE;
		accept(r, memo, t, false);
		return MINE;
	case REPORT:
		if (!is_service(c) || !(cursor_peek(&c, 0) & 0x20))
			return NOT_MINE;
		accept(r, memo, t, false);
		read_report(r, c, t->end);
		return MINE;
	case REJECT:
	case CANCEL:
	case CANCELLED:
	case CANCEL_ERROR:
	case CONCLUDE:
	case CONCLUDED:
	case CONCLUDE_ERROR:
		return read_other(r, memo, t);
	default:
		return NOT_MINE;
	}
}

/* Give tokens, data; then presentation: 61 { 30 { [06 transfer syntax] 02 context, A0 { pdu } } } */
static enum verdict read_session_data(struct reader *r, struct memo *memo, const struct tpkt *t, struct cursor c)
{
	static const uint8_t prefix[4] = { 1, 0, 1, 0 };
	struct cursor syntax, context;

	if (!cursor_starts(&c, prefix, sizeof prefix))
		return NOT_MINE;
	cursor_skip(&c, sizeof prefix);
	if (!enter(&c, USER_DATA, t->end) || !enter(&c, DER_SEQUENCE, t->end))
		return NOT_MINE;
	der_maybe(&c, DER_OID, &syntax);
	context = der_take(&c, DER_INTEGER);
	if (cursor_left(&context) != 1 || !enter(&c, CONTEXT_0, t->end))
		return NOT_MINE;
	return read_pdu(r, memo, t, c);
}

/* The name of MMS, as abstract syntax or as application context, where a session is opened. */
static bool names_mms(struct cursor c)
{
	static const uint8_t name[6] = { 0x06, 0x05, 0x28, 0xca, 0x22, 0x02 };
	ptrdiff_t at;

	while ((at = cursor_find(&c, name[0])) >= 0) {
		cursor_skip(&c, (size_t)at);
		if (cursor_starts(&c, name, sizeof name))
			return true;
		cursor_skip(&c, 1);
	}
	return false;
}

static enum verdict read_session(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	struct cursor c = t->data;
	uint8_t spdu = cursor_peek(&c, 0);

	switch (spdu) {
	case SPDU_DATA:
		return read_session_data(r, memo, t, c);
	case SPDU_CONNECT:
	case SPDU_ACCEPT:
		if (!names_mms(c))
			return memo->mine ? read_other(r, memo, t) : NOT_MINE;
		accept(r, memo, t, spdu == SPDU_CONNECT);
		return MINE;
	default: /* refuse, finish, disconnect, abort and their answers */
		return spdu >= 8 && spdu <= 0x1a ? read_other(r, memo, t) : NOT_MINE;
	}
}

/* COTP data: later pieces of a long message are taken unread. */
static enum verdict read_data(struct reader *r, struct memo *memo, const struct tpkt *t)
{
	uint8_t bit = (uint8_t)(1 << r->direction);
	bool goes_on = memo->fragment & bit && !r->gap;
	enum verdict v;

	if (goes_on || cursor_left(&t->data) == 0) {
		if (t->end)
			memo->fragment &= (uint8_t)~bit;
		return read_other(r, memo, t);
	}
	memo->fragment &= (uint8_t)~bit;
	v = read_session(r, memo, t);
	if (v == MINE && !t->end)
		memo->fragment |= bit;
	return v;
}

static enum verdict read_mms(struct reader *r)
{
	struct memo *memo = r->memo;
	struct cursor c = r->bytes;
	struct tpkt t = { 0 };
	enum verdict v = tpkt_take(&c, &t);

	if (v != MINE)
		return v;
	if (t.type == COTP_DATA) {
		v = read_data(r, memo, &t);
	} else if (t.type != COTP_DISCONNECT && cursor_left(&t.data)) {
		return NOT_MINE;
	} else {
		if (!memo->client && t.type != COTP_DISCONNECT)
			memo->client = tpkt_client(r, &t, true);
		v = read_other(r, memo, &t);
	}
	if (v == MINE || v == MAYBE)
		r->bytes = c;
	return v;
}

const struct classifier classifier_mms = {
	.name = "mms",
	.transports = 1 << TRANSPORT_TCP,
	.ports = { TPKT_PORT },
	.max_message = TPKT_LONGEST,
	.read = read_mms,
};
