/*
 * What each process is told at its start, as the supervisor (or `askance read`) writes it to
 * FD_CONFIG. Fixed in size; texts end in a zero; sizes are in bytes, times in milliseconds.
 * The supervisor has checked all values against the ranges given here; the others check them again.
 */
#ifndef SENSOR_COMMON_CONFIG_H
#define SENSOR_COMMON_CONFIG_H

#include "classifiers/finding/finding.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CONFIG_VERSION = 1,
	CONFIG_NAME_BYTES = 64,
	CONFIG_PATH_BYTES = 256,
	CONFIG_URL_BYTES = 512,
	CONFIG_INTERFACES = 8,
	CONFIG_ENGINES = 8,
	CONFIG_SOURCE_PORTS = 64,
	CONFIG_OUTPUTS = 8,
	CONFIG_TYPES_BYTES = 512,
	ENGINE_AVOIDS = 16,
};

struct capture_config {
	uint32_t version;
	uint32_t interfaces;  /* 1 .. CONFIG_INTERFACES */
	char interface[CONFIG_INTERFACES][16];
	uint32_t snap_length; /* 64 .. 262144 */
	uint32_t buffer_bytes; /* of the kernel's ring per interface, 1 MiB .. 1 GiB */
	uint32_t timeout_ms;  /* block retire time, 1 .. 100 */
	uint32_t engines;     /* rings to write, 1 .. CONFIG_ENGINES; each further one uses three descriptors from FD_FIRST_FREE */
	uint32_t walls;       /* 1: refuse to run when a wall is missing */
};

enum engine_source { ENGINE_FILE = 1, ENGINE_RING = 2 };
/* Files that the engine reads from FD_ENGINE_FILES + this, each of its user's choice. */
enum engine_file { ENGINE_SERVICE_PROBES, ENGINE_P0F, ENGINE_OS_DB, ENGINE_FILES };
enum engine_pace { PACE_FAST, PACE_RECORDED };

struct engine_config {
	uint32_t version;
	uint32_t index;         /* 0 .. CONFIG_ENGINES - 1 */
	uint32_t source;        /* enum engine_source: FD_CAPTURE_FILE or FD_*_IN */
	uint32_t pace;          /* enum engine_pace, of a file */
	uint32_t flows;         /* most flows held at once, a power of two, 1024 .. 64 Mi */
	uint32_t details;       /* most flows with memory for streams and memos, 256 .. flows */
	uint32_t stream_bytes;  /* most bytes held for all streams together, 1 MiB .. 1 GiB */
	uint32_t ndpi_flows;    /* most flows that nDPI looks at at once; 0 leaves nDPI out */
	uint32_t progress;      /* 1: send REPORT_PROGRESS a few times a second */
	uint32_t walls;
	uint32_t retell_ms;     /* a host heard again is told again after this time, 1000 .. 3600000; what is known of it after four times that */
	uint32_t probes;        /* 1: there is a ring from the prober, FD_PROBES_* */
	uint32_t pulses;        /* pairs whose cyclic traffic is measured, a power of two; 0 for none */
	uint32_t shares;        /* a bit for each share of the traffic that is its own, see sensor/common/spread.h; 0 for all */
	uint32_t engines;       /* of a file: those that read it, 0 .. CONFIG_ENGINES; of more than one each has FD_FILE_INDEX */
	uint32_t quiet;         /* 1: lines of these files that can't be used have been told by another engine */
	char file[ENGINE_FILES][CONFIG_PATH_BYTES]; /* their names, for messages; empty: there is none */
	uint32_t careful;       /* so many first frames are taken one at a time: a predecessor crashed on one of them */
	uint32_t avoids;        /* 0 .. ENGINE_AVOIDS */
	uint64_t avoid[ENGINE_AVOIDS]; /* services that nDPI is not to look at, as NOTE_NDPI named them */
	uint64_t quarantined;   /* frames left out so far, to be told with the counters */
	struct endpoint own;    /* where probes come from: what is heard of it is no evidence; zeros when there are none */
};

enum hub_mode { HUB_RUN = 1, HUB_READ = 2 };
enum probing_mode { PROBING_OFF, PROBING_PROPOSE, PROBING_AUTOMATIC };

enum output_full { OUTPUT_DROP_NEW, OUTPUT_DROP_OLD };

/* A list in Redis for one consumer: askance:{sensor}:q:LIST. */
struct output_config {
	char list[CONFIG_NAME_BYTES];
	char types[CONFIG_TYPES_BYTES]; /* event types and actions parted by blanks; empty: all */
	uint32_t cap;                   /* most entries, 1 .. 64 Mi */
	uint32_t when_full;             /* enum output_full */
};

