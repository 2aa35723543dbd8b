/* The keys of the configuration file, their ranges and defaults, and what must fit together. */
#include "sensor/supervisor/configuration.h"

#include "sensor/common/paths.h"
#include "sensor/common/redis_url.h"
#include "sensor/supervisor/output.h"
#include "sensor/supervisor/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_CHARACTERS LETTERS "0123456789_.-"
#define AT(field) offsetof(struct configuration, field)
#define ROOM(field) sizeof(((struct configuration *)0)->field)
#define NUMBER(key, field, min, max) { key, SETTING_NUMBER, AT(field), 0, min, max, NULL, NULL, NULL, NULL }
#define TEXT(key, field, characters, check) { key, SETTING_TEXT, AT(field), ROOM(field), 0, 0, characters, NULL, NULL, check }
#define PATH(key, field, check) { key, SETTING_PATH, AT(field), ROOM(field), 0, 0, NULL, NULL, NULL, check }
#define GROUP(key, keys) { key, SETTING_GROUP, 0, 0, 0, 0, NULL, keys, NULL, NULL }
#define END { NULL, SETTING_TEXT, 0, 0, 0, 0, NULL, NULL, NULL, NULL }

enum {
	VLAN_MAX = 4094, PORT_MIN = 1024, PORT_MAX = 65535, MIB_MAX = 1024, OUTBOX_MIB_MAX = 1024 * 1024, MANY = 64 * 1024 * 1024,
	ASSETS_MAX = 10 * 1024 * 1024, WATCH_MAX_S = 7 * 86400,
};

static void check_file(struct settings *s, yaml_node_t *node, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return;
	if (access(path, R_OK) < 0)
		settings_mistake(s, node, "%s can't be read: %s", path, strerror(errno));
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		settings_mistake(s, node, "%s is a folder, not a file", path);
}

static void check_folder(struct settings *s, yaml_node_t *node, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		settings_mistake(s, node, "the folder %s can't be read: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		settings_mistake(s, node, "%s is no folder", path);
	else if (access(path, R_OK | X_OK) < 0)
		settings_mistake(s, node, "the folder %s can't be read: %s", path, strerror(errno));
}

static void check_flows(struct settings *s, yaml_node_t *node, const char *field)
{
	uint32_t n = *(const uint32_t *)field;

	if (n & (n - 1))
		settings_mistake(s, node, "flows: %u is no power of two", n);
}

static void check_url(struct settings *s, yaml_node_t *node, const char *url)
{
	struct redis_url read;
	char why[256];

	if (redis_url_parse(&read, url, why, sizeof why) < 0)
		settings_mistake(s, node, "url: %s", why);
}

/* A name without a slash is one of systemd's credentials. Commands beside the service look where systemd found it. */
static const char *credential_folder(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder ? folder : "/etc/credstore";
}

static void check_password_file(struct settings *s, yaml_node_t *node, const char *path)
{
	if (path[0] != '/' && strchr(path, '/'))
		settings_mistake(s, node, "password_file: %s is neither a whole path nor the name of a systemd credential", path);
}

static void read_port(struct settings *s, yaml_node_t *node, void *base)
{
	struct configuration *c = base;
	char *end = NULL;
	long port = node->type == YAML_SCALAR_NODE ? strtol((const char *)node->data.scalar.value, &end, 10) : 0;

	if (!end || *end || port < 1 || port > 65535)
		settings_mistake(s, node, "ports: wants numbers from 1 to 65535");
	else if (c->redis_ports == RELAY_PORTS - REDIS_URL_PLACES)
		settings_mistake(s, node, "ports: there are more than %d", RELAY_PORTS - REDIS_URL_PLACES);
	else
		c->redis_port[c->redis_ports++] = (uint16_t)port;
}

static void check_address(struct settings *s, yaml_node_t *node, const char *text)
{
	unsigned char room[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, text, room) != 1 && inet_pton(AF_INET6, text, room) != 1)
		settings_mistake(s, node, "source: '%s' is no IP address", text);
}

/* False when it is no range of ports that probes could come from. */
static bool parse_ports(const char *text, uint16_t *first, uint16_t *last)
{
	unsigned from, to;
	int used = 0;

	if (sscanf(text, "%5u-%5u%n", &from, &to, &used) != 2 || text[used] || from < PORT_MIN || to < from || to > PORT_MAX ||
	    to - from >= CONFIG_SOURCE_PORTS)
		return false;
	*first = (uint16_t)from;
	*last = (uint16_t)to;
	return true;
}

