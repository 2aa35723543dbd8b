/* The library's calls as of 4.2 (Debian 12), and of 4.11 upstream with the changes on the way there. */
#include "classifiers/ndpi/ndpi.h"

#include <ndpi_api.h>

#include <stdlib.h>
#include <string.h>

#if NDPI_MAJOR > 4 || (NDPI_MAJOR == 4 && NDPI_MINOR >= 4)
#define NDPI_TAKES_INPUT_INFO 1
#endif
#if NDPI_MAJOR > 4 || (NDPI_MAJOR == 4 && NDPI_MINOR >= 10)
#define NDPI_HAS_GLOBAL_CONTEXT 1
#endif
#if NDPI_MAJOR > 4 || (NDPI_MAJOR == 4 && NDPI_MINOR >= 11)
#define NDPI_NESTS_PROTOCOL 1
#endif

struct ndpi_look {
	struct ndpi_look *next; /* in the list of free ones */
	struct ndpi_flow_struct *flow;
	uint8_t part;
};

struct ndpi {
	struct ndpi_detection_module_struct *module;
	struct ndpi_look *looks;
	uint32_t quota, used[NDPI_PARTS];
	struct ndpi_look *free;
	size_t flow_bytes;
};

static struct ndpi_detection_module_struct *open_module(void)
{
	struct ndpi_detection_module_struct *module;
	NDPI_PROTOCOL_BITMASK all;

#ifdef NDPI_HAS_GLOBAL_CONTEXT
	module = ndpi_init_detection_module(NULL);
#else
	module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts); /* who is reached is no matter here */
#endif
	if (!module)
		return NULL;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(module, &all);
	ndpi_finalize_initialization(module);
	return module;
}

static bool set_up(struct ndpi *n)
{
	if (!n->module)
		n->module = open_module();
	return n->module;
}

struct ndpi *ndpi_open(uint32_t looks)
{
	struct ndpi *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->looks = calloc(looks, sizeof *n->looks);
	n->quota = looks / NDPI_PARTS;
	n->flow_bytes = ndpi_detection_get_sizeof_ndpi_flow_struct();
	if (!n->looks) {
		ndpi_close(n);
		return NULL;
	}
	for (uint32_t i = looks; i-- > 0;) {
		n->looks[i].next = n->free;
		n->free = &n->looks[i];
	}
	return n;
}

void ndpi_close(struct ndpi *n)
{
	if (n->module)
		ndpi_exit_detection_module(n->module);
	free(n->looks);
	free(n);
}

struct ndpi_look *ndpi_look_start(struct ndpi *n, uint8_t part)
{
	struct ndpi_look *look = n->used[part] < n->quota ? n->free : NULL;

	if (!look || !set_up(n))
		return NULL;
	look->flow = ndpi_flow_malloc(n->flow_bytes);
	if (!look->flow)
		return NULL;
	memset(look->flow, 0, n->flow_bytes);
	n->free = look->next;
	n->used[part]++;
	look->part = part;
	return look;
}

void ndpi_look_end(struct ndpi *n, struct ndpi_look *look)
{
	ndpi_flow_free(look->flow);
	look->flow = NULL;
	n->used[look->part]--;
	look->next = n->free;
	n->free = look;
}

uint16_t ndpi_look_at(struct ndpi *n, struct ndpi_look *look, const uint8_t *ip, uint16_t len, int64_t time_ns)
{
	uint64_t time_ms = (uint64_t)time_ns / 1000000;
	ndpi_protocol p;
	uint16_t master, application;

#ifdef NDPI_TAKES_INPUT_INFO
	p = ndpi_detection_process_packet(n->module, look->flow, ip, len, time_ms, NULL);
#else
	p = ndpi_detection_process_packet(n->module, look->flow, ip, len, time_ms);
#endif
#ifdef NDPI_NESTS_PROTOCOL
	master = p.proto.master_protocol;
	application = p.proto.app_protocol;
#else
	master = p.master_protocol;
	application = p.app_protocol;
#endif
	/* What is spoken counts here, and not whose service it reaches. */
	return master ? master : application;
}

void ndpi_label(struct ndpi *n, uint16_t number, char *label, size_t room)
{
	const char *name = set_up(n) ? ndpi_get_proto_name(n->module, number) : "";
	size_t at = 0;

	for (; *name && at + 1 < room; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			label[at++] = c;
		else if (at && label[at - 1] != '_')
			label[at++] = '_';
	}
	label[at] = 0;
}
