/*
 * The picture of the plant: who is there, what each is, what it serves and to whom it talks.
 *
 * A node is one address in one zone: (VLAN stack, IP) or (VLAN stack, MAC). All that is heard hangs
 * on the node it was heard of. An asset is a group of nodes that are one device: a MAC and the IP
 * addresses bound to it (binding.c), or an address alone. Grouping can change, because it follows
 * from what was heard last; what hangs on a node stays where it is.
 *
 * Memory is bounded: what does not fit is counted and left out.
 */
#ifndef SENSOR_HUB_PICTURE_H
#define SENSOR_HUB_PICTURE_H

#include "classifiers/finding/finding.h"
#include "sensor/hub/texts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most of each on one node. */
enum {
	NODE_ATTRIBUTES = 256,          /* of the device itself */
	NODE_SUBASSET_ATTRIBUTES = 8192, /* of all behind it */
	NODE_SERVICES = 512,
	NODE_SPEAKS = 256,
	NODE_SUBASSETS = 512,
	NODE_TALKS = 1024,
	NODE_VISITORS = 64, /* of them: public clients of one node */
	NODE_LINKS = 4,
	NODE_BOUND = 64,                /* IP addresses bound to one MAC */
	NODE_FACTS = 64,                /* stated by analysts */
	PICTURE_TIES = 1024,
	PICTURE_RECENT = 4096,          /* a power of two */
	VALUES_OF_SINGLE = 8,           /* different values of an attribute that should have one */
	VALUES_OF_MULTIPLE = 64,
	ASSET_ID_BYTES = 24,
};

/* A growing row of things of one size. Things are added at the end and never taken out. */
struct row {
	void *items;
	uint16_t count, room;
};

struct attribute_item {
	const char *path, *protocol, *value;
	int64_t first_ns, last_ns;
	uint64_t frame; /* where it was heard first */
	uint32_t heard;
	uint8_t attribute, source, confidence, dirty;
};

struct service_item {
	const char *protocol;
	int64_t first_ns, last_ns;
	uint64_t frame;
	uint16_t port, ethertype;
	uint8_t transport, evidence, confidence, dirty;
};

struct speaks_item {
	const char *protocol;
	int64_t first_ns, last_ns;
	uint64_t frame;
	uint8_t role, evidence, dirty;
};

/* What of a sub-asset is not stored yet. */
enum { SUBASSET_HEARD = 1, SUBASSET_CHANGED = 2 };

struct subasset_item {
	const char *path;
	int64_t first_ns, last_ns;
	uint64_t frame;
	uint8_t source, dirty; /* dirty: SUBASSET_HEARD, when nothing but last_ns is new, or SUBASSET_CHANGED */
};

/* This node, as a client, talks to `peer`; or `peer`, a public address, talks to this node. */
struct talk_item {
	const char *protocol;
	int64_t first_ns, last_ns;
	uint64_t frame; /* where it was heard first; 0: not known, it was kept by an earlier version */
	uint16_t port;
	uint8_t transport, family, dirty;
	uint8_t visits; /* 1: the peer is the client */
	uint8_t peer[16];
};

struct node;
struct asset;

/* What an analyst stated, on the node that stood for the device then; analyst_facts.c puts it there and takes it away. */
struct fact_item {
	int64_t number;              /* from 1 */
	int64_t time_ns;             /* when it was said */
	const char *analyst, *why;
	const char *text;            /* the value, the address, or which asset it was merged with */
	struct attribute_item value; /* COMMAND_SET: as views show it */
	struct node *other;          /* COMMAND_MERGE: the other device's node; COMMAND_SPLIT: the address's */
	uint8_t kind;                /* enum command_type: COMMAND_SET .. COMMAND_IGNORE */
};

/* Two nodes that are one device because an analyst said so. */
struct tie {
	struct node *a, *b;
};

/* That an IP node belongs to a MAC node. */
struct link {
	struct node *mac;
	int64_t first_ns, last_ns;
	bool stated; /* ARP, DHCP ... said so */
	bool framed; /* both stood in one unrouted frame */
};

