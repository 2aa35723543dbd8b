/*
 * The prober may connect, and so has more rights than any other process; each is as narrow as the
 * kernel can look: to send, connect and bind are allowed on the numbers that new sockets get, not on
 * any descriptor it holds, TCP leaves from its source ports alone, nothing can be listened for, no
 * packet socket be had, and no file be opened.
 */
#include "active/prober/walls.h"

#include "sensor/common/message.h"
#include "sensor/common/sandbox.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ADDRESS_SPACE_BYTES = 512 * 1024 * 1024,
	SOCKETS = HOLD_SOCKETS + 2,
	FILES = 64,
	CALLS = 8 * SOCKETS,
	SOCKET_TYPE_MASK = 0xf,
};

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(getsockopt),
	/* the stop file, the audit, the clock's state */
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fdatasync), SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	-1,
};

struct calls {
	struct sandbox_call call[CALLS];
	size_t count;
};

static void allow_on(struct calls *c, int call, int fd)
{
	if (fd >= 0)
		c->call[c->count++] = (struct sandbox_call)SANDBOX_ON(call, fd);
}

static void allow_socket(struct calls *c, uint64_t family, uint64_t type)
{
	c->call[c->count++] = (struct sandbox_call){
		SCMP_SYS(socket), { { SANDBOX_ANY, family, 0 }, { SOCKET_TYPE_MASK, type, 1 }, { SANDBOX_ANY, 0, 2 } },
	};
}

/* The numbers that the next sockets will get: the lowest that are free. */
static void find_free(int free[SOCKETS])
{
	for (int i = 0; i < SOCKETS; i++)
		free[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	for (int i = 0; i < SOCKETS; i++)
		if (free[i] >= 0)
			close(free[i]);
}

static void allow_asking(struct calls *c, const struct prober *p, const int free[SOCKETS])
{
	uint64_t family = p->own.family == 6 ? AF_INET6 : AF_INET;

	allow_socket(c, family, SOCK_STREAM);
	allow_socket(c, family, SOCK_DGRAM);
	for (int i = 0; i < SOCKETS; i++) {
		allow_on(c, SCMP_SYS(sendto), free[i]);
		allow_on(c, SCMP_SYS(connect), free[i]);
		allow_on(c, SCMP_SYS(bind), free[i]);
		allow_on(c, SCMP_SYS(setsockopt), free[i]);
	}
	allow_on(c, SCMP_SYS(sendto), p->route.fd);
	for (unsigned i = 0; i < p->ethernet.count; i++)
		allow_on(c, SCMP_SYS(sendto), p->ethernet.sockets[i].fd);
}

/* What a predecessor left must be closed in order even by a prober that may not ask. */
static void allow_ending(struct calls *c, const struct prober *p, const int free[SOCKETS])
{
	for (size_t i = 0; i < HOLD_SOCKETS; i++)
		allow_on(c, SCMP_SYS(shutdown), p->hold.held[i].fd);
	for (int i = 0; i < SOCKETS; i++)
		allow_on(c, SCMP_SYS(shutdown), free[i]);
}

int prober_walls(const struct prober *p)
{
	bool asks = p->config.probing != PROBING_OFF && p->broken == REFUSED_NOT;
	struct calls c = { .count = 0 };
	int free[SOCKETS];
	struct sandbox s = { .process = "prober", .system_calls = system_calls, .tested_calls = c.call,
	                     .address_space = ADDRESS_SPACE_BYTES, .files = FILES,
	                     .tcp_bind_first = asks ? p->config.port_first : 0, .tcp_bind_last = asks ? p->config.port_last : 0 };

	find_free(free);
	allow_on(&c, SCMP_SYS(write), FD_OUTCOMES);
	allow_on(&c, SCMP_SYS(write), FD_WAKE_OUT);
	allow_on(&c, SCMP_SYS(write), p->audit.fd);
	allow_on(&c, SCMP_SYS(ftruncate), p->audit.fd);
	allow_on(&c, SCMP_SYS(write), p->ledger.fd);
	allow_on(&c, SCMP_SYS(pwrite64), p->word.stopped_fd);
	allow_on(&c, SCMP_SYS(sendmsg), FD_HOLD_IN);
	allow_ending(&c, p, free);
	if (asks)
		allow_asking(&c, p, free);
	c.call[c.count] = (struct sandbox_call){ .call = -1 };
	return sandbox_enter(&s, p->config.walls);
}