struct hub_config {
	uint32_t version;
	uint32_t mode;           /* enum hub_mode: a live sensor, or one picture printed at REPORT_END */
	uint32_t probing;        /* enum probing_mode */
	uint32_t engines;        /* rings to read; each further one uses three descriptors from FD_FIRST_FREE */
	uint32_t source[CONFIG_ENGINES]; /* what each engine reads, by any number */
	uint32_t walls;
	uint32_t max_assets;     /* 1000 .. 10 Mi */
	uint32_t outbox_days;    /* acknowledged entries are kept this long, 0 .. 365 */
	uint32_t outbox_bytes_mib; /* and the outbox at most this large, 16 .. 1 Mi */
	uint64_t boot_epoch;     /* reserved for the store; 0 */
	char sensor[CONFIG_NAME_BYTES];      /* [A-Za-z0-9_.-]+ */
	char zone[CONFIG_NAME_BYTES];
	char redis_url[CONFIG_URL_BYTES];    /* as sensor/common/redis_url.h reads it; empty: none */
	char relay[CONFIG_PATH_BYTES];       /* socket of the relay, the way to every Redis that is not on a UNIX socket */
	char redis_user[CONFIG_NAME_BYTES];  /* login that the URL does not hold; empty: the URL's */
	char redis_password[CONFIG_PATH_BYTES];
	char sentinel_user[CONFIG_NAME_BYTES]; /* login of the Sentinels; without a password there is none */
	char sentinel_password[CONFIG_PATH_BYTES];
	char state_dir[CONFIG_PATH_BYTES];   /* holds askance.db */
	char rules_dir[CONFIG_PATH_BYTES];
	char jsonl[CONFIG_PATH_BYTES];       /* file to append events to, "-" for stdout, empty for none */
	char country_db[CONFIG_PATH_BYTES];  /* MaxMind-format files; empty for none */
	char asn_db[CONFIG_PATH_BYTES];
	char oui_file[CONFIG_PATH_BYTES];    /* ieee-data's oui.csv; its neighbours oui36.csv and mam.csv are read too */
	uint32_t watch_learn_s;              /* see struct watch_times of the hub; 0 for what is usual, at most 7 days */
	uint32_t watch_hold_s;
	uint32_t watch_observe_s;
	uint32_t watch_canary_s;
	uint32_t outputs;                    /* 0 .. CONFIG_OUTPUTS */
	uint32_t channel;                    /* 1: events are published on channels too */
	uint32_t stream_hours;               /* older entries that all groups have are removed, 1 .. 87600; 0: never */
	uint32_t stream_behind;              /* a group further behind is an alarm; 0 for what is usual */
	uint32_t slow_ms;                    /* between looks at the stream's readers, and between marks of its age; 0 for what is usual */
	uint32_t lacks;                      /* walls that this kernel lacks, enum sandbox_lack */
	uint32_t landlock;                   /* its version in this kernel, 0 for none */
	struct output_config output[CONFIG_OUTPUTS];
};

enum { RELAY_PORTS = 16 };

struct relay_config {
	uint32_t version;
	uint32_t walls;
	uint32_t ports;                       /* 1 .. RELAY_PORTS */
	uint16_t port[RELAY_PORTS];           /* that may be connected to */
	char socket[CONFIG_PATH_BYTES];       /* to listen on; empty: FD_RELAY_CLIENT is the only client */
	char redis_url[CONFIG_URL_BYTES];     /* TLS or not, and names to resolve */
	char ca[CONFIG_PATH_BYTES];           /* PEM files; empty: the system's authorities */
	char certificate[CONFIG_PATH_BYTES];  /* our own, with key; empty: none */
	char key[CONFIG_PATH_BYTES];
	char server_name[CONFIG_PATH_BYTES];  /* that the server's certificate is for; empty: the host connected to */
};

struct prober_config {
	uint32_t version;
	uint32_t probing;       /* enum probing_mode */
	uint32_t walls;
	uint32_t require_clock; /* 1: nothing is asked while the kernel says that its clock is not synchronised */
	uint16_t port_first;    /* source ports of probes, 1024 .. 65535 */
	uint16_t port_last;     /* at most CONFIG_SOURCE_PORTS of them */
	uint16_t vlan[2];       /* under which the network of `interface` is heard; 0 for untagged */
	char rules_dir[CONFIG_PATH_BYTES];
	char state_dir[CONFIG_PATH_BYTES]; /* holds audit/ and stop-probing */
	char interface[16];
	char source[CONFIG_NAME_BYTES];    /* address that probes come from; empty: nothing is asked */
	char sensor[CONFIG_NAME_BYTES];
	char zone[CONFIG_NAME_BYTES];
};

enum { CONSOLE_SENSORS = 16 };

/* From `askance console`. */
struct console_config {
	uint32_t version;
	uint32_t walls;
	uint32_t sensors;                     /* 1 .. CONSOLE_SENSORS */
	char sensor[CONSOLE_SENSORS][CONFIG_NAME_BYTES];
	char listen[CONFIG_PATH_BYTES];       /* address:port or [address]:port */
	char redis_url[CONFIG_URL_BYTES];     /* as of the hub */
	char relay[CONFIG_PATH_BYTES];
	char redis_user[CONFIG_NAME_BYTES];
	char redis_password[CONFIG_PATH_BYTES];
	char sentinel_user[CONFIG_NAME_BYTES]; /* as of the hub */
	char sentinel_password[CONFIG_PATH_BYTES];
	char certificate[CONFIG_PATH_BYTES];  /* PEM files: our own, with key; empty: no TLS */
	char key[CONFIG_PATH_BYTES];
	char authority[CONFIG_PATH_BYTES];    /* of the clients' certificates */
};

/* True when all values are in their ranges and all texts end: each process asks before it believes. */
bool config_capture_valid(const struct capture_config *c);
bool config_engine_valid(const struct engine_config *c);
bool config_hub_valid(const struct hub_config *c);
bool config_relay_valid(const struct relay_config *c);
bool config_prober_valid(const struct prober_config *c);
bool config_console_valid(const struct console_config *c);

#endif
