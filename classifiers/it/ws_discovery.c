/*
 * WS-Discovery: cameras, printers and Windows hosts that announce and look for each other. OASIS WS-Discovery 1.1 and the
 * draft of April 2005; scopes as ONVIF Core, 7.3.2.2 has them; Windows' types DPWS.
 *
 *  SOAP over UDP: <Envelope> with <Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/KIND</Action>, KIND one of
 *  Hello, Bye, Probe, ProbeMatches, Resolve, ResolveMatches, and of devices
 *  <EndpointReference><Address>urn:uuid:...</Address>, <Types>, <Scopes>, <XAddrs>, <MetadataVersion>
 *
 * Elements are found by their local name: prefixes are each program's own.
 */
#include "classifiers/api/classifier.h"

#include <strings.h>

enum { PORT_DISCOVERY = 3702, UUID_BYTES = 36, WORDS_MAX = 32 };

static bool has(struct cursor c, const char *word)
{
	size_t len = strlen(word);

	while (cursor_left(&c) >= len) {
		ptrdiff_t at = cursor_find(&c, (uint8_t)word[0]);

		if (at < 0)
			return false;
		cursor_skip(&c, (size_t)at);
		if (cursor_starts(&c, word, len))
			return true;
		cursor_skip(&c, 1);
	}
	return false;
}

/* The text of the next element of that name, and c behind its start tag; a bad cursor without one. */
static struct cursor take_element(struct cursor *c, const char *name)
{
	size_t len = strlen(name);
	ptrdiff_t at;

	while ((at = cursor_find(c, '<')) >= 0) {
		struct cursor tag, text;
		ptrdiff_t colon;

		cursor_skip(c, (size_t)at + 1);
		at = cursor_find(c, '>');
		if (at < 0)
			break;
		tag = cursor_take(c, (size_t)at);
		cursor_skip(c, 1);
		colon = cursor_find(&tag, ':');
		if (colon > 0 && !memchr(tag.at, ' ', (size_t)colon))
			cursor_skip(&tag, (size_t)colon + 1);
		if (!cursor_starts(&tag, name, len) || (cursor_left(&tag) > len && tag.at[len] != ' '))
			continue;
		text = *c;
		at = cursor_find(&text, '<');
		if (at < 0)
			break;
		return cursor_take(&text, (size_t)at);
	}
	return (struct cursor){ c->at, c->at, true };
}

/* The next of the words that blanks or line ends stand between. */
static bool take_word(struct cursor *c, struct cursor *word)
{
	const uint8_t *start;

	while (cursor_left(c) && *c->at <= ' ')
		cursor_skip(c, 1);
	start = c->at;
	while (cursor_left(c) && *c->at > ' ')
		cursor_skip(c, 1);
	*word = cursor_over(start, (size_t)(c->at - start));
	return c->at > start;
}

static void tell_address(struct reader *r, struct cursor c)
{
	static const char uuid[] = "uuid:";

	for (; cursor_left(&c) >= UUID_BYTES + strlen(uuid); cursor_skip(&c, 1))
		if (strncasecmp((const char *)c.at, uuid, strlen(uuid)) == 0) {
			cursor_skip(&c, strlen(uuid));
			tell(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, cursor_take(&c, UUID_BYTES));
			return;
		}
}

/* "wsdp:Device pub:Computer": the first says nothing that the second doesn't. */
static void tell_types(struct reader *r, struct cursor c)
{
	struct cursor word;

	for (int n = 0; n < WORDS_MAX && take_word(&c, &word); n++) {
		ptrdiff_t colon = cursor_find(&word, ':');

		if (colon >= 0)
			cursor_skip(&word, (size_t)colon + 1);
		if (!(cursor_left(&word) == 6 && cursor_starts(&word, "Device", 6)))
			tell(r, SENDER, NULL, ATTR_DEVICE_CLASS, word);
	}
}

