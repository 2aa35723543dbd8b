/*
 * A packet socket is a right to transmit, by a plain write() too. So no call that sends exists here,
 * write() goes to stderr and the wake descriptor by number, and no call can put a socket under those
 * numbers (dup, fcntl) or map a transmit ring (setsockopt).
 */
#include "sensor/capture/walls.h"

#include "sensor/common/message.h"
#include "sensor/common/sandbox.h"

#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/socket.h>

enum { FILES = 64 };

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), -1,
};

static const struct sandbox_call tested_calls[] = {
	SANDBOX_ON(SCMP_SYS(write), FD_WAKE_OUT),
	/* libpcap asks for the drop counters, and for the cause when an interface fails. */
	{ SCMP_SYS(getsockopt), { { SANDBOX_ANY, SOL_PACKET, 1 }, { SANDBOX_ANY, PACKET_STATISTICS, 2 } } },
	{ SCMP_SYS(getsockopt), { { SANDBOX_ANY, SOL_SOCKET, 1 }, { SANDBOX_ANY, SO_ERROR, 2 } } },
	{ SCMP_SYS(ioctl), { { 0xffffffff, SIOCGIFFLAGS, 1 } } },
	{ .call = -1 },
};

int capture_walls(bool require)
{
	const struct sandbox s = {
		.process = "capture",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.files = FILES,
	};

	return sandbox_enter(&s, require);
}
