/*
 * Everything that people write in YAML: the configuration, rules, policy, bonds of custom probes, classes of devices.
 * What is wrong is told, with a line; what is right is used.
 *
 * Input: the kind of file:1, and the file.
 */
#include "active/ruleset/policy.h"
#include "active/ruleset/ruleset.h"
#include "sensor/supervisor/configuration.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"askance.yaml", "policy/whitelist.yaml", "policy/exclusions.yaml", "policy/windows.yaml", "policy/budgets.yaml", "policy/analysts.yaml",
	"probes/modbus.yaml", "policy/custom.yaml",
};
enum { CONFIGURATION, WHITELIST, EXCLUSIONS, WINDOWS, BUDGETS, ANALYSTS, PROBES, CUSTOM, KINDS };

static char folder[64] = "/dev/shm/fuzz.XXXXXX";
static struct ruleset *rules;
static unsigned told;

/* A sentence is one: it ends. */
static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	(void)line;
	told++;
	if (!strlen(file) || !strlen(what))
		abort();
}

static void mistake(void *context, const char *path, unsigned line, const char *sentence)
{
	complain(context, path, line, sentence);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
}

static void copy_file(const char *name)
{
	static char bytes[1 << 20];
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, SOURCE_DIR "/rules/%s", name);
	f = fopen(path, "re");
	n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
	if (f)
		fclose(f);
	write_file(name, bytes, n);
}

static void remove_folder(void)
{
	char path[128];

	for (size_t i = 0; i < KINDS; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, i ? "probes" : "policy");
		rmdir(path);
	}
	rmdir(folder);
}

static void start(void)
{
	char path[128];

	rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	if (!rules || !mkdtemp(folder))
		abort();
	atexit(remove_folder);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, i ? "probes" : "policy");
		if (mkdir(path, 0700) < 0)
			abort();
	}
	for (size_t i = WHITELIST; i < KINDS; i++)
		copy_file(names[i]);
}

static void read_configuration(void)
{
	struct configuration c;
	char path[128];

	snprintf(path, sizeof path, "%s/askance.yaml", folder);
	if (configuration_read(path, &c, mistake, NULL) == 0 && (!c.sensor[0] || !c.sources || c.sources > CONFIGURATION_SOURCES))
		abort();
}

static void read_policy(void)
{
	struct policy *p = policy_load(folder, rules, complain, NULL);
	struct endpoint who = { .mac = { 0, 0x1b, 0x1b, 1, 2, 3 }, .family = 4, .ip = { 10, 0, 0, 1 } };
	struct policy_target target = { .who = &who, .zone = "hall-3", .device_class = "plc", .maker = "Siemens AG", .port = 502 };

	for (size_t i = 0; p && i < ruleset_count(rules); i += 7)
		if (!policy_verdict(p, ruleset_at(rules, i), &target).why[0])
			abort();
	if (p)
		policy_window(p, "hall-3", 1700000000);
	policy_free(p);
}

static void read_rules(void)
{
	struct ruleset *set = ruleset_load(folder, complain, NULL);

	if (set)
		ruleset_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned kind = size ? data[0] % KINDS : 0;

	if (!rules)
		start();
	if (!size)
		return 0;
	told = 0;
	write_file(names[kind], data + 1, size - 1);
	if (kind == CONFIGURATION)
		read_configuration();
	else if (kind == PROBES || kind == CUSTOM)
		read_rules();
	else
		read_policy();
	copy_file(names[kind]);
	return 0;
}
