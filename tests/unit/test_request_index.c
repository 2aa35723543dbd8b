/*
 * The index of requests is held against the plain way, which compares a request with each probe: probes and requests that
 * are alike in many bytes, cut, changed and made longer; and those of nmap's own file where it is installed.
 */
#include "classifiers/probes/request_index.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROBES = 150, ROUNDS = 60, REQUESTS = 3000, BYTES_MAX = 40, HEADER = 16, FILE_REQUESTS = 60000 };

static uint64_t state_of_chance = 88172645463325252u;

static unsigned chance(unsigned below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return (unsigned)(state_of_chance >> 33) % below;
}

/* Tenths of the probe's bytes, but zeros, that the request has in the same places; 0 when they are too few. */
static unsigned plain_likeness(const struct service_probe *p, const uint8_t *request, size_t len)
{
	size_t n = p->payload_len < len ? p->payload_len : len;
	unsigned telling = 0, same = 0;

	n = n > HEADER ? HEADER : n;
	for (size_t i = 0; n >= 8 && i < n; i++) {
		telling += p->payload[i] != 0;
		same += p->payload[i] && p->payload[i] == request[i];
	}
	return same < 4 || same * 10 < telling * 7 ? 0 : same * 10 / telling;
}

static long plain_nearest(const struct service_probes *s, enum transport t, const uint8_t *request, size_t len, enum service_kinship *kinship)
{
	size_t best = 0;
	bool text = true;
	long found = -1;

	for (size_t i = 0; i < len && i < HEADER; i++)
		text &= request[i] < 0x7f && (request[i] >= 0x20 || isspace(request[i]));
	*kinship = SERVICE_UNRELATED;
	for (uint32_t i = 0; i < s->probe_count; i++) {
		const struct service_probe *p = &s->probes[i];
		bool begins = p->payload_len && p->payload_len <= len && memcmp(p->payload, request, p->payload_len) == 0;
		enum service_kinship k = SERVICE_UNRELATED;
		size_t near = p->payload_len;

		if (p->transport != t)
			continue;
		if (begins)
			k = p->payload_len == len ? SERVICE_SAME : p->payload_len >= 4 ? SERVICE_BEGINS : SERVICE_UNRELATED;
		else if (!text && (near = plain_likeness(p, request, len)) > 0)
			k = SERVICE_KIN;
		if (k == SERVICE_UNRELATED || k < *kinship || (k == *kinship && near <= best))
			continue;
		*kinship = k;
		best = near;
		found = (long)i;
	}
	return found;
}

/* A request that may well be a probe's: some of its bytes changed, its end cut or something behind it. */
static size_t make_request(const struct service_probes *s, uint8_t request[BYTES_MAX + 8])
{
	const struct service_probe *p = &s->probes[chance(s->probe_count)];
	size_t len = p->payload_len < BYTES_MAX ? p->payload_len : BYTES_MAX;

	memcpy(request, p->payload, len);
	for (unsigned i = chance(7); len && i; i--)
		request[chance((unsigned)len)] = (uint8_t)(chance(2) ? chance(4) : chance(256));
	if (chance(4) == 0)
		len = chance((unsigned)len + 1);
	else if (chance(4) == 0)
		for (unsigned i = chance(8); i; i--)
			request[len++] = (uint8_t)chance(256);
	return len;
}

/* How often each kinship came out. */
static void compare(const struct service_probes *s, const struct request_index *x, unsigned rounds, unsigned seen[SERVICE_SAME + 1])
{
	uint8_t request[BYTES_MAX + 8];

	for (unsigned i = 0; i < rounds; i++) {
		enum transport t = chance(2) ? TRANSPORT_TCP : TRANSPORT_UDP;
		enum service_kinship kinship, plain;
		size_t len = make_request(s, request);
		long found = request_index_nearest(x, t, request, len, &kinship);

		assert_int_equal(found, plain_nearest(s, t, request, len, &plain));
		assert_int_equal(kinship, plain);
		seen[kinship]++;
	}
}

/* Few different bytes and many zeros, so that many probes are alike; a third of them are another's, longer or changed. */
static void make_probe(struct service_probe *p, uint8_t *payload, const struct service_probe *other)
{
	uint32_t len = chance(10) ? chance(BYTES_MAX) : 0;
	bool few = chance(2);

	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(chance(3) == 0 ? 0 : few ? 1 + chance(3) : chance(256));
	if (other && chance(3) == 0)
		memcpy(payload, other->payload, len < other->payload_len ? len : other->payload_len);
	*p = (struct service_probe){ .payload = payload, .payload_len = len, .transport = chance(2) ? TRANSPORT_TCP : TRANSPORT_UDP };
}

static void test_as_the_plain_way(void **state)
{
	static uint8_t payloads[PROBES][BYTES_MAX];
	static struct service_probe probes[PROBES];
	unsigned seen[SERVICE_SAME + 1] = { 0 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct service_probes s = { .probes = probes, .probe_count = 1 + chance(PROBES) };
		struct request_index *x;

		for (uint32_t i = 0; i < s.probe_count; i++)
			make_probe(&probes[i], payloads[i], i ? &probes[chance(i)] : NULL);
		x = request_index_new(&s);
		assert_non_null(x);
		compare(&s, x, REQUESTS, seen);
		request_index_free(x);
	}
	print_message("unrelated %u, kin %u, begins %u, same %u\n", seen[0], seen[1], seen[2], seen[3]);
	for (int i = 0; i <= SERVICE_SAME; i++)
		assert_true(seen[i] > ROUNDS * REQUESTS / 100);
}

static void ignore(void *context, const char *path, uint32_t line, const char *sentence)
{
	(void)context;
	(void)path;
	(void)line;
	(void)sentence;
}

static void test_installed_file(void **state)
{
	static const char path[] = "/usr/share/nmap/nmap-service-probes";
	unsigned seen[SERVICE_SAME + 1] = { 0 };
	struct service_probes *s;
	struct request_index *x;

	(void)state;
	if (access(path, R_OK) < 0)
		skip();
	s = service_probes_load(path, ignore, NULL);
	assert_non_null(s);
	x = request_index_new(s);
	assert_non_null(x);
	compare(s, x, FILE_REQUESTS, seen);
	assert_true(seen[SERVICE_KIN] > 1000 && seen[SERVICE_SAME] > 1000);
	request_index_free(x);
	service_probes_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_the_plain_way), cmocka_unit_test(test_installed_file) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
