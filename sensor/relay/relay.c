/* The relay's loop: clients in, passages through, one thread and poll(). */
#include "sensor/relay/relay.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/spawn.h"
#include "sensor/relay/trust.h"
#include "sensor/relay/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_ENDED = 0, EXIT_WRONG = 2, PASSAGES = 8, LOOK_MS = 250 };

static struct relay relay;
static struct passage passages[PASSAGES];
static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static int read_config(void)
{
	char why[256];

	if (spawn_read_config(&relay.config, sizeof relay.config) < 0 || !config_relay_valid(&relay.config)) {
		log_error("the configuration from the supervisor is not of this version or out of range");
		return -1;
	}
	if (redis_url_parse(&relay.url, relay.config.redis_url, why, sizeof why) < 0) {
		log_error("redis.url: %s", why);
		return -1;
	}
	if (!relay.url.tls)
		return 0;
	relay.trust = trust_load(&relay.config);
	return relay.trust ? 0 : -1;
}

/* -1 with the cause in the log. */
static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof at.sun_path) {
		log_error("the socket %s: %s", path, fd < 0 ? strerror(errno) : "its path is too long");
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	unlink(path);
	umask(0177); /* the hub is the same user; nobody else has a use for it */
	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, PASSAGES) < 0) {
		log_error("the socket %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* The resolver loads its libraries at the first question: it asks it before the walls stand. */
static void warm_resolver(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;

	if (getaddrinfo(relay.url.place[0].host, NULL, &hints, &found) == 0)
		freeaddrinfo(found);
}

/* The hub goes on trying and keeps what it can't tell; what is missing is said here, by name. */
static void check_sockets(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	else if (errno == EAFNOSUPPORT)
		log_error("no Redis elsewhere can be reached: %s; systemd's unit takes redis-elsewhere.conf for that, see askance-guide(7)",
			  strerror(errno));
}

static void take_client(int fd)
{
	for (unsigned i = 0; i < PASSAGES; i++)
		if (passages[i].over) {
			passage_start(&passages[i], &relay, fd, clock_ms());
			return;
		}
	close(fd);
}

/* Without a listening socket the only client is the one it was started with. */
static int serve(int listener)
{
	struct pollfd fds[1 + 2 * PASSAGES];

	while (!ended) {
		bool any = listener >= 0;

		fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (unsigned i = 0; i < PASSAGES; i++) {
			fds[1 + 2 * i] = fds[2 + 2 * i] = (struct pollfd){ .fd = -1 };
			if (passages[i].over)
				continue;
			any = true;
			passage_wait(&passages[i], &fds[1 + 2 * i]);
		}
		if (!any)
			return EXIT_ENDED;
		if (poll(fds, sizeof fds / sizeof *fds, LOOK_MS) < 0 && errno != EINTR)
			return EXIT_WRONG;
		for (unsigned i = 0; i < PASSAGES; i++) {
			if (passages[i].over)
				continue;
			passage_go_on(&passages[i], &fds[1 + 2 * i], clock_ms());
			if (passages[i].over)
				passage_end(&passages[i]);
		}
		if (fds[0].revents) {
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

			if (fd >= 0)
				take_client(fd);
		}
	}
	return EXIT_ENDED;
}

int relay_run(void)
{
	struct sigaction term = { .sa_handler = on_term };
	int listener = -1;

	log_open("relay");
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &term, NULL);
	for (unsigned i = 0; i < PASSAGES; i++)
		passages[i].over = true;
	if (read_config() < 0)
		return EXIT_WRONG;
	if (relay.config.socket[0] && (listener = listen_at(relay.config.socket)) < 0)
		return EXIT_WRONG;
	if (!relay.config.socket[0]) {
		fcntl(FD_RELAY_CLIENT, F_SETFL, O_NONBLOCK);
		take_client(FD_RELAY_CLIENT);
	}
	check_sockets();
	warm_resolver();
	if (relay_walls(&relay) < 0)
		return EXIT_WRONG;
	return serve(listener);
}
