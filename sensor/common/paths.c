/* Looks for the folders that come with the program, and cuts names of files. */
#include "sensor/common/paths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int paths_rules(char *path, size_t room)
{
	/* Of the askance command, and of the processes in libexec/askance below or beside it. */
	static const char *const beside[] = { "../share/askance/rules", "../../share/askance/rules", "../rules", "../../../rules" };
	char self[PATH_MAX], *slash;
	ssize_t n;

	if (access("/etc/askance/rules/policy", R_OK) == 0)
		return snprintf(path, room, "/etc/askance/rules") < (int)room ? 0 : -1;
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return -1;
	self[n] = 0;
	slash = strrchr(self, '/');
	*slash = 0;
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		char probes[PATH_MAX + 64];

		snprintf(probes, sizeof probes, "%s/%s/probes", self, beside[i]);
		if (access(probes, R_OK) == 0)
			return snprintf(path, room, "%s/%s", self, beside[i]) < (int)room ? 0 : -1;
	}
	return -1;
}

const char *paths_folder(const char *file, char room[CONFIG_PATH_BYTES])
{
	char *slash;

	snprintf(room, CONFIG_PATH_BYTES, "%s", file);
	slash = strrchr(room, '/');
	if (!slash)
		return ".";
	slash[slash == room] = 0;
	return room;
}
