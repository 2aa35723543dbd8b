/*
 * The sensor's configuration file (YAML), read and checked as a whole.
 *
 *   sensor:    {name: plant-1, zone: hall-3}
 *   capture:   [{interface: eth1}, {file: x.pcap, pace: recorded}]      # fast | recorded
 *   listening: {snap_length: 65535, buffer_mib: 64, timeout_ms: 5, engines: 1,   # of all interfaces
 *               service_probes: FILE, p0f: FILE, os_db: FILE}           # formats of nmap and p0f; absent: none
 *   redis:     {url: "rediss://host:6380", ca: ca.pem, certificate: me.pem, key: me.key,
 *               server_name: redis.plant, ports: [6380], user: askance, password_file: pw,
 *               sentinel_user: askance, sentinel_password_file: pw}
 *                                                                       # absent: a private one
 *   outputs:   [{list: siem, types: [asset, gap-open], cap: 100000, when_full: drop-new},   # | drop-old
 *               {channel: true},                                        # beside the stream, see sensor/hub/outputs.h
 *               {stream: true, keep_hours: 168, behind: 1000000}]       # see sensor/hub/stream_trim.h
 *   state:     /var/lib/askance
 *   rules:     /etc/askance/rules                                       # absent: see sensor/common/paths.h
 *   probing:   {mode: propose, interface: eth2, source: 10.0.0.9,       # off | propose | automatic
 *               source_ports: 31700-31731, vlan: 0, inner_vlan: 0, require_clock: true}
 *   watch:     {learn_s: 600, hold_s: 900, observe_s: 60, canary_s: 600}  # see sensor/hub/watch.h
 *   limits:    {flows: 262144, details: 131072, stream_mib: 64, ndpi_flows: 8192, assets: 100000,
 *               ring_mib: 64, outbox_days: 7, outbox_mib: 1024}
 *   geoip:     {country: country.mmdb, asn: asn.mmdb}
 *   oui:       /usr/share/ieee-data/oui.csv
 *   jsonl:     /var/log/askance.jsonl                                   # "-": stdout
 *   user:      askance                                                  # become it, when started by root
 *   require_walls: true
 *
 * Only sensor.name and one capture are required. A path that is not absolute is taken from the
 * folder where the sensor is started.
 */
#ifndef SENSOR_SUPERVISOR_CONFIGURATION_H
#define SENSOR_SUPERVISOR_CONFIGURATION_H

#include "sensor/common/config.h"

#include <stdbool.h>

enum { STREAM_HOURS_UNSAID = UINT32_MAX };
enum { CONFIGURATION_USER_BYTES = 33, CONFIGURATION_SOURCES = CONFIG_INTERFACES };

/* One thing to listen to: an interface or a file; the other is empty. */
struct capture_source {
	char interface[16];
	char file[CONFIG_PATH_BYTES];
	uint32_t pace; /* enum engine_pace, of a file */
};

struct configuration {
	char sensor[CONFIG_NAME_BYTES];
	char zone[CONFIG_NAME_BYTES];
	unsigned sources;
	struct capture_source source[CONFIGURATION_SOURCES];
	uint32_t snap_length, buffer_mib, timeout_ms;
	uint32_t engines; /* that share what the interfaces hear; each file has one of its own */
	char engine_file[ENGINE_FILES][CONFIG_PATH_BYTES]; /* by enum engine_file */
	char redis_url[CONFIG_URL_BYTES]; /* empty: a private one */
	char redis_ca[CONFIG_PATH_BYTES], redis_certificate[CONFIG_PATH_BYTES], redis_key[CONFIG_PATH_BYTES];
	char redis_server_name[CONFIG_PATH_BYTES];
	unsigned redis_ports;             /* beside those of the URL */
	uint16_t redis_port[RELAY_PORTS];
	char redis_user[CONFIG_NAME_BYTES];
	char redis_password_file[CONFIG_PATH_BYTES];
	char redis_password[CONFIG_PATH_BYTES]; /* that file's first line */
	char sentinel_user[CONFIG_NAME_BYTES];   /* the login of the Sentinels themselves */
	char sentinel_password_file[CONFIG_PATH_BYTES];
	char sentinel_password[CONFIG_PATH_BYTES];
	uint32_t outputs, channel;
	uint32_t stream_hours, stream_behind; /* stream_hours STREAM_HOURS_UNSAID: a week for the private Redis, else never */
	struct output_config output[CONFIG_OUTPUTS];
	char state[CONFIG_PATH_BYTES];
	char rules[CONFIG_PATH_BYTES];
	uint32_t probing; /* enum probing_mode */
	char probing_interface[16];
	char probing_source[CONFIG_NAME_BYTES];
	char source_ports[16];       /* "31700-31731" as written, checked */
	uint16_t port_first, port_last;
	uint32_t probing_vlan, probing_inner_vlan; /* tags under which the network of that interface is heard */
	uint32_t require_clock;      /* 0 or 1 */
	uint32_t watch_learn_s, watch_hold_s, watch_observe_s, watch_canary_s;
	uint32_t flows, details, stream_mib, ndpi_flows, assets, ring_mib, outbox_days, outbox_mib;
	char country_db[CONFIG_PATH_BYTES];
	char asn_db[CONFIG_PATH_BYTES];
	char oui[CONFIG_PATH_BYTES];
	char jsonl[CONFIG_PATH_BYTES];
	char user[CONFIGURATION_USER_BYTES];
	uint32_t require_walls; /* 0 or 1 */
};

/* Gets each mistake: the line from 1 on (0 when the file has none), and a sentence without its end. */
typedef void configuration_mistake(void *context, const char *path, unsigned line, const char *sentence);

/*
 * Reads the file. Every mistake is told, not the first alone. Returns their number; *out is written
 * only when it is 0.
 */
int configuration_read(const char *path, struct configuration *out, configuration_mistake *tell, void *context);

#endif
