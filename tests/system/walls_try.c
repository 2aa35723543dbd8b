/*
 * Puts up the walls of each process by the very function that the process calls, and tries to break
 * out. Each attempt is made in a process without walls, where it must work (else the test would be
 * blind), and behind the walls, where it must be refused; what the process needs must still work there. Runs as root, in namespaces of its own.
 */
#include "active/prober/walls.h"
#include "sensor/capture/walls.h"
#include "sensor/common/landlock.h"
#include "sensor/common/message.h"
#include "sensor/console/walls.h"
#include "sensor/engine/walls.h"
#include "sensor/hub/walls.h"
#include "sensor/relay/walls.h"
#include "sensor/supervisor/rights.h"
#include "tests/system/attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKED = 77, REFUSED = 10, NO_WALLS = 11 };
enum attempt_end { ATTEMPT_WORKED, ATTEMPT_REFUSED, ATTEMPT_BROKEN };

struct process {
	const char *name;
	unsigned role;
	int (*walls)(void);
};

static int engine(void)
{
	return engine_walls(true);
}

static int capture(void)
{
	return capture_walls(CONFIG_ENGINES, true);
}

/* As when it may ask: its widest. The descriptors that each attempt finds were not opened by it. */
static int prober_with(uint32_t probing)
{
	static struct prober p;

	p = (struct prober){ .config = { .version = CONFIG_VERSION, .probing = probing, .walls = 1, .port_first = PROBE_PORT, .port_last = PROBE_PORT + 1 },
	                     .own = { .family = 4, .ip = { 127, 0, 0, 1 } }, .audit = { .fd = AUDIT_FD }, .ledger = { .fd = -1 }, .route = { .fd = -1 }, .word = { .stopped_fd = -1 } };
	for (int i = 0; i < HOLD_SOCKETS; i++)
		p.hold.held[i].fd = -1;
	snprintf(p.config.state_dir, sizeof p.config.state_dir, "%s", scene.state);
	return prober_walls(&p);
}

static int prober(void)
{
	return prober_with(PROBING_PROPOSE);
}

static int prober_off(void)
{
	return prober_with(PROBING_OFF);
}

static int hub(void)
{
	struct hub_config c = { .version = CONFIG_VERSION, .walls = 1, .redis_url = "redis://127.0.0.1" };

	snprintf(c.state_dir, sizeof c.state_dir, "%s", scene.state);
	snprintf(c.rules_dir, sizeof c.rules_dir, "%s", scene.rules);
	return hub_walls(&c);
}

static int relay(void)
{
	static struct relay r = { .config = { .version = CONFIG_VERSION, .walls = 1, .ports = 1 } };

	r.config.port[0] = scene.redis_port;
	return relay_walls(&r);
}

static int console(void)
{
	return console_walls(true);
}

static int supervisor(void)
{
	static struct configuration c = { .user = "root", .require_walls = 1 };

	snprintf(c.state, sizeof c.state, "%s", scene.state);
	return rights_reduce(&c);
}

static const struct process processes[] = {
	{ "capture", CAPTURE, capture }, { "engine", ENGINE, engine },    { "hub", HUB, hub },
	{ "relay", RELAY, relay }, { "console", CONSOLE, console }, { "prober", PROBER, prober },
	{ "prober (off)", PROBER_OFF, prober_off }, { "supervisor", SUPERVISOR, supervisor },
};

/* All attempts, and which of them show anything on this machine: those that work without walls. */
static struct trial {
	const struct attempt *attempt;
	bool shows;
} trials[160];
static size_t trial_count;

struct scene scene;

static void die(const char *what)
{
	fprintf(stderr, "walls_try: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int must(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

static void hold(int fd, int as)
{
	must(dup2(must(fd, "descriptor"), as), "dup2");
	if (fd != as)
		close(fd);
}

static uint16_t listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(bind(fd, (struct sockaddr *)&a, sizeof a), "bind");
	must(listen(fd, 64), "listen");
	must(getsockname(fd, (struct sockaddr *)&a, &n), "getsockname");
	hold(fd, 60 + ntohs(a.sin_port) % 400);
	return ntohs(a.sin_port);
}

static void listen_abstract(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	snprintf(scene.abstract, sizeof scene.abstract, "walls-%d", getpid());
	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s", scene.abstract);
	must(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(scene.abstract))), "bind");
	must(listen(fd, 64), "listen");
	hold(fd, 50);
}

/* Namespaces of our own: nothing that works by mistake reaches the machine. */
static void enter_namespaces(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd;

	must(unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS), "unshare (root is needed)");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	r.ifr_flags = IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &r), "lo up");
	close(fd);
}

static void make_folders(void)
{
	snprintf(scene.folder, sizeof scene.folder, "/tmp/walls.XXXXXX");
	if (!mkdtemp(scene.folder))
		die("mkdtemp");
	must(mount("none", scene.folder, "tmpfs", 0, NULL), "mount");
	snprintf(scene.state, sizeof scene.state, "%s/state", scene.folder);
	snprintf(scene.rules, sizeof scene.rules, "%s/rules", scene.folder);
	snprintf(scene.mount, sizeof scene.mount, "%s/mount", scene.folder);
	snprintf(scene.file, sizeof scene.file, "%s/file", scene.folder);
	must(mkdir(scene.state, 0700), "mkdir");
	snprintf(scene.audit, sizeof scene.audit, "%s/audit.log", scene.state);
	must(mkdir(scene.rules, 0700), "mkdir");
	must(mkdir(scene.mount, 0700), "mkdir");
}