enum node_flag {
	NODE_ROUTER = 1,    /* MAC: unrouted frames of several IP addresses come from it */
	NODE_PROXY = 2,     /* MAC: it claims more addresses than one device has */
	NODE_FORWARDS = 4,  /* MAC: routed frames of several addresses come from it */
	NODE_CONTESTED = 8, /* IP: two MACs claim it */
	NODE_APART = 16,    /* an analyst said that it is a device of its own: no link of it counts */
};

enum node_dirty { NODE_TOUCHED = 1, NODE_CHANGED = 2 };

struct node {
	uint32_t number; /* from 1, in order of appearance */
	uint16_t vlan[2];
	uint8_t family;  /* 0: MAC, 4, 6 */
	uint8_t flags;   /* enum node_flag */
	uint8_t dirty;   /* enum node_dirty */
	uint8_t link_count;
	uint8_t address[16];
	uint32_t heard_s; /* when it last sent a frame itself, and not to us; 0: never. last_ns is also when others spoke of it */
	struct asset *asset;
	struct node *next; /* of the same asset */
	int64_t first_ns, last_ns;
	uint64_t frame;
	uint32_t lost;     /* things that did not fit */
	uint32_t own_attributes;
	struct link *links; /* IP: NODE_LINKS of them once it has one */
	struct node **bound; /* MAC: the IP nodes that have a link to it */
	uint16_t bound_count, bound_room;
	struct node *via;  /* MAC: an address whose routed frames came from it */
	uint64_t stored;   /* print of its row and links in the store; keep.c */
	struct row attributes, services, speaks, subassets, talks;
	struct talk_index *talk_index; /* once there are many; talks.c */
	struct row facts;  /* struct fact_item; not stored with the node */
};

struct gap_list;

struct asset {
	uint32_t number; /* from 1, in order of appearance */
	uint32_t node_count;
	char id[ASSET_ID_BYTES];
	struct node *nodes;
	struct node *founder;   /* whose address the id was made of */
	int64_t first_ns;
	const char *class;      /* as last judged; NULL before */
	const char *maker;
	struct gap_list *gaps;  /* as last judged; owned by gaps.c */
	uint32_t told_nodes;    /* as consumers know it */
	uint32_t saved_in;      /* the save that wrote its row last, see keep.c */
	bool told;              /* consumers know it */
	bool unsaved;           /* its row or gaps in the store are not as here */
	bool dirty;             /* in picture.changed */
	bool gone;              /* merged into another; freed when the batch is over */
};

enum change_kind {
	CHANGE_ATTRIBUTE, /* an attribute was learned: node, index */
	CHANGE_VALUE,     /* ... that replaces `previous` */
	CHANGE_CONFLICT,  /* ... that contradicts `previous` */
	CHANGE_CONTEST,   /* node is an IP that `other` claims too */
	CHANGE_SERVICE,   /* a service was learned, or is better known now: node, index */
	CHANGE_MERGED,    /* asset `id` is one with node's */
	CHANGE_SPLIT,     /* node's asset was wrongly part of `id` */
};

/* Something worth telling. The asset meant is node->asset at the time of telling. */
struct change {
	enum change_kind kind;
	uint16_t index;
	struct node *node, *other;
	const char *previous;
	int64_t time_ns;
	uint64_t frame;
	size_t order; /* for sorting */
	char id[ASSET_ID_BYTES];
};

struct picture_counters {
	uint64_t findings;
	uint64_t unplaced;          /* subject without an address of one device */
	uint64_t assets_refused;    /* the picture was full */
	uint64_t attributes_lost;
	uint64_t services_lost;
	uint64_t speaks_lost;
	uint64_t subassets_lost;
	uint64_t talks_lost;
	uint64_t links_lost;
	uint64_t texts_lost;
	uint64_t merges, splits, contests;
};

struct demand;

/* Where a node is found: its hash tells it from nearly all others without a look at it. */
struct node_slot {
	uint32_t hash;
	uint32_t number; /* of the node, 0: free */
};

struct recent_node {
	uint64_t mark; /* of its address, 0: there is none */
	struct node *node;
};

