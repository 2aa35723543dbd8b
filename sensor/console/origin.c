/* Host, Origin and Sec-Fetch-Site. */
#include "sensor/console/origin.h"

#include <stdio.h>
#include <string.h>

enum { HOST_BYTES = 256 };

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* "host", "host:port", "[v6]:port": the host alone, a v6 without its brackets. False when it is none of these. */
static bool read_host(const char *text, char host[HOST_BYTES])
{
	const char *end = text[0] == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	const char *from = text + (text[0] == '['), *rest = end ? end + (text[0] == '[') : NULL;

	if (!end || end == from || end - from >= HOST_BYTES)
		return false;
	if (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")] != 0))
		return false;
	snprintf(host, HOST_BYTES, "%.*s", (int)(end - from), from);
	return true;
}

/* The port is not looked at: a tunnel may give it another number. */
static bool is_ours(const char *host, const struct tls *tls)
{
	static const char *const local[] = { "localhost", "127.0.0.1", "::1" };

	if (tls)
		return tls_is_for(tls, host);
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		if (strcasecmp(local[i], host) == 0)
			return true;
	return false;
}

static bool is_same(const char *origin, const char *host, const struct tls *tls)
{
	const char *scheme = tls ? "https://" : "http://";

	return strncmp(origin, scheme, strlen(scheme)) == 0 && strcasecmp(origin + strlen(scheme), host) == 0;
}

struct answer origin_check(struct MHD_Connection *c, const struct tls *tls, bool changes)
{
	const char *host = header(c, MHD_HTTP_HEADER_HOST), *origin = header(c, MHD_HTTP_HEADER_ORIGIN), *site = header(c, "Sec-Fetch-Site");
	char name[HOST_BYTES];

	if (!host || !read_host(host, name) || !is_ours(name, tls))
		return answer_error(MHD_HTTP_MISDIRECTED_REQUEST, "this server has another name: %s",
				    tls ? "one that its certificate is for" : "localhost or 127.0.0.1");
	if ((changes && !origin) || (origin && !is_same(origin, host, tls)))
		return answer_error(MHD_HTTP_FORBIDDEN, "only the console's own page may ask this");
	/* "none" is what a person typed; a link from elsewhere may open the page, and nothing else. */
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
		const char *mode = header(c, "Sec-Fetch-Mode");

		if (changes || !mode || strcmp(mode, "navigate") != 0)
			return answer_error(MHD_HTTP_FORBIDDEN, "only the console's own page may ask this");
	}
	return (struct answer){ NULL, 0 };
}
