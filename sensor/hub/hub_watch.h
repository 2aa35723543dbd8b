/* The watch of a live sensor: fed by the engines' reports, asked by those who dispatch orders. */
#ifndef SENSOR_HUB_HUB_WATCH_H
#define SENSOR_HUB_HUB_WATCH_H

#include "sensor/common/config.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/watch.h"

/* `abort_run` is called when an order must stop; NULL when there are none. 0, or -1 after log_error(). */
int hub_watch_open(const struct hub_config *config, struct store *s, struct picture *p, struct batch *b, void (*abort_run)(uint64_t run));
void hub_watch_close(void);

void hub_watch_pulse(const struct pulse *p);
void hub_watch_hear(const struct finding *f);
void hub_watch_counters(unsigned engine, const struct engine_counters *c);
/* Every 100 ms or so. */
void hub_watch_tick(void);

/* With the batch's transaction: what must be kept, and that it is. */
int hub_watch_store(struct store *s);
void hub_watch_stored(void);
/* True when there is something to store that no draft tells of. */
bool hub_watch_unstored(void);

struct watch *hub_watch(void);
int hub_watch_release(const char *asset, const char *analyst, char *why);

#endif
