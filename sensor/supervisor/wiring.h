/*
 * What runs between the processes: rings, pipes and files. The supervisor holds all of it open for
 * its whole life, so that a process that was killed finds what its predecessor left.
 */
#ifndef SENSOR_SUPERVISOR_WIRING_H
#define SENSOR_SUPERVISOR_WIRING_H

#include "sensor/common/config.h"
#include "sensor/common/ring.h"
#include "sensor/supervisor/configuration.h"

#include <stdbool.h>
#include <sys/types.h>

/* An engine reads one file, or its ring of frames: what the interfaces hear is shared by those that listen. */
struct engine_wiring {
	struct ring_fds frames;
	struct ring frames_watch;
	struct ring_fds findings;
	struct ring watch;                   /* of it, to be looked at */
	int file;                            /* -1: the ring of frames */
	const struct capture_source *source; /* of the file */
	uint32_t careful;                    /* frames that the next engine takes one at a time */
	uint32_t avoids;                     /* services that nDPI died of, the newest of them */
	uint64_t avoid[ENGINE_AVOIDS];
};

struct wiring {
	const struct configuration *config;
	bool live;              /* there is an interface, so capture and rings of frames exist */
	int engine_files[ENGINE_FILES]; /* what engines read at their start, -1 for none */
	unsigned engines;
	unsigned listeners;     /* the first so many of them listen */
	struct engine_wiring engine[CONFIG_ENGINES];
	int orders[2];   /* read end, write end */
	int outcomes[2];
	struct ring_fds probes; /* prober to engine 0: what was asked and answered */
	int hold[2];            /* the prober's open connections lie in its queue; see active/prober/hold.h */
	char redis_url[CONFIG_URL_BYTES];
	bool probing_stopped;
	uint32_t lacks;         /* walls that this kernel lacks, enum sandbox_lack */
	uint64_t quarantined;   /* frames left out because engines died of them */
};

/* Opens the capture files, which may need rights that are given up afterwards. 0, or -1 after log_error(). */
int wiring_open_files(struct wiring *w, const struct configuration *c);
/* Makes rings and pipes. 0, or -1 after log_error(). */
int wiring_make(struct wiring *w);

/* Each starts one process with its descriptors and its configuration. The pid, or -1 with errno. */
pid_t wiring_start_capture(struct wiring *w);
pid_t wiring_start_engine(struct wiring *w, unsigned index);
pid_t wiring_start_hub(struct wiring *w);
pid_t wiring_start_prober(struct wiring *w);
pid_t wiring_start_redis(struct wiring *w);
pid_t wiring_start_relay(struct wiring *w);

/* What a relay is told for this configuration, but for its socket. */
void wiring_relay_config(const struct configuration *c, struct relay_config *k);

/* True when Redis is on another machine, or on this one without a UNIX socket. */
bool wiring_needs_relay(const struct wiring *w);

/* A new findings ring in place of one that holds nonsense. Only while neither its engine nor the hub lives. 0, or -1 with errno. */
int wiring_renew_findings(struct wiring *w, unsigned index);

/* Path of redis-server, NULL when it is not installed. */
const char *wiring_find_redis(void);

#endif
