/* What the relay needs once its certificates are read. */
#include "sensor/relay/walls.h"

#include "sensor/common/sandbox.h"

#include <arpa/inet.h>
#include <seccomp.h>
#include <sys/socket.h>

enum { FILES = 64, CALLS = 8, SOCKET_TYPE_MASK = 0xf, ADDRESS_SPACE_BYTES = 256 * 1024 * 1024 };

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(connect), SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(write), SCMP_SYS(fcntl), SCMP_SYS(uname),
	/* the resolver reads its files */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lseek), SCMP_SYS(getpid),
	-1,
};

/* Names are asked for by UDP; numbers need none of it. Its FIONREAD is ioctl 0x541b. */
static const struct sandbox_call tested_calls[] = {
	{ SCMP_SYS(socket), { { SANDBOX_ANY, AF_INET, 0 }, { SOCKET_TYPE_MASK, SOCK_STREAM, 1 } } },
	{ SCMP_SYS(socket), { { SANDBOX_ANY, AF_INET6, 0 }, { SOCKET_TYPE_MASK, SOCK_STREAM, 1 } } },
	{ SCMP_SYS(socket), { { SANDBOX_ANY, AF_INET, 0 }, { SOCKET_TYPE_MASK, SOCK_DGRAM, 1 } } },
	{ SCMP_SYS(socket), { { SANDBOX_ANY, AF_INET6, 0 }, { SOCKET_TYPE_MASK, SOCK_DGRAM, 1 } } },
	{ SCMP_SYS(ioctl), { { 0xffffffff, 0x541b, 1 } } },
	{ .call = -1 },
};

int relay_walls(const struct relay *relay)
{
	static const struct sandbox_path paths[] = {
		{ "/etc/resolv.conf", false, false }, { "/etc/hosts", false, false },     { "/etc/nsswitch.conf", false, false },
		{ "/etc/host.conf", false, false },   { "/etc/gai.conf", false, false },  { "/etc/localtime", false, false },
		{ NULL, false, false },
	};
	const struct sandbox s = {
		.process = "relay",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.paths = paths,
		.tcp_port = relay->config.port,
		.tcp_ports = relay->config.ports,
		.address_space = ADDRESS_SPACE_BYTES,
		.files = FILES,
	};

	return sandbox_enter(&s, relay->config.walls);
}