static void check_ports(struct settings *s, yaml_node_t *node, const char *text)
{
	uint16_t first, last;

	if (!parse_ports(text, &first, &last))
		settings_mistake(s, node, "source_ports: '%s' is no range FIRST-LAST of at most %d ports from %d on", text, CONFIG_SOURCE_PORTS, PORT_MIN);
}

static const struct setting sensor_keys[] = {
	TEXT("name", sensor, NAME_CHARACTERS, NULL),
	TEXT("zone", zone, NAME_CHARACTERS, NULL),
	END,
};
static const struct setting listening_keys[] = {
	NUMBER("snap_length", snap_length, 64, 262144),
	NUMBER("buffer_mib", buffer_mib, 1, MIB_MAX),
	NUMBER("timeout_ms", timeout_ms, 1, 100),
	NUMBER("engines", engines, 1, CONFIG_ENGINES),
	PATH("service_probes", engine_file[ENGINE_SERVICE_PROBES], check_file),
	PATH("p0f", engine_file[ENGINE_P0F], check_file),
	PATH("os_db", engine_file[ENGINE_OS_DB], check_file),
	END,
};
static const struct setting redis_keys[] = {
	TEXT("url", redis_url, NULL, check_url),
	PATH("ca", redis_ca, check_file),
	PATH("certificate", redis_certificate, check_file),
	PATH("key", redis_key, check_file),
	TEXT("server_name", redis_server_name, NAME_CHARACTERS, NULL),
	{ "ports", SETTING_LIST, 0, 0, 0, 0, NULL, NULL, read_port, NULL },
	TEXT("user", redis_user, NAME_CHARACTERS, NULL),
	TEXT("password_file", redis_password_file, NULL, check_password_file),
	TEXT("sentinel_user", sentinel_user, NAME_CHARACTERS, NULL),
	TEXT("sentinel_password_file", sentinel_password_file, NULL, check_password_file),
	END,
};
static const struct setting probing_keys[] = {
	{ "mode", SETTING_CHOICE, AT(probing), 0, 0, 0, "off propose automatic", NULL, NULL, NULL },
	TEXT("interface", probing_interface, NULL, NULL),
	TEXT("source", probing_source, NULL, check_address),
	TEXT("source_ports", source_ports, "0123456789-", check_ports),
	NUMBER("vlan", probing_vlan, 0, VLAN_MAX),
	NUMBER("inner_vlan", probing_inner_vlan, 0, VLAN_MAX),
	{ "require_clock", SETTING_TRUTH, AT(require_clock), 0, 0, 0, NULL, NULL, NULL, NULL },
	END,
};
static const struct setting watch_keys[] = {
	NUMBER("learn_s", watch_learn_s, 1, WATCH_MAX_S),
	NUMBER("hold_s", watch_hold_s, 1, WATCH_MAX_S),
	NUMBER("observe_s", watch_observe_s, 1, WATCH_MAX_S),
	NUMBER("canary_s", watch_canary_s, 1, WATCH_MAX_S),
	END,
};
static const struct setting limits_keys[] = {
	{ "flows", SETTING_NUMBER, AT(flows), 0, 1024, MANY, NULL, NULL, NULL, check_flows },
	NUMBER("details", details, 256, MANY),
	NUMBER("stream_mib", stream_mib, 1, MIB_MAX),
	NUMBER("ndpi_flows", ndpi_flows, 0, MANY),
	NUMBER("assets", assets, 1000, ASSETS_MAX),
	NUMBER("ring_mib", ring_mib, 1, MIB_MAX),
	NUMBER("outbox_days", outbox_days, 0, 365),
	NUMBER("outbox_mib", outbox_mib, 16, OUTBOX_MIB_MAX),
	END,
};
static const struct setting geoip_keys[] = {
	PATH("country", country_db, check_file),
	PATH("asn", asn_db, check_file),
	END,
};

static const struct setting source_keys[] = {
	{ "interface", SETTING_TEXT, offsetof(struct capture_source, interface), 16, 0, 0, NULL, NULL, NULL, NULL },
	{ "file", SETTING_PATH, offsetof(struct capture_source, file), CONFIG_PATH_BYTES, 0, 0, NULL, NULL, NULL, check_file },
	{ "pace", SETTING_CHOICE, offsetof(struct capture_source, pace), 0, 0, 0, "fast recorded", NULL, NULL, NULL },
	END,
};

static void read_source(struct settings *s, yaml_node_t *node, void *base);

