/* Attempts on the machine: its files, its processes, its rights. None cleans up: each runs in a process of its own that ends after it. */
#include "tests/system/attempts.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

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
	static char bytes[8]; /* at an address that the parent has too */
	struct iovec here = { bytes, sizeof bytes }, there = here;

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

const struct attempt machine_attempts[] = {
	{ "reading /etc/passwd", WALLED, read_passwd, false, 0 },
	{ "reading /etc/passwd by openat2", WALLED, read_passwd_openat2, false, 0 },
	{ "listing /", WALLED, list_root, false, 0 },
	{ "writing a file elsewhere", ALL, write_elsewhere, false, 0 },
	{ "creating a file elsewhere", ALL, create_elsewhere, false, 0 },
	{ "removing a file elsewhere", ALL, remove_elsewhere, false, 0 },
	{ "renaming a file elsewhere", ALL, rename_elsewhere, false, 0 },
	{ "truncating a file elsewhere", ALL, truncate_elsewhere, false, 0 },
	{ "writing a rule", ALL, write_rules, false, 0 },
	{ "/proc/self/mem", ALL, own_memory, false, 0 },
	{ "the parent's memory", ALL, parents_memory, false, 0 },
	{ "/proc/self/fd", NARROW, own_descriptors, false, 0 },
	{ "chown()", ALL, change_owner, false, 0 },
	{ "execve()", WALLED, exec_shell, false, 0 },
	{ "execveat()", ALL, exec_at, false, 0 },
	{ "fork()", WALLED, fork_plain, false, 0 },
	{ "clone()", WALLED, fork_clone, false, 0 },
	{ "clone3()", WALLED, fork_clone3, false, 0 },
	{ "ptrace()", ALL, trace_me, false, 0 },
	{ "process_vm_readv()", ALL, read_parent, false, 0 },
	{ "kill() of the parent", ALL, signal_parent, false, 6 },
	{ "memfd_create()", WALLED, memory_file, false, 0 },
	{ "memory that can be executed", WALLED, executable_memory, false, 0 },
#ifndef ASKANCE_SANITIZED /* its run-time needs mprotect, see sandbox.c */
	{ "making memory executable", WALLED, make_executable, false, 0 },
#endif
	{ "setuid()", ALL, become_other, false, 0 },
	{ "setgid()", ALL, change_group, false, 0 },
	{ "capset()", ALL, take_capability, false, 0 },
	{ "prctl(PR_SET_DUMPABLE)", WALLED, be_traceable, false, 0 },
	{ "raising a limit", ALL, more_core, false, 0 },
	{ "raising a limit by prlimit()", ALL, more_core_prlimit, false, 0 },
	{ "sethostname()", ALL, host_name, false, 0 },
	{ "mount()", ALL, mount_memory, false, 0 },
	{ "unshare()", ALL, new_namespace, false, 0 },
	{ "unshare() of users", ALL, new_user_namespace, true, 0 },
	{ "chroot()", ALL, change_root, false, 0 },
	{ "io_uring_setup()", WALLED, ring_io, true, 0 },
	{ "bpf()", ALL, bpf_map, true, 0 },
	{ "perf_event_open()", ALL, perf, true, 0 },
	{ "userfaultfd()", ALL, fault_handler, true, 0 },
	{ "keyctl()", ALL, keyring, true, 0 },
	{ NULL, 0, NULL, false, 0 },
};
