/* One line of a file of probes; within this part, see service_probes.c. */
#ifndef CLASSIFIERS_PROBES_SERVICE_LINE_H
#define CLASSIFIERS_PROBES_SERVICE_LINE_H

#include "classifiers/probes/service_probes.h"

enum { NO_PROBE = -1 };

/* What the lists and texts of one file lie in. */
struct service_memory {
	char *text;
	uint8_t *payloads;
	struct service_ports *ports;
	char **names;        /* of fallbacks, NULL for none, by probe */
	size_t payloads_used, ports_used, ports_room, probe_room, match_room;
};

struct parser {
	struct service_probes *out;
	struct service_memory *m;
	const char *path;
	service_complain *complain;
	void *context;
	uint32_t line;
	uint32_t broken_probe; /* line of a probe that was left out, while its lines go by; 0 for none */
	long probe;            /* index of the one that lines belong to, NO_PROBE before the first */
	bool exhausted;        /* no memory */
};

/* Tells that a line is left out, and counts it. */
void service_refuse(struct parser *p, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reads p->line, which ends in a NUL and will be cut into its words. */
void service_line_read(struct parser *p, char *line);

#endif