static const struct setting all_keys[] = {
	GROUP("sensor", sensor_keys),
	{ "capture", SETTING_LIST, 0, 0, 0, 0, NULL, NULL, read_source, NULL },
	GROUP("listening", listening_keys),
	GROUP("redis", redis_keys),
	{ "outputs", SETTING_LIST, 0, 0, 0, 0, NULL, NULL, output_read, NULL },
	PATH("state", state, NULL),
	PATH("rules", rules, check_folder),
	GROUP("probing", probing_keys),
	GROUP("watch", watch_keys),
	GROUP("limits", limits_keys),
	GROUP("geoip", geoip_keys),
	PATH("oui", oui, check_file),
	PATH("jsonl", jsonl, NULL),
	TEXT("user", user, NAME_CHARACTERS, NULL),
	{ "require_walls", SETTING_TRUTH, AT(require_walls), 0, 0, 0, NULL, NULL, NULL, NULL },
	END,
};

static bool same_source(const struct capture_source *a, const struct capture_source *b)
{
	return strcmp(a->interface, b->interface) == 0 && strcmp(a->file, b->file) == 0;
}

static void read_source(struct settings *s, yaml_node_t *node, void *base)
{
	struct configuration *c = base;
	struct capture_source one = { .pace = PACE_FAST };
	int before = s->mistakes;

	settings_group(s, node, source_keys, &one);
	if (s->mistakes != before)
		return;
	if (!one.interface[0] == !one.file[0])
		settings_mistake(s, node, "capture: wants either `interface` or `file`");
	else if (one.interface[0] && settings_find(s, node, "pace"))
		settings_mistake(s, node, "pace: only a file has one");
	else if (c->sources == CONFIGURATION_SOURCES)
		settings_mistake(s, node, "capture: there are more than %d", CONFIGURATION_SOURCES);
	for (unsigned i = 0; i < c->sources; i++)
		if (same_source(&one, &c->source[i]))
			settings_mistake(s, node, "capture: '%s%s' stands here a second time", one.interface, one.file);
	if (s->mistakes == before)
		c->source[c->sources++] = one;
}

static void set_defaults(struct configuration *c)
{
	*c = (struct configuration){
		.zone = "default",
		.snap_length = 65535, .buffer_mib = 64, .timeout_ms = 5, .engines = 1,
		.state = "/var/lib/askance",
		/* Below the ports that Linux gives to others by itself (ip_local_port_range), so that they are ours alone. */
		.probing = PROBING_PROPOSE, .source_ports = "31700-31731", .require_clock = 1,
		.watch_learn_s = 600, .watch_hold_s = 900, .watch_observe_s = 60, .watch_canary_s = 600,
		.flows = 262144, .details = 131072, .stream_mib = 64, .ndpi_flows = 8192,
		.assets = 100000, .ring_mib = 64, .outbox_days = 7, .outbox_mib = 1024,
		.stream_hours = STREAM_HOURS_UNSAID,
		.oui = "/usr/share/ieee-data/oui.csv",
		.require_walls = 1,
	};
	if (paths_rules(c->rules, sizeof c->rules) < 0)
		snprintf(c->rules, sizeof c->rules, "/etc/askance/rules");
}

/* The first line of the file, without its end. */
static void read_password(struct settings *s, yaml_node_t *node, const char *key, const char *name, char password[CONFIG_PATH_BYTES])
{
	const char *folder = credential_folder();
	char path[CONFIG_PATH_BYTES * 2];
	FILE *file;

	snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/", name);
	file = fopen(path, "re");
	if (!file || !fgets(password, CONFIG_PATH_BYTES, file))
		settings_mistake(s, node, "%s: %s %s", key, path, file ? "is empty" : strerror(errno));
	password[strcspn(password, "\r\n")] = 0;
	if (file && !password[0])
		settings_mistake(s, node, "%s: the first line of %s is empty", key, path);
	if (file)
		fclose(file);
}

static void check_sentinel(struct settings *s, yaml_node_t *node, struct configuration *c)
{
	if (c->sentinel_user[0] && !c->sentinel_password_file[0])
		settings_mistake(s, node, "redis: `sentinel_user` wants `sentinel_password_file`");
	if (!c->sentinel_password_file[0])
		return;
	if (strncmp(c->redis_url, "sentinel", 8) != 0 && s->mistakes == 0)
		settings_mistake(s, node, "redis: a login for Sentinels is of use with sentinel:// and sentinels:// only");
	read_password(s, settings_find(s, node, "sentinel_password_file"), "sentinel_password_file", c->sentinel_password_file, c->sentinel_password);
}

