/* The inside of the watch, for watch.c, watch_kind.c, watch_store.c and watch_tell.c alone. See watch.h. */
#ifndef SENSOR_HUB_WATCH_PARTS_H
#define SENSOR_HUB_WATCH_PARTS_H

#include "sensor/hub/picture.h"
#include "sensor/hub/watch.h"
#include "sensor/hub/watch_baseline.h"

#include <sqlite3.h>

enum { WATCH_WORD_BYTES = 96, WATCH_RULE_BYTES = 48, WATCH_CANARIES = 4096, WATCH_ZONES = 256, WATCH_STARTS = 1024 };

/* Devices that a fault of one makes suspicious: same maker, product and firmware, as far as known. */
struct watch_kind {
	char vendor[WATCH_WORD_BYTES];
	char product[WATCH_WORD_BYTES];  /* or order code; without either the device class, in brackets */
	char firmware[WATCH_WORD_BYTES];
};

/* Found by its first members, which are hashed as bytes: no padding. */
struct watch_pair_key {
	uint16_t vlan[2];
	uint16_t port, ethertype;
	uint8_t transport, server_family, client_family, zero;
	uint8_t server[16], client[16];
};

/* The last reports of a pair, in a ring: for people who look at how it is now. */
enum { WATCH_RECENT = 60 };

struct watch_recent {
	uint32_t gap_us[WATCH_RECENT]; /* means of a report; 0 when it has none */
	uint32_t rtt_us[WATCH_RECENT];
	uint32_t count;                /* of all reports */
};

struct watch_pair {
	struct watch_pair_key key;
	bool used;
	struct baseline baseline;
	struct watch_recent recent;
	int64_t told_ns;             /* our clock at the last report */
	int64_t heard_ns;            /* the server's last frame, its clock; its number */
	uint64_t frame;
	double usual_us;             /* longest usual gap while it was cyclic, 0 before */
	bool quiet_told;
	char why[BASELINE_WHY_BYTES]; /* the last deviation */
	char protocol[FINDING_PROTOCOL_BYTES];
};

struct watch_order {
	uint64_t number;
	struct node *node;
	struct watch_kind kind;
	char rule[WATCH_RULE_BYTES];
	int64_t started_ns, ended_ns; /* ended_ns 0: under way */
	int64_t until_ns;             /* end of the observation */
	bool aborted, suffered;
};

struct watch_quarantine {
	char asset[ASSET_ID_BYTES];   /* who suffered; empty: the slot is free */
	struct watch_kind kind;
	uint64_t order;
	char rule[WATCH_RULE_BYTES];
	char evidence[BASELINE_WHY_BYTES];
	int64_t since_ns;
	bool unsaved, lifted;
};

struct watch_canary {
	struct watch_kind kind;
	char rule[WATCH_RULE_BYTES];
	char asset[ASSET_ID_BYTES];   /* who went first; empty: the slot is free */
	int64_t well_ns;              /* has been well since it was asked; 0: still under watch */
	bool unsaved, gone;
};

struct watch_zone {
	uint16_t vlan[2];
	int64_t seen_ns;
	uint8_t activity;
	bool used;
	struct endpoint who, whom;
};

struct watch {
	struct store *store;
	struct picture *picture;
	struct batch *batch;
	struct watch_times times;
	struct watch_ears ears;
	struct watch_pair *pairs;
	uint32_t pair_count;
	uint64_t pairs_refused;
	struct watch_order orders[WATCH_ORDERS];
	struct watch_quarantine quarantines[WATCH_QUARANTINES];
	struct watch_canary canaries[WATCH_CANARIES];
	struct watch_zone zones[WATCH_ZONES];
	struct {
		uint32_t asset;
		int64_t seen_ns;
	} starts[WATCH_STARTS];      /* who said last that it has started, by its number */
	int64_t heard_ns;            /* our clock at the last word of any engine */
	int64_t loss_from_ns, lossy_ns;
	uint64_t frames_from, lost_from;
	uint64_t frames_last;
	int64_t frames_ns;           /* our clock when the last frame was counted */
	uint32_t quiet_at;           /* the pair to be looked at for silence next */
	bool unsaved;
	bool full;                   /* a quarantine found no place: nobody is asked */
	sqlite3_stmt *put_quarantine, *drop_quarantine, *put_canary, *drop_canary;
};

/* Without a frame for so long the sensor may be unplugged; pairs silent for so long give way to others. */
#define WATCH_DEAF_NS (10 * INT64_C(1000000000))
#define WATCH_FORGET_NS (3600 * INT64_C(1000000000))

/* watch_verdict.c */
bool watch_blind(const struct watch *w, int64_t now_ns, const char **why);
struct node *watch_node(const struct watch *w, const struct watch_target *t);

/* watch_kind.c */
void watch_kind_of(struct watch *w, const struct asset *a, struct watch_kind *k);
/* True when a fault of one makes the other suspicious: what is not known of either is taken for the same. */
bool watch_kind_matches(const struct watch_kind *a, const struct watch_kind *b);
bool watch_kind_same(const struct watch_kind *a, const struct watch_kind *b);
bool watch_kind_known(const struct watch_kind *k);
void watch_kind_text(const struct watch_kind *k, char *text, size_t room);

/* watch_store.c */
int watch_load(struct watch *w);
void watch_close_statements(struct watch *w);

/* watch_quiet.c: looks at some pairs, and tells of devices that fell silent. */
void watch_look_for_quiet(struct watch *w, int64_t now_ns);

/* watch_tell.c: each drafts one event. `pair` may be NULL. */
void watch_tell_degraded(struct watch *w, struct asset *a, const struct watch_order *o, const struct watch_quarantine *q,
			 const struct baseline *before, const struct pulse *after, int64_t now_ns);
void watch_tell_released(struct watch *w, struct asset *a, const struct watch_quarantine *q, const char *analyst, int64_t now_ns);

/* The asset's pairs, one after the other; start with *at 0. NULL after the last. */
struct watch_pair *watch_next_pair(struct watch *w, const struct asset *a, uint32_t *at);
const struct watch_quarantine *watch_quarantine_of(struct watch *w, const struct asset *a);

#endif
