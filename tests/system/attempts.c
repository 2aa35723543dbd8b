/* The attempts. None cleans up: each runs in a process of its own that ends after it. */
#include "tests/system/attempts.h"

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FRAME_BYTES = 60, PAGE_BYTES = 4096 };

struct scene scene;
static char frame[FRAME_BYTES];

/* -- the wire */

bool socket_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, htons(3)) >= 0;
}

static bool socket_packet_dgram(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, htons(3)) >= 0;
}

static bool socket_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

bool socket_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool socket_tcp6(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0) >= 0;
}

static bool socket_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

bool socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool socket_unix_dgram(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}

static bool socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool socket_vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0) >= 0;
}

static bool socket_pair(void)
{
	int fd[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0;
}

static bool connect_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(TCP_FD, (struct sockaddr *)&a, sizeof a) == 0;
}

static bool connect_held(void)
{
	return connect_to(scene.port);
}

bool connect_redis(void)
{
	return connect_to(scene.redis_port);
}

static bool bind_listen(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(TCP_FD, (struct sockaddr *)&a, sizeof a) == 0 && listen(TCP_FD, 1) == 0;
}

static bool connect_abstract(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s", scene.abstract);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(scene.abstract))) == 0;
}

/* -- what only the prober comes near to */

static int bound_socket(int type, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

static bool bind_other_port(void)
{
	return bound_socket(SOCK_STREAM, PROBE_PORT + 100) >= 0;
}

static bool listen_on_own_port(void)
{
	int fd = bound_socket(SOCK_STREAM, PROBE_PORT);

	return fd >= 0 && listen(fd, 1) == 0;
}

static bool ping_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0;
}

static bool socket_multipath(void)
{
	return socket(AF_INET, SOCK_STREAM, 262) >= 0;
}

/* A right to send, taken out of one number and put under another by way of a message. */
static bool send_packet_by_message(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	int fd = PACKET_FD;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (sendmsg(CONNECTED_FD, &m, 0) != 1)
		return false;
	return send(PACKET_FD, frame, sizeof frame, 0) > 0;
}

static bool send_udp(void)
{
	return send(UDP_FD, frame, sizeof frame, 0) > 0;
}

static bool write_udp(void)
{
	return write(UDP_FD, frame, sizeof frame) > 0;
}

static bool write_stream(void)
{
	return write(CONNECTED_FD, frame, sizeof frame) > 0;
}

static bool send_packet(void)
{
	return send(PACKET_FD, frame, sizeof frame, 0) > 0;
}

static bool sendmsg_packet(void)
{
	struct iovec v = { frame, sizeof frame };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return sendmsg(PACKET_FD, &m, 0) > 0;
}

static bool sendmmsg_packet(void)
{
	struct iovec v = { frame, sizeof frame };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return sendmmsg(PACKET_FD, &m, 1, 0) > 0;
}

static bool write_packet(void)
{
	return write(PACKET_FD, frame, sizeof frame) > 0;
}

static bool writev_packet(void)
{
	struct iovec v = { frame, sizeof frame };

	return writev(PACKET_FD, &v, 1) > 0;
}

static bool sendfile_packet(void)
{
	off_t at = 0;

	return sendfile(PACKET_FD, MEMORY_FD, &at, sizeof frame) > 0;
}

static bool splice_packet(void)
{
	int pipes[2];

	return pipe(pipes) == 0 && write(pipes[1], frame, sizeof frame) > 0 &&
	       splice(pipes[0], NULL, PACKET_FD, NULL, sizeof frame, 0) > 0;
}

static bool write_after(int fd)
{
	return fd >= 0 && write(fd, frame, sizeof frame) > 0;
}

static bool dup2_packet_to_stderr(void)
{
	return write_after(dup2(PACKET_FD, STDERR_FILENO));
}

static bool dup3_packet_to_wake(void)
{
	return write_after(dup3(PACKET_FD, FD_WAKE_OUT, 0));
}

static bool dup2_packet_to_outcomes(void)
{
	return write_after(dup2(PACKET_FD, FD_OUTCOMES));
}

/* A number that is allowed to be written to, freed and taken again by the next descriptor. */
static bool reuse_stderr(void)
{
	close(STDERR_FILENO);
	return write_after(dup(PACKET_FD));
}

static bool fcntl_dup_packet(void)
{
	close(STDERR_FILENO);
	return write_after(fcntl(PACKET_FD, F_DUPFD, STDERR_FILENO));
}

static bool transmit_ring(void)
{
	struct tpacket_req r = { PAGE_BYTES, 1, 2048, 2 };

	return setsockopt(PACKET_FD, SOL_PACKET, PACKET_TX_RING, &r, sizeof r) == 0;
}

/* -- files */

bool opens(const char *path, int how)
{
	return open(path, how, 0600) >= 0;
}

