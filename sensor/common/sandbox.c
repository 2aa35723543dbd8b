/*
 * Giving up rights, as a list of steps, and the proof that they are gone.
 *
 * A forbidden system call answers EPERM and does not kill: the C library takes ways nobody foresaw
 * (a clock from another source, a look at /etc, io_uring in a newer libuv), and a library update must
 * not turn a wall into an outage. Killed is only what no error path of any library leads to, but an
 * intruder's first steps do: there the process is not ours any more, and its end is seen and told.
 */
#include "sensor/common/sandbox.h"

#include "sensor/common/landlock.h"
#include "sensor/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LAST_CAPABILITY = 63 };

/* What every process needs to live, allocate, sleep, tell the time and die. */
static const int base_calls[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(close), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* abort() and signal handlers */
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
#ifdef ASKANCE_SANITIZED
	/* The sanitizers' run-time keeps shadow memory, alternate stacks and a look at its own threads. */
	SCMP_SYS(sigaltstack), SCMP_SYS(mprotect), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrusage),
	SCMP_SYS(getppid), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(mincore), SCMP_SYS(msync),
#endif
	-1,
};

static const int thread_calls[] = {
	SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), -1,
};

/* An intruder's calls: no path of ours or of a library's leads here after the walls. */
static const int deadly_calls[] = {
	SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
	SCMP_SYS(fsopen), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(add_key), SCMP_SYS(keyctl), SCMP_SYS(request_key), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(reboot), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(acct), SCMP_SYS(quotactl), -1,
};

#ifdef ASKANCE_SANITIZED
/*
 * The leak check at exit needs clone and ptrace, which the walls keep out, those inherited from the
 * supervisor too; it would wait for ever. The sanitizer asks here.
 */
int __lsan_is_turned_off(void);
static bool walls_stand;

int __lsan_is_turned_off(void)
{
	return walls_stand || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}
#endif

static int write_capabilities(uint64_t held, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)held, (uint32_t)held, (uint32_t)inheritable },
		{ (uint32_t)(held >> 32), (uint32_t)(held >> 32), (uint32_t)(inheritable >> 32) },
	};

	return (int)syscall(SYS_capset, &header, data);
}

static uint64_t held_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return ~0ull;
	return (uint64_t)(data[1].permitted | data[1].effective) << 32 | data[0].permitted | data[0].effective;
}

/*
 * Also out of the bounding set, and uid 0 made a user like any other, where we may: else an exec by
 * root would bring them back. (The bounding set does not bound what is passed on as ambient.)
 */
static int drop_capabilities(const struct sandbox *s)
{
	uint64_t keep = s->keep_net_raw ? held_capabilities() & 1ull << CAP_NET_RAW : 0;

	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0 && errno != EPERM)
		return -1;
	/* What is to be inheritable must still be in the bounding set when it becomes so. */
	if (keep && write_capabilities(held_capabilities(), keep) < 0)
		return -1;
	for (unsigned long c = 0; c <= LAST_CAPABILITY; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1 &&
		    prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno != EPERM)
			return -1;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return write_capabilities(keep, keep);
}

static int limit(int which, unsigned long most)
{
	struct rlimit r = { most, most };

	return setrlimit((__rlimit_resource_t)which, &r);
}

static int set_limits(const struct sandbox *s)
{
	int result = limit(RLIMIT_CORE, 0);

#ifndef ASKANCE_SANITIZED /* shadow memory reserves terabytes of addresses */
	if (result == 0 && s->address_space)
		result = limit(RLIMIT_AS, s->address_space);
#endif
	if (result == 0 && s->files)
		result = limit(RLIMIT_NOFILE, s->files);
	if (result == 0 && s->system_calls && !s->threads)
		result = limit(RLIMIT_NPROC, 0);
	return result;
}

static int allow_list(scmp_filter_ctx filter, const int *calls)
{
	int result = 0;

	for (size_t i = 0; calls[i] != -1 && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return result;
}

static int allow_tested(scmp_filter_ctx filter, const struct sandbox_call *c)
{
	struct scmp_arg_cmp tests[SANDBOX_TESTS];
	unsigned n = 0;

	for (size_t i = 0; i < SANDBOX_TESTS; i++)
		if (c->test[i].mask)
			tests[n++] = (struct scmp_arg_cmp){ c->test[i].argument, SCMP_CMP_MASKED_EQ, c->test[i].mask, c->test[i].value };
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, c->call, n, tests);
}

