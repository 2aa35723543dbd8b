/* Makes what runs between the processes and hands each its ends; wiring.h tells what is what. */
#include "sensor/supervisor/wiring.h"

#include "sensor/common/landlock.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/redis_url.h"
#include "sensor/common/spawn.h"
#include "sensor/supervisor/rights.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, FINDINGS_RING_BYTES = 16 * MIB, PROBES_RING_BYTES = 4 * MIB, RETELL_MS = 60000, PRIVATE_HOURS = 168, PULSES = 4096, WIRES = 40 };

static int open_file(struct engine_wiring *e)
{
	const char *path = e->source->file;

	e->file = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
	if (e->file < 0)
		log_error("the capture file %s can't be opened: %s", path, strerror(errno));
	return e->file < 0 ? -1 : 0;
}

/* What every engine reads at its start. Only a file that can be opened now, with all rights, is one. */
static int open_engine_files(struct wiring *w)
{
	for (int i = 0; i < ENGINE_FILES; i++) {
		const char *path = w->config->engine_file[i];

		w->engine_files[i] = path[0] ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (path[0] && w->engine_files[i] < 0) {
			log_error("%s can't be opened: %s", path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

int wiring_open_files(struct wiring *w, const struct configuration *c)
{
	*w = (struct wiring){ .config = c, .orders = { -1, -1 }, .outcomes = { -1, -1 },
	                      .probes = { -1, -1, -1, -1, -1 }, .hold = { -1, -1 } };
	for (unsigned i = 0; i < c->sources; i++)
		w->live |= c->source[i].interface[0] != 0;
	for (; w->live && w->engines < c->engines; w->engines++)
		w->engine[w->engines].file = -1;
	w->listeners = w->engines;
	for (unsigned i = 0; i < c->sources; i++) {
		if (!c->source[i].file[0])
			continue;
		if (w->engines == CONFIG_ENGINES) {
			log_error("there are more than %d sources for engines", CONFIG_ENGINES);
			return -1;
		}
		w->engine[w->engines].source = &c->source[i];
		if (open_file(&w->engine[w->engines++]) < 0)
			return -1;
	}
	return open_engine_files(w);
}

static int make_findings(struct engine_wiring *e)
{
	if (ring_create(&e->findings, "findings", FINDINGS_RING_BYTES) < 0)
		return -1;
	return ring_attach_watcher(&e->watch, e->findings.records_ro, e->findings.tail_ro);
}

int wiring_renew_findings(struct wiring *w, unsigned index)
{
	struct engine_wiring *e = &w->engine[index];

	ring_detach(&e->watch);
	ring_close_fds(&e->findings);
	return make_findings(e);
}

/* The largest power of two that leaves the others as much. */
static size_t frames_bytes(const struct wiring *w)
{
	size_t bytes = (size_t)w->config->ring_mib * MIB;

	for (unsigned rings = w->listeners; rings > 1; rings = (rings + 1) / 2)
		bytes /= 2;
	return bytes;
}

static int make_frames(struct engine_wiring *e, size_t bytes)
{
	if (ring_create(&e->frames, "frames", bytes) < 0)
		return -1;
	return ring_attach_watcher(&e->frames_watch, e->frames.records_ro, e->frames.tail_ro);
}

static int make_all(struct wiring *w)
{
	for (unsigned i = 0; i < w->listeners; i++)
		if (make_frames(&w->engine[i], frames_bytes(w)) < 0)
			return -1;
	for (unsigned i = 0; i < w->engines; i++)
		if (make_findings(&w->engine[i]) < 0)
			return -1;
	if (ring_create(&w->probes, "probes", PROBES_RING_BYTES) < 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w->hold) < 0)
		return -1;
	/* Each message whole or not at all: after noise, a successor of the reader finds the next message's first byte. */
	return pipe2(w->orders, O_CLOEXEC | O_DIRECT) < 0 || pipe2(w->outcomes, O_CLOEXEC | O_DIRECT) < 0 ? -1 : 0;
}

int wiring_make(struct wiring *w)
{
	if (make_all(w) < 0) {
		log_error("no memory or descriptors for the rings: %s", strerror(errno));
		return -1;
	}
	if (w->config->redis_url[0])
		snprintf(w->redis_url, sizeof w->redis_url, "%s", w->config->redis_url);
	else
		snprintf(w->redis_url, sizeof w->redis_url, "unix://%s/redis.sock", w->config->state);
	return 0;
}

/* Descriptors gathered for one child. */
struct wires {
	struct spawn_fd fd[WIRES];
	size_t count;
};

static void add(struct wires *w, int from, int to)
{
	w->fd[w->count++] = (struct spawn_fd){ from, to };
}

static void add_producer(struct wires *w, const struct ring_fds *r, int first)
{
	add(w, r->records_rw, first);
	add(w, r->tail_ro, first + 1);
	add(w, r->wake, first + 2);
}

static void add_consumer(struct wires *w, const struct ring_fds *r, int first)
{
	add(w, r->records_ro, first);
	add(w, r->tail_rw, first + 1);
	add(w, r->wake, first + 2);
}

/* /dev/null, unless it has something there: no socket or store may get a number that a library prints to. */
static void add_nothing(struct wires *w, int to)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->fd[i].to == to)
			return;
	add(w, -1, to);
}

static pid_t start(const char *program, struct wires *w, const void *config, size_t len)
{
	char *argv[] = { (char *)program, NULL };
	int fd = spawn_config(config, len), cause;
	pid_t pid;

	if (fd < 0)
		return -1;
	add(w, fd, FD_CONFIG);
	add_nothing(w, STDIN_FILENO);
	add_nothing(w, STDOUT_FILENO);
	pid = spawn(program, argv, w->fd, w->count);
	cause = errno;
	close(fd);
	errno = cause;
	return pid;
}

pid_t wiring_start_capture(struct wiring *w)
{
	const struct configuration *c = w->config;
	struct capture_config k = {
		.version = CONFIG_VERSION, .snap_length = c->snap_length, .buffer_bytes = c->buffer_mib * MIB,
		.timeout_ms = c->timeout_ms, .engines = w->listeners, .walls = c->require_walls,
	};
	struct wires wires = { .count = 0 };
	pid_t pid;

	for (unsigned i = 0; i < c->sources; i++)
		if (c->source[i].interface[0])
			memcpy(k.interface[k.interfaces++], c->source[i].interface, sizeof k.interface[0]);
	for (unsigned i = 0; i < w->listeners; i++)
		add_producer(&wires, &w->engine[i].frames, fd_of_ring(FD_RECORDS_OUT, i));
	rights_lend_net_raw(true);
	pid = start("askance-capture", &wires, &k, sizeof k);
	rights_lend_net_raw(false);
	return pid;
}

/* The interface's MAC; zeros when it has none. */
static void find_mac(const char *interface, uint8_t mac[6])
{
	struct ifreq r = { .ifr_ifindex = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
	if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
}

/* Where probes come from: what the engine hears of it is our own doing. */
static struct endpoint probing_end(const struct configuration *c)
{
	struct endpoint own = { .family = 0 };

	if (c->probing == PROBING_OFF || !c->probing_source[0])
		return own;
	if (inet_pton(AF_INET, c->probing_source, own.ip) == 1)
		own.family = 4;
	else if (inet_pton(AF_INET6, c->probing_source, own.ip) == 1)
		own.family = 6;
	find_mac(c->probing_interface, own.mac);
	return own;
}

pid_t wiring_start_engine(struct wiring *w, unsigned index)
{
	const struct configuration *c = w->config;
	struct engine_wiring *e = &w->engine[index];
	struct engine_config k = {
		.version = CONFIG_VERSION, .index = index, .source = e->file >= 0 ? ENGINE_FILE : ENGINE_RING,
		.pace = e->source ? e->source->pace : PACE_FAST, .flows = c->flows, .details = c->details,
		.stream_bytes = c->stream_mib * MIB, .ndpi_flows = c->ndpi_flows, .walls = c->require_walls, .retell_ms = RETELL_MS,
		.probes = index == 0, .own = probing_end(c),
		.shares = index < w->listeners && w->listeners > 1 ? shares_of_engine(index, w->listeners) : 0,
		.quiet = index > 0,
		.pulses = PULSES,
		.careful = e->careful, .avoids = e->avoids, .quarantined = w->quarantined,
	};
	struct wires wires = { .count = 0 };

	e->careful = 0;
	memcpy(k.avoid, e->avoid, sizeof k.avoid);
	add_producer(&wires, &e->findings, FD_RECORDS_OUT);
	if (index == 0)
		add_consumer(&wires, &w->probes, FD_PROBES_IN);
	if (e->file >= 0) {
		add(&wires, e->file, FD_CAPTURE_FILE);
		lseek(e->file, 0, SEEK_SET); /* a successor reads from the start; what was told twice is told once */
	} else {
		add_consumer(&wires, &e->frames, FD_RECORDS_IN);
	}
	for (int i = 0; i < ENGINE_FILES; i++) {
		memcpy(k.file[i], c->engine_file[i], sizeof k.file[i]);
		if (w->engine_files[i] >= 0)
			add(&wires, w->engine_files[i], FD_ENGINE_FILES + i);
	}
	return start("askance-engine", &wires, &k, sizeof k);
}

static void copy(char *to, const char *from, size_t room)
{
	snprintf(to, room, "%s", from);
}

bool wiring_needs_relay(const struct wiring *w)
{
	return w->config->redis_url[0] && strncmp(w->config->redis_url, "unix://", 7) != 0;
}

static void relay_socket(const struct wiring *w, char *path, size_t room)
{
	snprintf(path, room, "%.*s/relay.sock", (int)(room - sizeof "/relay.sock"), w->config->state);
}

static void add_port(struct relay_config *k, int port)
{
	for (unsigned i = 0; i < k->ports; i++)
		if (k->port[i] == port)
			return;
	if (k->ports < RELAY_PORTS)
		k->port[k->ports++] = (uint16_t)port;
}

void wiring_relay_config(const struct configuration *c, struct relay_config *k)
{
	struct redis_url url;
	char why[256];

	*k = (struct relay_config){ .version = CONFIG_VERSION, .walls = c->require_walls };
	if (redis_url_parse(&url, c->redis_url, why, sizeof why) == 0)
		for (unsigned i = 0; i < url.places; i++)
			add_port(k, url.place[i].port);
	for (unsigned i = 0; i < c->redis_ports; i++)
		add_port(k, c->redis_port[i]);
	/* Sentinels say where their master is; unless told otherwise, on the usual port. */
	if (url.master[0] && !c->redis_ports)
		add_port(k, REDIS_PORT);
	copy(k->redis_url, c->redis_url, sizeof k->redis_url);
	copy(k->ca, c->redis_ca, sizeof k->ca);
	copy(k->certificate, c->redis_certificate, sizeof k->certificate);
	copy(k->key, c->redis_key, sizeof k->key);
	copy(k->server_name, c->redis_server_name, sizeof k->server_name);
}

pid_t wiring_start_relay(struct wiring *w)
{
	struct wires wires = { .count = 0 };
	struct relay_config k;

	wiring_relay_config(w->config, &k);
	relay_socket(w, k.socket, sizeof k.socket);
	return start("askance-relay", &wires, &k, sizeof k);
}

static void fill_hub_config(const struct wiring *w, struct hub_config *k)
{
	const struct configuration *c = w->config;

	*k = (struct hub_config){
		.version = CONFIG_VERSION, .mode = HUB_RUN, .probing = w->probing_stopped ? PROBING_OFF : c->probing,
		.engines = w->engines, .walls = c->require_walls, .max_assets = c->assets, .outbox_days = c->outbox_days,
		.outbox_bytes_mib = c->outbox_mib, .lacks = w->lacks, .landlock = (uint32_t)landlock_version(),
	};
	for (unsigned i = 0; i < w->engines; i++)
		k->source[i] = i < w->listeners ? 0 : i;
	copy(k->sensor, c->sensor, sizeof k->sensor);
	copy(k->zone, c->zone, sizeof k->zone);
	copy(k->redis_url, w->redis_url, sizeof k->redis_url);
	if (wiring_needs_relay(w))
		relay_socket(w, k->relay, sizeof k->relay);
	copy(k->redis_user, c->redis_user, sizeof k->redis_user);
	copy(k->redis_password, c->redis_password, sizeof k->redis_password);
	copy(k->sentinel_user, c->sentinel_user, sizeof k->sentinel_user);
	copy(k->sentinel_password, c->sentinel_password, sizeof k->sentinel_password);
	copy(k->state_dir, c->state, sizeof k->state_dir);
	copy(k->rules_dir, c->rules, sizeof k->rules_dir);
	copy(k->jsonl, c->jsonl, sizeof k->jsonl);
	copy(k->country_db, c->country_db, sizeof k->country_db);
	copy(k->asn_db, c->asn_db, sizeof k->asn_db);
	k->outputs = c->outputs;
	k->channel = c->channel;
	/* The private Redis is ours to keep small; of another's stream nothing is removed unless its owner says so. */
	k->stream_hours = c->stream_hours != STREAM_HOURS_UNSAID ? c->stream_hours : c->redis_url[0] ? 0 : PRIVATE_HOURS;
	k->stream_behind = c->stream_behind;
	memcpy(k->output, c->output, sizeof k->output);
	k->watch_learn_s = c->watch_learn_s;
	k->watch_hold_s = c->watch_hold_s;
	k->watch_observe_s = c->watch_observe_s;
	k->watch_canary_s = c->watch_canary_s;
	copy(k->oui_file, c->oui, sizeof k->oui_file);
}

pid_t wiring_start_hub(struct wiring *w)
{
	struct wires wires = { .count = 0 };
	struct hub_config k;

	fill_hub_config(w, &k);
	for (unsigned i = 0; i < w->engines; i++)
		add_consumer(&wires, &w->engine[i].findings, fd_of_ring(FD_RECORDS_IN, i));
	add(&wires, w->orders[1], FD_ORDERS);
	add(&wires, w->outcomes[0], FD_OUTCOMES);
	if (strcmp(k.jsonl, "-") == 0)
		add(&wires, STDOUT_FILENO, STDOUT_FILENO);
	return start("askance-hub", &wires, &k, sizeof k);
}

pid_t wiring_start_prober(struct wiring *w)
{
	const struct configuration *c = w->config;
	struct prober_config k = {
		.version = CONFIG_VERSION, .probing = w->probing_stopped ? PROBING_OFF : c->probing, .walls = c->require_walls,
		.require_clock = c->require_clock, .port_first = c->port_first, .port_last = c->port_last,
		.vlan = { (uint16_t)c->probing_vlan, (uint16_t)c->probing_inner_vlan },
	};
	struct wires wires = { .count = 0 };
	pid_t pid;

	copy(k.rules_dir, c->rules, sizeof k.rules_dir);
	copy(k.state_dir, c->state, sizeof k.state_dir);
	copy(k.interface, c->probing_interface, sizeof k.interface);
	copy(k.source, c->probing_source, sizeof k.source);
	copy(k.sensor, c->sensor, sizeof k.sensor);
	copy(k.zone, c->zone, sizeof k.zone);
	add(&wires, w->orders[0], FD_ORDERS);
	add(&wires, w->outcomes[1], FD_OUTCOMES);
	add_producer(&wires, &w->probes, FD_RECORDS_OUT);
	add(&wires, w->hold[0], FD_HOLD_IN);
	add(&wires, w->hold[1], FD_HOLD_OUT);
	/* For ARP and rules on Ethernet itself; the prober opens its sockets for them and drops it. */
	rights_lend_net_raw(k.probing != PROBING_OFF && k.source[0]);
	pid = start("askance-prober", &wires, &k, sizeof k);
	rights_lend_net_raw(false);
	return pid;
}

const char *wiring_find_redis(void)
{
	static const char *const places[] = { "/usr/bin/redis-server", "/usr/local/bin/redis-server" };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* No TCP port; every write kept in a file; never a key evicted, for a lost event must be seen as an error. */
pid_t wiring_start_redis(struct wiring *w)
{
	char *state = (char *)w->config->state, socket[CONFIG_PATH_BYTES + 16], log[CONFIG_PATH_BYTES + 16];
	char *argv[] = {
		(char *)"redis-server", (char *)"--port", (char *)"0", (char *)"--unixsocket", socket,
		(char *)"--unixsocketperm", (char *)"770", (char *)"--dir", state, (char *)"--appendonly", (char *)"yes",
		(char *)"--maxmemory-policy", (char *)"noeviction", (char *)"--save", (char *)"", (char *)"--daemonize",
		(char *)"no", (char *)"--logfile", log,
		/* Before version 2 Landlock lets nobody rename from one folder into another, as Redis does with its file. */
		landlock_version() == 1 ? (char *)"--appenddirname" : NULL, (char *)".", NULL,
	};
	const char *program = wiring_find_redis();
	struct wires wires = { .count = 0 };

	if (!program) {
		errno = ENOENT;
		return -1;
	}
	snprintf(socket, sizeof socket, "%s/redis.sock", state);
	snprintf(log, sizeof log, "%s/redis.log", state);
	add(&wires, -1, STDIN_FILENO);
	add(&wires, -1, STDOUT_FILENO);
	return spawn(program, argv, wires.fd, wires.count);
}
