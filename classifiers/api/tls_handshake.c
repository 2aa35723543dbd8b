/*
 * Reads hellos and certificates of a handshake. RFC 5246, 7.4; RFC 6066, 3; RFC 6347, 4.2; RFC 8446, 4.
 * The client's fingerprint is JA4.
 */
#include "classifiers/api/tls_handshake.h"

#include "classifiers/api/ja4.h"
#include "classifiers/api/x509.h"

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_SIGNATURES = 13, EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };
enum { SUBJECT_NAMES_TOLD = 4, CHAIN_TOLD = 8 };

struct hello {
	struct ja4 fingerprint;
	struct cursor server_name;
};

bool tls_handshake_type(uint8_t type)
{
	return type <= 6 || type == 8 || (type >= 11 && type <= 16) || (type >= 20 && type <= 25) || type == 67;
}

static bool version_fits(enum tls_carrier carrier, uint16_t version)
{
	return version >> 8 == (carrier == TLS_OVER_UDP ? 0xfe : 3);
}

/* DTLS counts its versions downwards. */
static bool newer(enum tls_carrier carrier, uint16_t version, uint16_t than)
{
	return than == 0 || (carrier == TLS_OVER_UDP ? version < than : version > than);
}

static void read_versions(struct hello *h, struct cursor c)
{
	enum tls_carrier carrier = (enum tls_carrier)h->fingerprint.transport;
	struct cursor list = cursor_take(&c, cursor_u8(&c));

	h->fingerprint.version = 0;
	while (cursor_left(&list) >= 2) {
		uint16_t v = cursor_u16be(&list);

		if (!ja4_grease(v) && newer(carrier, v, h->fingerprint.version))
			h->fingerprint.version = v;
	}
}

static void read_server_name(struct hello *h, struct cursor c)
{
	struct cursor list = cursor_take(&c, cursor_u16be(&c));
	uint8_t kind = cursor_u8(&list);

	h->server_name = cursor_take(&list, cursor_u16be(&list));
	if (kind != 0)
		cursor_fail(&h->server_name);
}

/* The first protocol's first and last byte. */
static void read_alpn(struct hello *h, struct cursor c)
{
	struct cursor first;

	cursor_skip(&c, 2);
	first = cursor_take(&c, cursor_u8(&c));
	if (cursor_left(&first) == 0)
		return;
	h->fingerprint.alpn[0] = first.at[0];
	h->fingerprint.alpn[1] = first.end[-1];
}

static void read_extension(struct hello *h, uint16_t type, struct cursor c)
{
	ja4_extension(&h->fingerprint, type);
	switch (type) {
	case EXTENSION_SERVER_NAME:
		read_server_name(h, c);
		break;
	case EXTENSION_ALPN:
		read_alpn(h, c);
		break;
	case EXTENSION_VERSIONS:
		read_versions(h, c);
		break;
	case EXTENSION_SIGNATURES:
		cursor_skip(&c, 2);
		while (cursor_left(&c) >= 2)
			ja4_signature(&h->fingerprint, cursor_u16be(&c));
		break;
	}
}

static bool read_extensions(struct hello *h, struct cursor c)
{
	struct cursor extensions = cursor_take(&c, cursor_u16be(&c));

	if (!cursor_ok(&extensions) || cursor_left(&c))
		return false;
	while (cursor_left(&extensions)) {
		uint16_t type = cursor_u16be(&extensions);
		struct cursor value = cursor_take(&extensions, cursor_u16be(&extensions));

		if (!cursor_ok(&value))
			return false;
		read_extension(h, type, value);
	}
	return true;
}

/* {version}{random 32}{session id}[DTLS: {cookie}]{ciphers}{compressions}[{extensions}], to the byte */
static bool read_hello(enum tls_carrier carrier, struct cursor c, struct hello *h)
{
	struct cursor session, ciphers, compressions;

	h->fingerprint.transport = (char)carrier;
	h->fingerprint.version = cursor_u16be(&c);
	cursor_skip(&c, 32);
	session = cursor_take(&c, cursor_u8(&c));
	if (carrier == TLS_OVER_UDP)
		cursor_skip(&c, cursor_u8(&c));
	ciphers = cursor_take(&c, cursor_u16be(&c));
	compressions = cursor_take(&c, cursor_u8(&c));
	if (!cursor_ok(&c) || !version_fits(carrier, h->fingerprint.version) || cursor_left(&session) > 32 ||
	    cursor_left(&ciphers) < 2 || cursor_left(&ciphers) % 2 || cursor_left(&compressions) == 0)
		return false;
	while (cursor_left(&ciphers))
		ja4_cipher(&h->fingerprint, cursor_u16be(&ciphers));
	return cursor_left(&c) == 0 || read_extensions(h, c);
}

