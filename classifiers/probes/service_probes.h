/*
 * A file in the format of nmap-service-probes, read into memory: what may be sent to a port to make it
 * speak, and the patterns that tell from an answer who spoke.
 *
 * https://nmap.org/book/vscan-fileformat.html. Nothing of such a file comes with this program; the one
 * that is read is the user's own. This part only reads: it sends nothing, compiles no pattern, and knows
 * neither engine nor prober, so that both can use it.
 *
 *   Exclude T:9100-9107
 *   Probe TCP GetRequest q|GET / HTTP/1.0\r\n\r\n|
 *   rarity 1
 *   ports 80,8000-8010
 *   sslports 443
 *   totalwaitms 6000
 *   fallback GenericLines
 *   match http m|^HTTP/1\.[01] \d\d\d .*\r\nServer: nginx/([\d.]+)|s p/nginx/ v/$1/ cpe:/a:igor_sysoev:nginx:$1/
 *   softmatch http m|^HTTP/1\.[01] \d\d\d|
 */
#ifndef CLASSIFIERS_PROBES_SERVICE_PROBES_H
#define CLASSIFIERS_PROBES_SERVICE_PROBES_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SERVICE_LINE_BYTES = 8191,
	SERVICE_FALLBACKS = 20,
	SERVICE_NAME_BYTES = 64,
	SERVICE_RARITY_DEFAULT = 5,
	SERVICE_WAIT_DEFAULT_MS = 5000,
	SERVICE_FILE_BYTES_MAX = 64 << 20,
	SERVICE_PROBES_MAX = 4096,
	SERVICE_MATCHES_MAX = 1 << 20,
};

/* What a match line can tell. The three CPE names are by their part: application, hardware, system. */
enum service_field { SERVICE_PRODUCT, SERVICE_VERSION, SERVICE_INFO, SERVICE_HOSTNAME, SERVICE_OS, SERVICE_DEVICE,
		     SERVICE_CPE_A, SERVICE_CPE_H, SERVICE_CPE_O, SERVICE_FIELDS };

struct service_match {
	const char *service;
	const char *pattern;                 /* PCRE, 8-bit, ends in a NUL and holds none */
	const char *field[SERVICE_FIELDS];   /* templates for service_template_expand(), NULL where there is none */
	uint32_t pattern_len;
	uint32_t line;
	uint32_t probe;                      /* its index */
	bool soft;                           /* softmatch: the service's name alone is sure */
	bool caseless;
	bool dot_all;
};

struct service_ports {
	uint16_t low, high;                  /* inclusive */
	uint8_t transport;                   /* of Exclude; TRANSPORT_NONE for both */
};

struct service_probe {
	const char *name;
	const uint8_t *payload;              /* after escapes; may hold NULs */
	uint32_t payload_len;                /* 0: the NULL probe, which only listens */
	uint32_t line;
	uint8_t transport;                   /* TRANSPORT_TCP or TRANSPORT_UDP */
	uint8_t rarity;                      /* 1 .. 9 */
	bool no_payload;
	uint32_t total_wait_ms;
	uint32_t tcp_wrapped_ms;             /* NULL probe only; else 0 */
	const struct service_ports *ports, *ssl_ports; /* in ssl_ports inside TLS */
	uint32_t port_count, ssl_port_count;
	uint32_t fallback[SERVICE_FALLBACKS]; /* indices of probes, in the order to be tried */
	uint32_t fallback_count;
	uint32_t first_match, match_count;   /* its lines in matches[] */
};

struct service_probes {
	struct service_probe *probes;
	struct service_match *matches;
	const struct service_ports *exclude;
	uint32_t probe_count, match_count, exclude_count;
	uint32_t match_lines;                /* match and softmatch lines in the file, understood or not */
	uint32_t left_out;                   /* lines of any kind that were left out */
	struct service_memory *memory;
};

/* Gets each line that was left out, with a sentence why. `line` is 0 for the file as a whole. */
typedef void service_complain(void *context, const char *path, uint32_t line, const char *sentence);

/*
 * Reads the text of a file; `path` is for complaints. A bad line is told and left out, all others count.
 * NULL, and told, when there is no usable probe with a payload or match at all, or no memory.
 */
struct service_probes *service_probes_read(const char *text, size_t len, const char *path, service_complain *complain, void *context);

/* The same from a file by its path, or by an open descriptor, read from its start and left open. */
struct service_probes *service_probes_load(const char *path, service_complain *complain, void *context);
struct service_probes *service_probes_load_fd(int fd, const char *path, service_complain *complain, void *context);

void service_probes_free(struct service_probes *s);

/* The probe of that name, NULL when there is none. */
const struct service_probe *service_probes_find(const struct service_probes *s, enum transport t, const char *name);

/* True when `port` is among the ranges. */
bool service_ports_hold(const struct service_ports *ports, uint32_t count, uint16_t port);

#endif
