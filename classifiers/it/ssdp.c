/*
 * SSDP: devices that announce and look for each other, as UPnP has it. UPnP Device Architecture 2.0, 1.2 and 1.3.
 *
 *  "NOTIFY * HTTP/1.1" | "M-SEARCH * HTTP/1.1" | "HTTP/1.1 200 OK", then {NAME: value CRLF}... CRLF
 *  announcement: NT, NTS, USN, LOCATION, SERVER      search: MAN: "ssdp:discover", ST      answer: ST, USN, LOCATION, SERVER
 *  SERVER = system/version UPnP/version product/version
 */
#include "classifiers/api/classifier.h"

enum { PORT_SSDP = 1900, UUID_BYTES = 36 };
enum kind { NO_SSDP, ANNOUNCEMENT, SEARCH, ANSWER };

/* Fields without which it would be some other HTTP over UDP. */
struct fields {
	bool target; /* NT or ST */
	bool usn;
	bool nts;
	bool man;
};

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && cursor_starts_any_case(&c, word);
}

static enum kind read_first_line(struct cursor line)
{
	if (cursor_starts_any_case(&line, "NOTIFY * HTTP/1."))
		return ANNOUNCEMENT;
	if (cursor_starts_any_case(&line, "M-SEARCH * HTTP/1."))
		return SEARCH;
	return cursor_starts_any_case(&line, "HTTP/1.1 200") || cursor_starts_any_case(&line, "HTTP/1.0 200") ? ANSWER : NO_SSDP;
}

static struct cursor take_word(struct cursor *c)
{
	ptrdiff_t end = cursor_find(c, ' ');
	struct cursor word = cursor_take(c, end < 0 ? cursor_left(c) : (size_t)end);

	cursor_skip(c, end < 0 ? 0 : 1);
	return word;
}

/* The first of the three words is the system, when the second one is UPnP's. */
static void tell_server(struct reader *r, struct cursor value)
{
	struct cursor c = value, system = take_word(&c), upnp = take_word(&c);

	tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
	if (system.end > system.at && system.end[-1] == ',')
		system.end--;
	if (cursor_starts_any_case(&upnp, "UPnP/") && cursor_find(&system, '/') > 0)
		tell(r, SENDER, NULL, ATTR_OS, system);
}

/* "urn:schemas-upnp-org:device:MediaServer:1" */
static void tell_device_type(struct reader *r, struct cursor value)
{
	static const char device[] = ":device:";
	ptrdiff_t end;

	if (!cursor_starts_any_case(&value, "urn:"))
		return;
	while (cursor_left(&value) > strlen(device) && !cursor_starts_any_case(&value, device))
		cursor_skip(&value, 1);
	if (!cursor_starts_any_case(&value, device))
		return;
	cursor_skip(&value, strlen(device));
	end = cursor_find(&value, ':');
	if (end > 0)
		tell(r, SENDER, NULL, ATTR_DEVICE_CLASS, cursor_take(&value, (size_t)end));
}

/* "uuid:....::upnp:rootdevice": of several devices in one, each has its own. */
static void tell_usn(struct reader *r, struct cursor value)
{
	if (!cursor_starts_any_case(&value, "uuid:"))
		return;
	cursor_skip(&value, 5);
	if (cursor_left(&value) == UUID_BYTES || (cursor_left(&value) > UUID_BYTES && value.at[UUID_BYTES] == ':'))
		tell(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, cursor_take(&value, UUID_BYTES));
}

static void read_field(struct reader *r, enum kind kind, struct fields *f, struct cursor name, struct cursor value)
{
	if (is_word(name, "NT") || is_word(name, "ST")) {
		f->target = cursor_left(&value) > 0;
		if (kind != SEARCH)
			tell_device_type(r, value);
	} else if (is_word(name, "USN")) {
		f->usn = true;
		tell_usn(r, value);
	} else if (is_word(name, "NTS")) {
		f->nts = cursor_starts_any_case(&value, "ssdp:") || cursor_starts_any_case(&value, "upnp:");
	} else if (is_word(name, "MAN")) {
		f->man = cursor_starts_any_case(&value, "\"ssdp:") || cursor_starts_any_case(&value, "ssdp:");
	} else if (is_word(name, "SERVER") && kind != SEARCH) {
		tell_server(r, value);
	} else if (is_word(name, "USER-AGENT") && kind == SEARCH) {
		tell(r, SENDER, NULL, ATTR_SOFTWARE, value);
	} else if (is_word(name, "LOCATION") && kind != SEARCH) {
		tell(r, SENDER, NULL, ATTR_URI, value);
	}
}

static void trim(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
	while (c->end > c->at && (c->end[-1] == ' ' || c->end[-1] == '\t'))
		c->end--;
}

static void read_fields(struct reader *r, enum kind kind, struct fields *f, struct cursor c)
{
	for (;;) {
		struct cursor line = cursor_line(&c), name;
		ptrdiff_t colon;

		/* The last line of a datagram may lack its end. */
		if (!cursor_ok(&line))
			line = cursor_rest(&c);
		if (cursor_left(&line) == 0)
			return;
		colon = cursor_find(&line, ':');
		if (colon <= 0)
			continue;
		name = cursor_take(&line, (size_t)colon);
		cursor_skip(&line, 1);
		trim(&name);
		trim(&line);
		read_field(r, kind, f, name, line);
	}
}

static enum verdict read_ssdp(struct reader *r)
{
	struct cursor c = r->bytes, line = cursor_line(&c);
	struct fields f = { 0 };
	enum kind kind = cursor_ok(&line) ? read_first_line(line) : NO_SSDP;
	bool good;

	if (kind == NO_SSDP)
		return NOT_MINE;
	read_fields(r, kind, &f, c);
	good = kind == SEARCH ? f.man || f.target : kind == ANSWER ? f.target && f.usn : f.nts || (f.target && f.usn);
	if (!good)
		return NOT_MINE;
	r->sender_role = kind == SEARCH ? ROLE_CLIENT : ROLE_PEER;
	r->service_port = PORT_SSDP;
	return MINE;
}

const struct classifier classifier_ssdp = {
	.name = "ssdp",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_SSDP },
	.read = read_ssdp,
};
