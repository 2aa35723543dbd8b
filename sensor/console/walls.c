/* What the console needs once its socket is open and its certificates are read. */
#include "sensor/console/walls.h"

#include "sensor/common/sandbox.h"

#include <seccomp.h>
#include <sys/socket.h>

enum { FILES = 256, SOCKET_TYPE_MASK = 0xf };
#define ADDRESS_SPACE_BYTES (UINT64_C(2) << 30)

static const int system_calls[] = {
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(readv), SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(uname),
	SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getrusage), SCMP_SYS(sysinfo),
	-1,
};

/* FIONBIO and FIOCLEX, as libuv sets its descriptors */
static const struct sandbox_call tested_calls[] = {
	{ SCMP_SYS(socket), { { SANDBOX_ANY, AF_UNIX, 0 }, { SOCKET_TYPE_MASK, SOCK_STREAM, 1 } } },
	{ SCMP_SYS(ioctl), { { 0xffffffff, 0x5421, 1 } } },
	{ SCMP_SYS(ioctl), { { 0xffffffff, 0x5451, 1 } } },
	{ .call = -1 },
};

int console_walls(bool require)
{
	static const struct sandbox_path paths[] = { { "/dev/urandom", false, false }, { "/etc/localtime", false, false }, { NULL, false, false } };
	const struct sandbox s = {
		.process = "console",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.paths = paths,
		.address_space = ADDRESS_SPACE_BYTES,
		.files = FILES,
	};

	return sandbox_enter(&s, require);
}