struct picture {
	const char *sensor, *zone;
	uint32_t max_assets;
	bool telling;         /* changes are recorded */
	struct texts texts;
	const char *nothing;  /* the empty text, kept */
	struct node_slot *slots; /* open addressing by (VLAN, family, address) */
	size_t slot_room;
	struct recent_node recent[PICTURE_RECENT]; /* by some bits of the address: most findings are of who was just heard */
	const char *recent_protocol;         /* kept */
	struct node **nodes;  /* by number - 1 */
	uint32_t node_count, node_room;
	struct asset **ids;   /* open addressing by id, living assets only */
	size_t id_room, id_used;
	uint32_t assets, next_asset;
	struct demand *demand; /* clients of each service */
	size_t demand_room, demand_count;
	struct change *changes;
	size_t change_count, change_room;
	struct node **changed_nodes, **touched_nodes;
	size_t changed_count, changed_room, touched_count, touched_room;
	struct asset **changed_assets;
	size_t changed_asset_count, changed_asset_room;
	struct tie *ties;     /* by analysts; binding.c */
	size_t tie_count, tie_room;
	struct asset **gone;  /* merged away in this batch */
	size_t gone_count, gone_room;
	int64_t now_ns;       /* time of the newest frame */
	uint64_t services, subassets; /* how many there are */
	struct picture_counters counters;
};

/* `sensor` and `zone` are not copied. */
void picture_start(struct picture *p, const char *sensor, const char *zone, uint32_t max_assets);
void picture_end(struct picture *p);

/* Takes in one finding that report_valid() let pass. sent_from: see message.h. */
void picture_hear(struct picture *p, const struct finding *f, unsigned sent_from);

enum { EXPECTED = 3 };

/* Of whom a finding is that will be heard soon: its sender's MAC and IP address, and its peer's. */
struct expected {
	uint32_t hash[EXPECTED];
	uint32_t number[EXPECTED];
	unsigned count;
};

/*
 * In a large picture most of the time goes by waiting for memory. These ask for it some findings ahead: first where to look, then
 * what is found there, and with a second picture_fetch() the nodes themselves; at once those of who was just heard.
 */
void picture_expect(struct picture *p, const struct finding *f, struct expected *x);
void picture_fetch(const struct picture *p, struct expected *x);

/* The node of an address; NULL when there is none. vlan as in a finding, family 0 for a MAC. */
struct node *picture_find(const struct picture *p, const uint16_t vlan[2], uint8_t family, const uint8_t *address);
struct asset *picture_asset(const struct picture *p, const char *id);

/* "ZONE", "ZONE/vlan:10" or "ZONE/vlan:10.20". */
void picture_zone(const struct picture *p, const struct node *n, char *text, size_t room);

/* Distinct clients heard of the service at this node. */
uint32_t picture_clients(const struct picture *p, const struct node *server, uint8_t transport, uint16_t port);

/* For the parts of the picture (binding.c, facts.c, keep.c) alone. */
struct node *picture_node(struct picture *p, const uint16_t vlan[2], uint8_t family, const uint8_t *address,
			  int64_t now, uint64_t frame);
struct asset *picture_found(struct picture *p, struct node *founder, int64_t now);
struct asset *picture_restore_asset(struct picture *p, uint32_t number, const char *id);
void picture_place(struct picture *p, struct node *n, struct asset *a);
void picture_leave(struct picture *p, struct node *n);
void picture_merge(struct picture *p, struct asset *into, struct asset *from, struct node *cause);
void picture_touch(struct picture *p, struct node *n);
void picture_change(struct picture *p, struct node *n);
struct change *picture_tell(struct picture *p, enum change_kind kind, struct node *n, uint16_t index,
			    int64_t time_ns, uint64_t frame);
void picture_demand(struct picture *p, const struct node *client, const struct endpoint *server, uint8_t transport, uint16_t port);
/* After a batch was told and stored: forgets what had changed. */
void picture_settled(struct picture *p);

/* A zeroed new thing at the end of the row, NULL when `limit` is reached or memory is short. */
void *row_add(struct row *r, size_t size, uint16_t limit);
/* Makes room for one more pointer or thing in a plain array. False when memory is short. */
bool array_room(void *items, size_t *room, size_t count, size_t size);

#endif