/*
 * The server's name is the client's word for it. It is told as a URI: as a host name it would stand
 * among those that the device itself gave, and one address of a big provider has hundreds.
 */
bool tls_read_client_hello(struct reader *r, enum tls_carrier carrier, struct cursor body)
{
	char fingerprint[JA4_BYTES];
	struct hello h;

	memset(&h, 0, sizeof h);
	h.server_name = cursor_over("", 0);
	if (!read_hello(carrier, body, &h))
		return false;
	if (ja4_text(&h.fingerprint, fingerprint))
		tell_text(r, SENDER, NULL, ATTR_FINGERPRINT, fingerprint);
	if (cursor_left(&h.server_name) && cursor_left(&h.server_name) < 256)
		tell_format(r, RECEIVER, NULL, ATTR_URI, "sni:%.*s", (int)cursor_left(&h.server_name),
			    (const char *)h.server_name.at);
	return true;
}

/* {version}{random 32}{session id}{cipher}{compression}[{extensions}] */
bool tls_read_server_hello(enum tls_carrier carrier, struct cursor body)
{
	uint16_t version = cursor_u16be(&body);
	struct cursor session;

	cursor_skip(&body, 32);
	session = cursor_take(&body, cursor_u8(&body));
	cursor_skip(&body, 3);
	if (!cursor_ok(&body) || !version_fits(carrier, version) || cursor_left(&session) > 32)
		return false;
	if (cursor_left(&body) == 0)
		return true;
	cursor_skip(&body, cursor_u16be(&body));
	return cursor_ok(&body) && cursor_left(&body) == 0;
}

/* Names that a few-named holder gives itself; a long list is of a provider and names nobody. */
static void tell_subject_names(struct reader *r, struct cursor names)
{
	struct cursor count = names, value;
	unsigned n = 0;
	uint8_t kind;

	while (x509_next_name(&count, &kind, &value))
		n++;
	if (n > SUBJECT_NAMES_TOLD)
		return;
	while (x509_next_name(&names, &kind, &value)) {
		if (kind == X509_URI)
			tell(r, SENDER, NULL, ATTR_URI, value);
		else if (kind == X509_DNS_NAME && cursor_left(&value) && value.at[0] != '*')
			tell(r, SENDER, NULL, ATTR_HOSTNAME, value);
	}
}

static void tell_name(struct reader *r, enum attribute a, struct cursor name)
{
	char text[FINDING_VALUE_BYTES];

	tell(r, SENDER, NULL, a, cursor_over(text, x509_name_text(name, text, sizeof text)));
}

bool tls_read_certificate(struct reader *r, struct cursor der)
{
	struct x509 x;

	if (!x509_read(der, &x))
		return false;
	tell_name(r, ATTR_CERTIFICATE, x.subject);
	tell_name(r, ATTR_ISSUER, x.issuer);
	tell_subject_names(r, x.subject_names);
	return true;
}

static struct cursor next_certificate(struct cursor *list)
{
	size_t len = cursor_u24be(list);

	return cursor_take(list, len < cursor_left(list) ? len : cursor_left(list));
}

/* The common name is not told as the device's: it is as often a pattern of names, or a provider's. */
bool tls_read_certificates(struct reader *r, struct cursor body)
{
	struct cursor der;
	struct x509 x;

	cursor_skip(&body, 3);
	der = next_certificate(&body);
	if (!tls_read_certificate(r, der))
		return false;
	for (int n = 1; n < CHAIN_TOLD; n++) {
		der = next_certificate(&body);
		if (!x509_read(der, &x))
			break;
		tell_name(r, ATTR_ISSUER, x.issuer);
	}
	return true;
}