/* Memory may be had, but never executable; signals go to ourselves alone (abort). */
static int allow_base(scmp_filter_ctx filter)
{
	const struct sandbox_call tested[] = {
		{ SCMP_SYS(mmap), { { PROT_EXEC, 0, 2 } } },
#ifndef ASKANCE_SANITIZED
		{ SCMP_SYS(mprotect), { { PROT_EXEC, 0, 2 } } },
#endif
		{ SCMP_SYS(tgkill), { { SANDBOX_ANY, (uint64_t)getpid(), 0 } } },
		SANDBOX_ON(SCMP_SYS(write), STDERR_FILENO),
	};
	int result = allow_list(filter, base_calls);

	for (size_t i = 0; i < sizeof tested / sizeof *tested && result == 0; i++)
		result = allow_tested(filter, &tested[i]);
	return result;
}

/* clone3 hides its flags from the filter: without it glibc takes clone, whose flags are looked at. */
static int allow_threads(scmp_filter_ctx filter)
{
	const struct sandbox_call thread = { SCMP_SYS(clone), { { CLONE_THREAD, CLONE_THREAD, 0 } } };
	int result = allow_list(filter, thread_calls);

	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return result ? result : allow_tested(filter, &thread);
}

static int fill_filter(scmp_filter_ctx filter, const struct sandbox *s)
{
	int result = 0;

	for (size_t i = 0; deadly_calls[i] != -1 && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly_calls[i], 0);
	if (result < 0 || !s->system_calls)
		return result;
	result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0);
	if (result == 0)
		result = allow_base(filter);
	if (result == 0 && s->threads)
		result = allow_threads(filter);
	if (result == 0)
		result = allow_list(filter, s->system_calls);
	for (const struct sandbox_call *c = s->tested_calls; c && c->call != -1 && result == 0; c++)
		result = allow_tested(filter, c);
	return result;
}

static int enter_seccomp(const struct sandbox *s)
{
	scmp_filter_ctx filter = seccomp_init(s->system_calls ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int result = filter ? 0 : -ENOMEM;

	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (result == 0)
		result = fill_filter(filter, s);
	if (result == 0)
		result = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	errno = -result;
	return result ? -1 : 0;
}

/* The rights that seccomp would refuse anyway are asked for before it stands: each wall must hold alone. */
static const char *right_left(const struct sandbox *s, int lacks)
{
	uint64_t allowed = s->keep_net_raw ? 1ull << CAP_NET_RAW : 0;
	int fd;

	if (!(lacks & SANDBOX_NO_NEW_PRIVS) && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "new privileges";
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return "being traced";
	if (write_capabilities(allowed | 1ull << CAP_SYS_ADMIN, allowed) == 0 || held_capabilities() & ~allowed)
		return "capabilities";
	if (!(lacks & SANDBOX_LANDLOCK) && !s->paths) {
		fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			return "the file system";
		}
	}
	return NULL;
}

/* By calls that change nothing if they should work. */
static const char *call_left(const struct sandbox *s)
{
	if (!s->system_calls)
		return NULL;
	if (syscall(SYS_prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0) >= 0 || errno != EPERM)
		return "prctl";
	if (syscall(SYS_capset, NULL, NULL) == 0 || errno != EPERM)
		return "capset";
	if (syscall(SYS_kill, getpid(), 0) == 0 || errno != EPERM)
		return "kill";
	return NULL;
}

static int missing(const struct sandbox *s, enum sandbox_lack lack, bool require, int *lacks)
{
	const char *wall = lack == SANDBOX_NO_NEW_PRIVS ? "no_new_privs" : lack == SANDBOX_LANDLOCK ? "Landlock" : "seccomp filter";

	if (require) {
		log_error("%s: this kernel gives no %s (%s); allow running without it by `require_walls: false`", s->process,
		          wall, strerror(errno));
		return -1;
	}
	log_warning("%s: runs without a wall, this kernel gives no %s (%s)", s->process, wall, strerror(errno));
	*lacks |= (int)lack;
	return 0;
}

static int failed(const struct sandbox *s, const char *what)
{
	log_error("%s: the walls do not hold: %s", s->process, what);
	return -1;
}

int sandbox_enter(const struct sandbox *s, bool require)
{
	const char *left;
	int lacks = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && missing(s, SANDBOX_NO_NEW_PRIVS, require, &lacks) < 0)
		return -1;
	if (landlock_enter(s) < 0 && missing(s, SANDBOX_LANDLOCK, require, &lacks) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || set_limits(s) < 0)
		return failed(s, strerror(errno));
	if (drop_capabilities(s) < 0)
		return failed(s, "capabilities stay");
	left = right_left(s, lacks);
	if (left)
		return failed(s, left);
	if (enter_seccomp(s) < 0)
		return missing(s, SANDBOX_SECCOMP, require, &lacks) < 0 ? -1 : lacks;
#ifdef ASKANCE_SANITIZED
	walls_stand = true;
#endif
	left = call_left(s);
	return left ? failed(s, left) : lacks;
}
