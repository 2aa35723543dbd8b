/*
 * The supervisor must start programs, so it can't be walled as the others are. It keeps: reading
 * files, running them, writing below the state folder, and CAP_NET_RAW to pass to capture. All that
 * it starts lives inside these walls too, the private Redis among them.
 */
#include "sensor/supervisor/rights.h"

#include "sensor/common/landlock.h"
#include "sensor/common/log.h"
#include "sensor/common/paths.h"
#include "sensor/common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char default_user[] = "askance";

/* The user to become; *user is NULL for staying who we are. */
static int find_user(const struct configuration *c, const struct passwd **user)
{
	*user = NULL;
	if (geteuid() != 0) {
		if (c->user[0])
			log_warning("`user: %s` needs root at the start; going on as we are", c->user);
		return 0;
	}
	*user = getpwnam(c->user[0] ? c->user : default_user);
	if (!*user && c->user[0]) {
		log_error("there is no user '%s'", c->user);
		return -1;
	}
	return 0;
}

static int make_state_folder(const char *path, const struct passwd *user)
{
	if (mkdir(path, 0750) < 0) {
		if (errno == EEXIST)
			return 0;
		log_error("the state folder %s can't be made: %s", path, strerror(errno));
		return -1;
	}
	if (user && chown(path, user->pw_uid, user->pw_gid) < 0) {
		log_error("the state folder %s can't be given to %s: %s", path, user->pw_name, strerror(errno));
		return -1;
	}
	return 0;
}

/* All permitted capabilities effective again after the change of user: the walls need them to drop the rest. */
static int regain_effective(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	return (int)syscall(SYS_capset, &header, data);
}

static int become(const struct passwd *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0 || regain_effective() < 0) {
		log_error("can't become the user %s: %s", user->pw_name, strerror(errno));
		return -1;
	}
	return 0;
}

/* Two sensors on one store would number events twice. The descriptor stays open, and so the lock. */
static int lock_state(const char *folder)
{
	char path[CONFIG_PATH_BYTES + 16];
	int fd;

	snprintf(path, sizeof path, "%s/askance.lock", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_error("the state folder %s can't be written to: %s; `chown -R %u %s`", folder, strerror(errno), geteuid(), folder);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		log_error("another sensor runs with the state folder %s", folder);
		return -1;
	}
	return 0;
}

static int enter_walls(const struct configuration *c)
{
	char jsonl[CONFIG_PATH_BYTES];
	struct sandbox_path paths[] = {
		{ "/", false, true },
		{ "/dev", true, false },
		{ c->state, true, false },
		{ c->jsonl[0] ? paths_folder(c->jsonl, jsonl) : NULL, true, false },
		{ NULL, false, false },
	};
	const struct sandbox s = { .process = "supervisor", .paths = paths, .tcp_free = true, .keep_net_raw = true };

	return sandbox_enter(&s, c->require_walls);
}

/* An older Landlock leaves more to seccomp, and this to nobody. */
static void tell_old_landlock(void)
{
	static const struct {
		int since;
		const char *what;
	} walls[] = {
		{ 4, "on which TCP ports relay and prober speak" },
		{ 6, "signals and abstract sockets of other processes" },
	};
	int version = landlock_version();

	for (size_t i = 0; i < sizeof walls / sizeof *walls; i++)
		if (version > 0 && version < walls[i].since)
			log_info("this kernel's Landlock is version %d; what only version %d walls: %s", version, walls[i].since, walls[i].what);
}

int rights_become_user(const struct configuration *c)
{
	const struct passwd *user;

	if (find_user(c, &user) < 0)
		return -1;
	return user && user->pw_uid != 0 ? become(user) : 0;
}

int rights_reduce(const struct configuration *c)
{
	const struct passwd *user;
	int lacks;

	if (find_user(c, &user) < 0 || make_state_folder(c->state, user) < 0)
		return -1;
	if (user && user->pw_uid != 0 && become(user) < 0)
		return -1;
	/* The lock last: it shows that the state folder can be written to with the rights that are left. */
	lacks = enter_walls(c);
	if (lacks < 0 || lock_state(c->state) < 0)
		return -1;
	tell_old_landlock();
	return lacks;
}

void rights_lend_net_raw(bool lent)
{
	prctl(PR_CAP_AMBIENT, lent ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, CAP_NET_RAW, 0, 0);
}