static bool read_passwd(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static bool read_passwd_openat2(void)
{
	struct { uint64_t flags, mode, resolve; } how = { O_RDONLY, 0, 0 };

	return syscall(437, AT_FDCWD, "/etc/passwd", &how, sizeof how) >= 0;
}

static bool list_root(void)
{
	return opens("/", O_RDONLY | O_DIRECTORY);
}

static bool write_elsewhere(void)
{
	return opens(scene.file, O_WRONLY);
}

static bool create_elsewhere(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/new", scene.folder);
	return opens(path, O_WRONLY | O_CREAT);
}

static bool remove_elsewhere(void)
{
	return unlink(scene.file) == 0;
}

static bool rename_elsewhere(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/other", scene.folder);
	return rename(scene.file, path) == 0;
}

static bool truncate_elsewhere(void)
{
	return truncate(scene.file, 0) == 0;
}

static bool write_rules(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/new.yaml", scene.rules);
	return opens(path, O_WRONLY | O_CREAT);
}

static bool own_memory(void)
{
	return opens("/proc/self/mem", O_RDWR);
}

static bool parents_memory(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", scene.parent);
	return opens(path, O_RDWR);
}

static bool own_descriptors(void)
{
	return opens("/proc/self/fd/43", O_RDWR);
}

static bool change_owner(void)
{
	return chown(scene.file, 1, 1) == 0;
}

/* -- processes */

bool exec_shell(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 77", NULL };

	execve("/bin/sh", argv, NULL);
	return false;
}

static bool exec_at(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 77", NULL };

	syscall(SYS_execveat, AT_FDCWD, "/bin/sh", argv, NULL, 0);
	return false;
}

static bool fork_plain(void)
{
	long pid = syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool fork_clone(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool fork_clone3(void)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof a);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool read_parent(void)
{
	struct iovec here = { frame, 8 }, there = { frame, 8 };

	return process_vm_readv(scene.parent, &here, 1, &there, 1, 0) > 0;
}

static bool signal_parent(void)
{
	return kill(scene.parent, 0) == 0;
}

static bool memory_file(void)
{
	return memfd_create("x", 0) >= 0;
}

static bool executable_memory(void)
{
	return mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

#ifndef ASKANCE_SANITIZED
static bool make_executable(void)
{
	void *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, PAGE_BYTES, PROT_READ | PROT_EXEC) == 0;
}
#endif

/* -- rights */

static bool become_other(void)
{
	return setuid(65534) == 0;
}

static bool change_group(void)
{
	return setgid(65534) == 0;
}

static bool take_capability(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0 } };

	return syscall(SYS_capset, &h, d) == 0;
}

static bool be_traceable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool more_core(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_CORE, &r) == 0;
}

static bool more_core_prlimit(void)
{
	struct rlimit r = { 1 << 20, 1 << 20 };

	return prlimit(0, RLIMIT_CORE, &r, NULL) == 0;
}

static bool host_name(void)
{
	char name[256];

	return gethostname(name, sizeof name) == 0 && sethostname(name, strlen(name)) == 0;
}

static bool mount_memory(void)
{
	return mount("none", scene.mount, "tmpfs", 0, NULL) == 0;
}

static bool new_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0;
}

static bool new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool change_root(void)
{
	return chroot(scene.folder) == 0;
}

static bool ring_io(void)
{
	struct io_uring_params p = { 0 };

	return syscall(SYS_io_uring_setup, 4, &p) >= 0;
}

static bool bpf_map(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a) >= 0;
}

static bool perf(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof a, .config = PERF_COUNT_SW_TASK_CLOCK };

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0) >= 0;
}

static bool fault_handler(void)
{
	return syscall(SYS_userfaultfd, 1 /* user mode only */) >= 0;
}

static bool keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3 /* of the session */, 1) >= 0;
}

