/*
 * A packet socket is a right to transmit, by a plain write() too. So no call that sends exists here,
 * write() goes to stderr and the wake descriptors of the rings by number, and no call can put a socket under those
 * numbers (dup, fcntl) or map a transmit ring (setsockopt).
 */
#include "sensor/capture/walls.h"

#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/sandbox.h"

#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

enum { FILES = 64 };

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), -1,
};

static const struct sandbox_call socket_calls[] = {
	/* libpcap asks for the drop counters, and for the cause when an interface fails. */
	{ SCMP_SYS(getsockopt), { { SANDBOX_ANY, SOL_PACKET, 1 }, { SANDBOX_ANY, PACKET_STATISTICS, 2 } } },
	{ SCMP_SYS(getsockopt), { { SANDBOX_ANY, SOL_SOCKET, 1 }, { SANDBOX_ANY, SO_ERROR, 2 } } },
	{ SCMP_SYS(ioctl), { { 0xffffffff, SIOCGIFFLAGS, 1 } } },
};

enum { SOCKET_CALLS = sizeof socket_calls / sizeof *socket_calls };

int capture_walls(unsigned rings, bool require)
{
	struct sandbox_call tested_calls[SOCKET_CALLS + CONFIG_ENGINES + 1];
	unsigned n = SOCKET_CALLS;

	memcpy(tested_calls, socket_calls, sizeof socket_calls);
	for (unsigned i = 0; i < rings; i++)
		tested_calls[n++] = (struct sandbox_call)SANDBOX_ON(SCMP_SYS(write), fd_of_ring(FD_RECORDS_OUT, i) + 2);
	tested_calls[n] = (struct sandbox_call){ .call = -1 };
	const struct sandbox s = {
		.process = "capture",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.files = FILES,
	};

	return sandbox_enter(&s, require);
}