static void hold_packet_socket(void)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = (int)if_nametoindex("lo") };
	int fd = must(socket(AF_PACKET, SOCK_RAW, htons(3)), "packet socket");

	must(bind(fd, (struct sockaddr *)&a, sizeof a), "bind packet socket");
	hold(fd, PACKET_FD);
}

static void hold_others(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(scene.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int pair[2], fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	must(connect(fd, (struct sockaddr *)&a, sizeof a), "connect");
	hold(fd, UDP_FD);
	hold(socket(AF_INET, SOCK_STREAM, 0), TCP_FD);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	hold(pair[0], CONNECTED_FD);
	hold(pair[1], 51);
	fd = must(memfd_create("held", 0), "memfd");
	must((int)write(fd, scene.folder, sizeof scene.folder), "write");
	must((int)lseek(fd, 0, SEEK_SET), "lseek");
	hold(fd, MEMORY_FD);
	hold(open(scene.audit, O_RDWR | O_CREAT | O_APPEND, 0600), AUDIT_FD);
	hold(eventfd(0, EFD_NONBLOCK), FD_WAKE_OUT);
	hold(eventfd(0, EFD_NONBLOCK), FD_WAKE_IN);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
	hold(pair[0], FD_HOLD_IN);
	hold(pair[1], FD_HOLD_OUT);
	must(pipe(pair), "pipe");
	hold(pair[0], 52);
	hold(pair[1], FD_OUTCOMES);
}

/* Every attempt starts from the same scene. */
static void set_scene(void)
{
	int fd = must(open(scene.file, O_WRONLY | O_CREAT | O_TRUNC, 0600), "file");

	must((int)write(fd, "words", 5), "write");
	close(fd);
	hold_packet_socket();
	hold_others();
}

static enum attempt_end attempt_in(const struct process *p, const struct attempt *a)
{
	int status;
	pid_t pid = must(fork(), "fork");

	if (pid == 0) {
		set_scene();
		if (p && p->walls() != 0)
			_exit(NO_WALLS);
		_exit(a->works() ? WORKED : REFUSED);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return ATTEMPT_REFUSED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKED)
		return ATTEMPT_WORKED;
	return WIFEXITED(status) && WEXITSTATUS(status) == REFUSED ? ATTEMPT_REFUSED : ATTEMPT_BROKEN;
}

static void list_trials(const struct attempt *table)
{
	for (; table->name; table++) {
		if (trial_count == sizeof trials / sizeof *trials)
			die("more attempts than room");
		trials[trial_count++].attempt = table;
	}
}

/* How many attempts show nothing, and should. */
static unsigned look_without_walls(void)
{
	unsigned blind = 0;

	for (struct trial *t = trials; t < trials + trial_count; t++) {
		t->shows = attempt_in(NULL, t->attempt) == ATTEMPT_WORKED;
		if (t->shows)
			continue;
		if (t->attempt->may_lack) {
			printf("  this kernel lacks: %s\n", t->attempt->name);
		} else {
			printf("  BLIND: %s does not work without walls either\n", t->attempt->name);
			blind++;
		}
	}
	return blind;
}

static unsigned try_needs(const struct process *p)
{
	unsigned failed = 0, tried = 0;

	for (const struct attempt *a = needs; a->name; a++) {
		if (!(a->roles & p->role))
			continue;
		tried++;
		if (attempt_in(p, a) != ATTEMPT_WORKED) {
			printf("  %s: needs %s, and can't\n", p->name, a->name);
			failed++;
		}
	}
	printf("%-12s needs tried %u, working %u\n", p->name, tried, tried - failed);
	return failed || tried == 0;
}

static unsigned try_attempts(const struct process *p)
{
	unsigned tried = 0, refused = 0, open = 0;

	for (const struct trial *t = trials; t < trials + trial_count; t++) {
		const struct attempt *a = t->attempt;
		enum attempt_end o;

		if (!(a->roles & p->role) || !t->shows)
			continue;
		o = attempt_in(p, a);
		if (o == ATTEMPT_WORKED && landlock_version() < a->landlock) {
			open++;
			continue;
		}
		tried++;
		refused += o == ATTEMPT_REFUSED;
		if (o != ATTEMPT_REFUSED)
			printf("  %s: %s: %s\n", p->name, a->name, o == ATTEMPT_WORKED ? "BROKE OUT" : "ended in another way");
	}
	printf("%-12s attempts tried %u, refused %u\n", p->name, tried, refused);
	if (open)
		printf("%-12s left open by Landlock %d: %u\n", p->name, landlock_version(), open);
	return tried == 0 || refused != tried;
}

int main(void)
{
	unsigned failed, passed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	enter_namespaces();
	make_folders();
	scene.parent = getpid();
	scene.port = listen_somewhere();
	scene.redis_port = listen_somewhere();
	listen_abstract();
	list_trials(wire_attempts);
	list_trials(machine_attempts);
	failed = look_without_walls() > 0;
	printf("%-12s attempts that work without walls: %s\n", "control", failed ? "NOT ALL" : "all");
	passed += !failed;
	for (size_t i = 0; i < sizeof processes / sizeof *processes; i++) {
		unsigned bad = try_attempts(&processes[i]) + try_needs(&processes[i]);

		failed += bad > 0;
		passed += bad == 0;
	}
	umount2(scene.folder, MNT_DETACH);
	rmdir(scene.folder);
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed > 0;
}
