/*
 * A finding: one thing that was heard, as the engine tells it to the hub.
 *
 * Fixed in size and without pointers, because it crosses from the process that
 * reads hostile bytes into one that must not believe it. finding_valid() is the
 * hub's check of every field.
 */
#ifndef CLASSIFIERS_FINDING_FINDING_H
#define CLASSIFIERS_FINDING_FINDING_H

#include "classifiers/finding/activity.h"
#include "classifiers/finding/attribute.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	FINDING_PROTOCOL_BYTES = 24,
	FINDING_PATH_BYTES = 96,
	FINDING_VALUE_BYTES = 384,
};

enum finding_kind {
	FINDING_HOST = 1,   /* subject sent a frame: its addresses belong together as `binding` says */
	FINDING_SERVICE,    /* subject serves `protocol` at transport/port; evidence says how we know */
	FINDING_SPEAKS,     /* subject uses `protocol` in `role` */
	FINDING_ATTRIBUTE,  /* subject (or the sub-asset at `path`) has attribute = value */
	FINDING_SUBASSET,   /* there is something at `path` behind subject */
	FINDING_TALKS,      /* subject (client) talks `protocol` with peer (server) at transport/port */
	FINDING_ACTIVITY,   /* subject does `activity` to peer, who is at transport/port; value: the function it was seen by */
	FINDING_KINDS
};

enum transport { TRANSPORT_NONE, TRANSPORT_ETHERNET, TRANSPORT_IP, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORTS };
enum evidence { EVIDENCE_NONE, EVIDENCE_PORT, EVIDENCE_NDPI, EVIDENCE_STRUCTURE, EVIDENCES };
enum role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER, ROLE_PEER, ROLES };
enum source { SOURCE_PASSIVE, SOURCE_PROBE, SOURCE_ANALYST, SOURCES };

/* How surely a MAC and an IP address are of one interface. */
enum binding {
	BINDING_NONE,   /* the frame came through a router, or nothing is known */
	BINDING_FRAME,  /* both stood in one frame whose hop limit was untouched */
	BINDING_STATED, /* ARP, DHCP or another protocol said so */
	BINDINGS
};

/* An interface as it was heard. family is 0 (no IP), 4 or 6; IPv4 uses ip[0..3]. A MAC of zeros is no MAC. */
struct endpoint {
	uint8_t mac[6];
	uint8_t family;
	uint8_t binding; /* enum binding: of mac and ip */
	uint8_t ip[16];
};

struct finding {
	uint8_t kind;       /* enum finding_kind */
	uint8_t attribute;  /* enum attribute */
	uint8_t transport;  /* enum transport */
	uint8_t evidence;   /* enum evidence */
	uint8_t role;       /* enum role */
	uint8_t source;     /* enum source */
	uint8_t confidence; /* 0..100 per cent */
	uint8_t activity;   /* enum activity, of FINDING_ACTIVITY; else 0 */
	uint16_t port;      /* of the service; 0 when it has none */
	uint16_t vlan[2];   /* outer, inner VLAN id; 0 for untagged */
	uint16_t ethertype; /* of a layer-2 protocol, else 0 */
	uint64_t frame;     /* number in its source, from 1 */
	int64_t time_ns;    /* since 1970, of that frame */
	struct endpoint subject;
	struct endpoint peer;
	char protocol[FINDING_PROTOCOL_BYTES]; /* file name under classifiers/, [a-z0-9_]+, or nDPI's label in that form */
	char path[FINDING_PATH_BYTES];         /* sub-asset, "modbus/502/unit:3"; empty for the device itself */
	char value[FINDING_VALUE_BYTES];       /* UTF-8 without control characters */
};

/* True when every field is what an honest engine may send. Texts must end in a zero within their room. */
bool finding_valid(const struct finding *f);

/* The words that documents use ("tcp", "structure", "server", "passive"). */
const char *transport_name(enum transport t);
const char *evidence_name(enum evidence e);
const char *role_name(enum role r);
const char *source_name(enum source s);

#endif
