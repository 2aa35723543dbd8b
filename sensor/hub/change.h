/*
 * Changes that a plant's people want to hear of, each as an event of its own with the frames that prove it:
 * engineering at a device, a new engineering station, other firmware, another module, an address that two claim,
 * a device that fell silent, a device of the plant that talks to a public address, or that is talked to by one.
 *
 * What was told once and is told once only is kept in the store:  change_told(what TEXT PRIMARY KEY)
 */
#ifndef SENSOR_HUB_CHANGE_H
#define SENSOR_HUB_CHANGE_H

#include "sensor/hub/batch.h"

struct changes;

/* NULL after log_error(). The store stays the caller's. */
struct changes *changes_open(struct store *s);
void changes_close(struct changes *c);

/* An activity: told at once, and again when it still goes on after a minute. */
void changes_hear(struct changes *c, struct batch *b, const struct finding *f);

/*
 * From within the batch, when the asset's changes are drafted. Each writes a document and returns true, or returns
 * false when it is no change of these kinds.
 */
bool changes_write_value(struct document *d, const struct subject *s, const struct change *change, int64_t time_ns);
bool changes_write_contest(struct document *d, const struct subject *s, const struct change *change, int64_t time_ns);
/* The next public address that a device of the plant talks to, or is talked to by, and that was not told yet; start with *at 0. */
bool changes_write_public(struct changes *c, struct document *d, const struct subject *s, size_t *at);

/* A device whose cyclic traffic has stopped, last heard at last_ns in `frame`. */
struct changes_quiet {
	const char *protocol, *client;
	uint64_t frame;
	int64_t last_ns, now_ns, usual_us;
	uint16_t port;
	uint8_t transport;
};
void changes_quiet(struct batch *b, struct asset *a, const struct changes_quiet *q);

/* In the open transaction: what was told. 0 or -1; changes_stored() after the commit. */
int changes_store(struct changes *c, struct store *s);
void changes_stored(struct changes *c);
bool changes_unstored(const struct changes *c);

/* The technique of MITRE ATT&CK for ICS that the activity belongs to, NULL for none. */
const char *changes_technique(enum activity a);

#endif