/* "%20" and the like. */
static void tell_decoded(struct reader *r, enum attribute a, struct cursor c)
{
	char text[FINDING_VALUE_BYTES];
	size_t n = 0;

	while (cursor_left(&c) && n < sizeof text - 1) {
		char b = (char)cursor_u8(&c), hex[3] = "";

		if (b == '%' && cursor_left(&c) >= 2 && strspn((memcpy(hex, c.at, 2), hex), "0123456789abcdefABCDEF") == 2) {
			unsigned high = (unsigned)(hex[0] | 0x20), low = (unsigned)(hex[1] | 0x20);

			b = (char)((high > '9' ? high - 'a' + 10 : high & 15) << 4 | (low > '9' ? low - 'a' + 10 : low & 15));
			cursor_skip(&c, 2);
		}
		text[n++] = b;
	}
	tell(r, SENDER, NULL, a, cursor_over(text, n));
}

/* "onvif://www.onvif.org/name/Gate%20camera" and its kin. */
static void tell_scopes(struct reader *r, struct cursor c)
{
	static const char prefix[] = "onvif://www.onvif.org/";
	static const struct { const char *name; enum attribute attribute; } scopes[] = {
		{ "name/", ATTR_NAME }, { "hardware/", ATTR_PRODUCT }, { "location/", ATTR_LOCATION }, { "manufacturer/", ATTR_VENDOR },
	};
	struct cursor word;

	for (int n = 0; n < WORDS_MAX && take_word(&c, &word); n++) {
		if (!cursor_starts(&word, prefix, strlen(prefix)))
			continue;
		cursor_skip(&word, strlen(prefix));
		for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
			if (cursor_starts(&word, scopes[i].name, strlen(scopes[i].name))) {
				cursor_skip(&word, strlen(scopes[i].name));
				tell_decoded(r, scopes[i].attribute, word);
			}
	}
}

static void read_device(struct reader *r)
{
	struct cursor c = r->bytes, references = c, word, addresses;

	take_element(&references, "EndpointReference");
	tell_address(r, take_element(&references, "Address"));
	tell_types(r, take_element(&c, "Types"));
	c = r->bytes;
	tell_scopes(r, take_element(&c, "Scopes"));
	c = r->bytes;
	addresses = take_element(&c, "XAddrs");
	for (int n = 0; n < WORDS_MAX && take_word(&addresses, &word); n++)
		tell(r, SENDER, NULL, ATTR_URI, word);
}

/* The action's last word. */
static struct cursor kind_of(struct cursor action)
{
	ptrdiff_t slash;

	while ((slash = cursor_find(&action, '/')) >= 0)
		cursor_skip(&action, (size_t)slash + 1);
	while (action.end > action.at && action.end[-1] <= ' ')
		action.end--;
	return action;
}

static bool is_word(struct cursor c, const char *word)
{
	return cursor_left(&c) == strlen(word) && cursor_starts(&c, word, strlen(word));
}

static enum verdict read_ws_discovery(struct reader *r)
{
	struct cursor c = r->bytes, kind;
	bool asks, leaves;

	while (cursor_left(&c) && (*c.at <= ' ' || *c.at >= 0xef)) /* a byte order mark may stand first */
		cursor_skip(&c, 1);
	if (!cursor_starts(&c, "<", 1) || !has(c, "Envelope") ||
	    !(has(c, "schemas.xmlsoap.org/ws/2005/04/discovery") || has(c, "docs.oasis-open.org/ws-dd/ns/discovery/2009/01")))
		return NOT_MINE;
	kind = kind_of(take_element(&c, "Action"));
	asks = is_word(kind, "Probe") || is_word(kind, "Resolve");
	leaves = is_word(kind, "Bye");
	if (!asks && !leaves && !is_word(kind, "Hello") && !is_word(kind, "ProbeMatches") && !is_word(kind, "ResolveMatches"))
		return NOT_MINE;
	r->sender_role = asks ? ROLE_CLIENT : ROLE_PEER;
	r->service_port = PORT_DISCOVERY;
	if (!asks && !leaves)
		read_device(r);
	return MINE;
}

const struct classifier classifier_ws_discovery = {
	.name = "ws_discovery",
	.transports = 1 << TRANSPORT_UDP,
	.ports = { PORT_DISCOVERY },
	.read = read_ws_discovery,
};