static void check_redis(struct settings *s, yaml_node_t *node, struct configuration *c)
{
	bool tls = strncmp(c->redis_url, "rediss://", 9) == 0 || strncmp(c->redis_url, "sentinels://", 12) == 0;

	if (!node)
		return;
	if (!c->redis_url[0] && s->mistakes == 0)
		settings_mistake(s, node, "redis: wants `url`");
	if (!tls && (c->redis_ca[0] || c->redis_certificate[0] || c->redis_key[0] || c->redis_server_name[0]) && s->mistakes == 0)
		settings_mistake(s, node, "redis: certificates are of use with rediss:// and sentinels:// only");
	if (!c->redis_certificate[0] != !c->redis_key[0])
		settings_mistake(s, node, "redis: `certificate` and `key` belong together");
	if (c->redis_user[0] && !c->redis_password_file[0])
		settings_mistake(s, node, "redis: `user` wants `password_file`");
	if (c->redis_password_file[0])
		read_password(s, settings_find(s, node, "password_file"), "password_file", c->redis_password_file, c->redis_password);
	check_sentinel(s, node, c);
}

/* Those that share the interfaces, and one for each file. */
static void check_engines(struct settings *s, yaml_node_t *listening, const struct configuration *c)
{
	unsigned files = 0;

	for (unsigned i = 0; i < c->sources; i++)
		files += c->source[i].file[0] != 0;
	if (listening && files < c->sources && c->engines + files > CONFIG_ENGINES)
		settings_mistake(s, listening, "listening: engines (%u) and one for each file of capture (%u) are more than %d", c->engines, files, CONFIG_ENGINES);
}

static void check_whole(struct settings *s, yaml_node_t *root, struct configuration *c)
{
	yaml_node_t *limits = settings_find(s, root, "limits"), *probing = settings_find(s, root, "probing");

	if (!settings_find(s, settings_find(s, root, "sensor"), "name"))
		settings_mistake(s, root, "sensor: {name: ...} is missing");
	if (!settings_find(s, root, "capture"))
		settings_mistake(s, root, "capture: is missing, a list of {interface: ...} or {file: ...}");
	else if (c->sources == 0 && s->mistakes == 0)
		settings_mistake(s, settings_find(s, root, "capture"), "capture: names no interface; `askance setup` finds the SPAN port and writes it here");
	if (!settings_find(s, root, "rules") && s->mistakes == 0)
		check_folder(s, root, c->rules);
	check_engines(s, settings_find(s, root, "listening"), c);
	check_redis(s, settings_find(s, root, "redis"), c);
	if (c->details > c->flows)
		settings_mistake(s, limits, "limits: details (%u) may not be more than flows (%u)", c->details, c->flows);
	if (c->ring_mib & (c->ring_mib - 1))
		settings_mistake(s, limits, "limits: ring_mib (%u) is no power of two", c->ring_mib);
	if (c->probing == PROBING_AUTOMATIC && (!c->probing_interface[0] || !c->probing_source[0]))
		settings_mistake(s, probing, "probing: automatic wants `interface` and `source`");
	if (!c->probing_interface[0] != !c->probing_source[0])
		settings_mistake(s, probing, "probing: `interface` and `source` belong together");
	if (c->probing_inner_vlan && !c->probing_vlan)
		settings_mistake(s, probing, "probing: inner_vlan without vlan");
	if (strncmp(c->redis_url, "unix://", 7) != 0 && strlen(c->state) + sizeof "/relay.sock" > sizeof ((struct sockaddr_un *)0)->sun_path)
		settings_mistake(s, settings_find(s, root, "state"), "state: the path is too long for a socket in it (relay.sock, redis.sock)");
}

int configuration_read(const char *path, struct configuration *out, configuration_mistake *tell, void *context)
{
	struct configuration c;
	struct settings s;
	yaml_node_t *root = settings_begin(&s, path, tell, context);

	set_defaults(&c);
	if (root) {
		settings_group(&s, root, all_keys, &c);
		if (root->type == YAML_MAPPING_NODE)
			check_whole(&s, root, &c);
	}
	settings_end(&s);
	if (s.mistakes == 0) {
		if (access(c.oui, R_OK) < 0)
			c.oui[0] = 0; /* the default file, which is not installed: makers stay unnamed */
		parse_ports(c.source_ports, &c.port_first, &c.port_last);
		*out = c;
	}
	return s.mistakes;
}