const struct attempt attempts[] = {
	{ "a packet socket", WALLED, socket_packet, false },
	{ "a cooked packet socket", WALLED, socket_packet_dgram, false },
	{ "a raw IP socket", WALLED, socket_raw, false },
	{ "a TCP socket", SEALED | HUB | CONSOLE, socket_tcp, false },
	{ "an IPv6 TCP socket", SEALED | HUB | CONSOLE, socket_tcp6, true },
	{ "a UDP socket", SEALED | HUB | CONSOLE, socket_udp, false },
	{ "a UNIX socket", NARROW | RELAY, socket_unix, false },
	{ "a UNIX datagram socket", WALLED, socket_unix_dgram, false },
	{ "a netlink socket", WALLED, socket_netlink, false },
	{ "a VM socket", WALLED, socket_vsock, true },
	{ "a socket pair", WALLED, socket_pair, false },
	{ "connect() of a held TCP socket", WALLED, connect_held, false },
	{ "connect() to Redis", NARROW | HUB | CONSOLE, connect_redis, false },
	{ "bind() and listen()", WALLED, bind_listen, false },
	{ "an abstract socket outside", ALL, connect_abstract, false },
	{ "binding a port that is not a probe's", NARROW, bind_other_port, false },
	{ "listening on a probe's port", NARROW, listen_on_own_port, false },
	{ "a ping socket", WALLED, ping_socket, true },
	{ "a multipath TCP socket", NARROW | HUB | CONSOLE, socket_multipath, true },
	{ "passing a packet socket on", NARROW, send_packet_by_message, false },
	{ "send() on a held UDP socket", NARROW, send_udp, false },
	{ "write() on a held UDP socket", NARROW, write_udp, false },
	{ "write() on a connected socket", NARROW, write_stream, false },
	{ "send() on a packet socket", NARROW, send_packet, false },
	{ "sendmsg() on a packet socket", NARROW, sendmsg_packet, false },
	{ "sendmmsg() on a packet socket", NARROW, sendmmsg_packet, false },
	{ "write() on a packet socket", NARROW, write_packet, false },
	{ "writev() on a packet socket", NARROW, writev_packet, false },
	{ "sendfile() to a packet socket", NARROW, sendfile_packet, false },
	{ "splice() to a packet socket", NARROW, splice_packet, false },
	{ "dup2() of it to stderr, write()", NARROW, dup2_packet_to_stderr, false },
	{ "dup3() of it to the wake, write()", NARROW, dup3_packet_to_wake, false },
	{ "dup2() of it to outcomes, write()", NARROW, dup2_packet_to_outcomes, false },
	{ "dup() of it to a freed number", NARROW, reuse_stderr, false },
	{ "fcntl(F_DUPFD) to a freed number", NARROW, fcntl_dup_packet, false },
	{ "a transmit ring", NARROW, transmit_ring, false },
	{ "reading /etc/passwd", WALLED, read_passwd, false },
	{ "reading /etc/passwd by openat2", WALLED, read_passwd_openat2, false },
	{ "listing /", WALLED, list_root, false },
	{ "writing a file elsewhere", ALL, write_elsewhere, false },
	{ "creating a file elsewhere", ALL, create_elsewhere, false },
	{ "removing a file elsewhere", ALL, remove_elsewhere, false },
	{ "renaming a file elsewhere", ALL, rename_elsewhere, false },
	{ "truncating a file elsewhere", ALL, truncate_elsewhere, false },
	{ "writing a rule", ALL, write_rules, false },
	{ "/proc/self/mem", ALL, own_memory, false },
	{ "the parent's memory", ALL, parents_memory, false },
	{ "/proc/self/fd", NARROW, own_descriptors, false },
	{ "chown()", ALL, change_owner, false },
	{ "execve()", WALLED, exec_shell, false },
	{ "execveat()", ALL, exec_at, false },
	{ "fork()", WALLED, fork_plain, false },
	{ "clone()", WALLED, fork_clone, false },
	{ "clone3()", WALLED, fork_clone3, false },
	{ "ptrace()", ALL, trace_me, false },
	{ "process_vm_readv()", ALL, read_parent, false },
	{ "kill() of the parent", ALL, signal_parent, false },
	{ "memfd_create()", WALLED, memory_file, false },
	{ "memory that can be executed", WALLED, executable_memory, false },
#ifndef ASKANCE_SANITIZED /* its run-time needs mprotect, see sandbox.c */
	{ "making memory executable", WALLED, make_executable, false },
#endif
	{ "setuid()", ALL, become_other, false },
	{ "setgid()", ALL, change_group, false },
	{ "capset()", ALL, take_capability, false },
	{ "prctl(PR_SET_DUMPABLE)", WALLED, be_traceable, false },
	{ "raising a limit", ALL, more_core, false },
	{ "raising a limit by prlimit()", ALL, more_core_prlimit, false },
	{ "sethostname()", ALL, host_name, false },
	{ "mount()", ALL, mount_memory, false },
	{ "unshare()", ALL, new_namespace, false },
	{ "unshare() of users", ALL, new_user_namespace, true },
	{ "chroot()", ALL, change_root, false },
	{ "io_uring_setup()", WALLED, ring_io, true },
	{ "bpf()", ALL, bpf_map, true },
	{ "perf_event_open()", ALL, perf, true },
	{ "userfaultfd()", ALL, fault_handler, true },
	{ "keyctl()", ALL, keyring, true },
	{ NULL, 0, NULL, false },
};

int attempt_landlock(const struct attempt *a)
{
	static const struct {
		bool (*works)(void);
		int since;
	} rows[] = {
		{ connect_held, 4 }, { connect_redis, 4 }, { bind_other_port, 4 }, { connect_abstract, 6 }, { signal_parent, 6 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (a->works == rows[i].works)
			return rows[i].since;
	return 0;
}
