/* Findings as an engine would send them, for tests of the hub. */
#ifndef TESTS_UNIT_MAKE_FINDING_H
#define TESTS_UNIT_MAKE_FINDING_H

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000LL

static uint64_t next_frame;
static int64_t test_time_ns = 1700000000 * SECOND_NS;

/* mac "" or "00:1b:1b:01:02:03", ip "" or either family. */
static inline struct endpoint at(const char *mac, const char *ip, enum binding binding)
{
	struct endpoint e = { .binding = (uint8_t)binding };
	unsigned m[6];

	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) == 6)
		for (int i = 0; i < 6; i++)
			e.mac[i] = (uint8_t)m[i];
	if (ip[0]) {
		e.family = strchr(ip, ':') ? 6 : 4;
		if (inet_pton(e.family == 6 ? AF_INET6 : AF_INET, ip, e.ip) != 1)
			abort();
	}
	return e;
}

static inline struct finding finding_of(enum finding_kind kind, struct endpoint subject)
{
	struct finding f = { .kind = (uint8_t)kind, .subject = subject, .frame = ++next_frame, .time_ns = test_time_ns += 1000000,
			     .confidence = 90 };

	/* The others get what makes them valid from whoever asked. */
	if (kind == FINDING_HOST && !finding_valid(&f))
		abort();
	return f;
}

static inline struct finding host(const char *mac, const char *ip, enum binding binding)
{
	return finding_of(FINDING_HOST, at(mac, ip, binding));
}

static inline struct finding attribute(struct endpoint who, const char *protocol, const char *path, enum attribute a, const char *value)
{
	struct finding f = finding_of(FINDING_ATTRIBUTE, who);

	f.attribute = (uint8_t)a;
	f.transport = TRANSPORT_TCP;
	snprintf(f.protocol, sizeof f.protocol, "%s", protocol);
	snprintf(f.path, sizeof f.path, "%s", path);
	snprintf(f.value, sizeof f.value, "%s", value);
	return f;
}

static inline struct finding service(struct endpoint who, const char *protocol, enum transport t, uint16_t port, enum evidence evidence)
{
	struct finding f = finding_of(FINDING_SERVICE, who);

	f.transport = (uint8_t)t;
	f.port = port;
	f.evidence = (uint8_t)evidence;
	snprintf(f.protocol, sizeof f.protocol, "%s", protocol);
	return f;
}

static inline struct finding talks(struct endpoint client, struct endpoint server, const char *protocol, uint16_t port)
{
	struct finding f = finding_of(FINDING_TALKS, client);

	f.peer = server;
	f.transport = TRANSPORT_TCP;
	f.port = port;
	snprintf(f.protocol, sizeof f.protocol, "%s", protocol);
	return f;
}

#endif
