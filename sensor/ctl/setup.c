/* askance setup: finds the SPAN port and writes it into the configuration. Sends nothing and starts nothing. */
#include "sensor/common/config.h"
#include "sensor/common/log.h"
#include "sensor/common/sandbox.h"
#include "sensor/ctl/interfaces.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/setup_file.h"
#include "sensor/ctl/table.h"
#include "sensor/ctl/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_DEFAULT = 3, SECONDS_MOST = 600, MS_PER_S = 1000 };

static const char name_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

struct request {
	const char *config, *interface, *name, *zone;
	int seconds;
	bool yes;
	struct setup_words now, want;
	struct interfaces interfaces;
};

static const struct verb_option options[] = {
	OPTION_TEXT(struct request, config, 'c', "config", "FILE", "the configuration to write (/etc/askance/askance.yaml)"),
	OPTION_TEXT(struct request, interface, 'i', "interface", "NAME", "the SPAN port; asked for when it isn't given"),
	OPTION_TEXT(struct request, name, 0, "name", "NAME", "the sensor's name, a part of its keys in Redis"),
	OPTION_TEXT(struct request, zone, 0, "zone", "NAME", "where it listens; the same address in two zones is two devices"),
	OPTION_NUMBER(struct request, seconds, 0, "seconds", "N", 0, SECONDS_MOST, "how long frames are counted (3); 0 leaves that out"),
	OPTION_FLAG(struct request, yes, 'y', "yes", "ask nothing: what isn't given stays as the file has it"),
	OPTION_END,
};

static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* False, for a caller to hand on. */
static bool complain(const char *format, ...)
{
	va_list args;

	fputs("askance setup: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

/* A line from the person; the proposal when the line is empty. False at the end of input. */
static bool ask(const char *question, const char *proposal, char answer[SETUP_WORD_BYTES])
{
	char line[256];

	if (proposal[0])
		printf("%s [%s]: ", question, proposal);
	else
		printf("%s: ", question);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin)) {
		putchar('\n');
		return complain("no answer came; nothing was written");
	}
	line[strcspn(line, "\r\n")] = 0;
	if (strlen(line) >= SETUP_WORD_BYTES)
		return complain("'%s' is longer than %d letters", line, SETUP_WORD_BYTES - 1);
	strcpy(answer, line[0] ? line : proposal);
	return true;
}

static bool agreed(const struct request *q, const char *question, bool proposal)
{
	char whole[512], answer[SETUP_WORD_BYTES];

	if (q->yes)
		return true;
	snprintf(whole, sizeof whole, "%s [%s]", question, proposal ? "Y/n" : "y/N");
	return ask(whole, "", answer) && (answer[0] ? answer[0] == 'y' || answer[0] == 'Y' : proposal);
}

static void show_interfaces(const struct request *q)
{
	static const char *const headers[] = { "INTERFACE", "LINK", "FRAMES/S", "ADDRESS", "", NULL };
	struct table t;

	table_start(&t, headers);
	for (size_t n = 0; n < q->interfaces.count; n++) {
		const struct interface_seen *i = &q->interfaces.one[n];
		char frames[32] = "";

		if (i->counted && q->seconds)
			snprintf(frames, sizeof frames, "%.0f", i->frames_a_second);
		table_row(&t, (const char *[]){ i->name, i->link, frames, i->address[0] ? i->address : "none",
		                                strcmp(i->name, q->now.interface) == 0 ? "configured" :
		                                strcmp(i->name, q->now.probing) == 0 ? "for probes" : "" });
	}
	table_print(&t, stdout, terminal_width(STDOUT_FILENO), terminal_colours(STDOUT_FILENO));
	table_free(&t);
}

static bool look_at_interfaces(struct request *q)
{
	if (interfaces_list(&q->interfaces) < 0)
		return complain("the interfaces of this machine can't be listed: %s", strerror(errno));
	if (q->interfaces.count == 0)
		return complain("this machine has no network interface but the loopback one");
	if (q->seconds) {
		printf("Counting frames for %d s; nothing is sent, and none is read.\n", q->seconds);
		fflush(stdout);
		if (!interfaces_count(&q->interfaces, (unsigned)q->seconds * MS_PER_S))
			complain("without root only frames for this machine count, and not what a switch mirrors: %s", strerror(errno));
	}
	show_interfaces(q);
	return true;
}

/* What is configured; else the busiest of those without an address, as a mirror's port is. */
static const char *guess_interface(const struct request *q)
{
	const struct interface_seen *best = NULL;

	if (interfaces_find(&q->interfaces, q->now.interface))
		return q->now.interface;
	for (size_t n = 0; n < q->interfaces.count; n++) {
		const struct interface_seen *i = &q->interfaces.one[n];

		if (!i->address[0] && i->frames_a_second > (best ? best->frames_a_second : 0))
			best = i;
	}
	return best ? best->name : "";
}

static bool check_interface(const struct request *q, const struct interface_seen *i)
{
	if (strcmp(i->name, q->now.probing) == 0)
		return complain("%s is the interface that probes leave by; the sensor listens on another one", i->name);
	if (!i->has_link)
		complain("%s has no link (%s); `ip link set %s up`, and a look at the cable", i->name, i->link, i->name);
	else if (i->counted && q->seconds && i->frames_a_second <= 0)
		complain("nothing was heard on %s: does the switch mirror to it?", i->name);
	if (!i->address[0])
		return true;
	complain("%s has the address %s: this machine can be reached through it, and a SPAN port needs none", i->name, i->address);
	return agreed(q, "Listen there all the same?", false);
}

static bool choose_interface(struct request *q)
{
	const struct interface_seen *i;

	if (q->interface)
		snprintf(q->want.interface, sizeof q->want.interface, "%s", q->interface);
	else if (q->yes)
		snprintf(q->want.interface, sizeof q->want.interface, "%s", q->now.interface);
	else if (!ask("Interface of the SPAN port", guess_interface(q), q->want.interface))
		return false;
	if (!q->want.interface[0])
		return complain("no interface was named; --interface names it");
	i = interfaces_find(&q->interfaces, q->want.interface);
	if (!i)
		return complain("there is no interface '%s' here", q->want.interface);
	return check_interface(q, i);
}

static bool choose_word(const struct request *q, const char *given, const char *question, const char *proposal, char word[SETUP_WORD_BYTES])
{
	if (given && strlen(given) >= SETUP_WORD_BYTES)
		return complain("'%s' is longer than %d letters", given, SETUP_WORD_BYTES - 1);
	if (given || q->yes)
		snprintf(word, SETUP_WORD_BYTES, "%s", given ? given : proposal);
	else if (!ask(question, proposal, word))
		return false;
	if (word[0] && strspn(word, name_characters) == strlen(word))
		return true;
	return complain("'%s' is no name: letters, digits, '_', '.' and '-' make one", word);
}

/* The machine's name, as far as it is one for a sensor. */
static void propose_name(const struct request *q, char name[SETUP_WORD_BYTES])
{
	snprintf(name, SETUP_WORD_BYTES, "%s", q->now.name);
	if (name[0] || gethostname(name, SETUP_WORD_BYTES - 1) < 0)
		return;
	name[SETUP_WORD_BYTES - 1] = 0;
	name[strspn(name, name_characters)] = 0;
}

static bool choose(struct request *q)
{
	char name[SETUP_WORD_BYTES] = "";

	propose_name(q, name);
	return choose_interface(q) && choose_word(q, q->name, "Name of this sensor", name, q->want.name) &&
	       choose_word(q, q->zone, "Zone it listens in", q->now.zone[0] ? q->now.zone : "default", q->want.zone);
}

/* Puts them up in a child of its own, as the sensor's processes do. */
static bool walls_stand(void)
{
	const struct sandbox s = { .process = "a trial process" };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		log_open("askance setup");
		_exit(sandbox_enter(&s, true) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* An interface without an address is brought up by nobody unless something says so. */
static void tell_boot(const char *interface)
{
	printf("%s has to be up after each start of this machine, without an address: ", interface);
	if (access("/run/NetworkManager", F_OK) == 0)
		printf("a connection of NetworkManager with\nipv4.method disabled and ipv6.method disabled.\n");
	else if (access("/run/systemd/netif/links", F_OK) == 0)
		printf("a file of systemd-networkd with\n[Match] Name=%s and [Network] LinkLocalAddressing=no.\n", interface);
	else
		printf("in /etc/network/interfaces\n`auto %s`, `iface %s inet manual` and `up ip link set %s up`.\n", interface, interface, interface);
}

static void tell_next(const struct request *q, bool walls)
{
	if (!walls)
		complain("this kernel can't wall in the sensor's processes as said above: the sensor will refuse to start; it wants Linux 5.13 "
			 "or later with Landlock and seccomp, or `require_walls: false` in %s", q->config);
	tell_boot(q->want.interface);
	printf("\nNext:\n  askance check --config %s\n", q->config);
	if (strcmp(q->config, "/etc/askance/askance.yaml") == 0 && access("/run/systemd/system", F_OK) == 0)
		printf("  systemctl enable askance && systemctl restart askance\n  askance status\n  askance assets\n");
	else
		printf("  askance run --config %s\n", q->config);
}

static int setup(int argc, char **argv)
{
	struct request q = { .config = "/etc/askance/askance.yaml", .seconds = SECONDS_DEFAULT };
	char question[256];
	bool walls;

	if (!options_take(options, &q, argc, argv) || !setup_file_read(q.config, &q.now) || !look_at_interfaces(&q) || !choose(&q))
		return EXIT_NOTHING;
	walls = walls_stand();
	printf("\nSensor %s listens on %s, in zone %s.\n", q.want.name, q.want.interface, q.want.zone);
	snprintf(question, sizeof question, "Write this to %s?", q.config);
	if (!agreed(&q, question, true)) {
		complain("nothing was written");
		return EXIT_NOTHING;
	}
	switch (setup_file_write(q.config, &q.want)) {
	case SETUP_WRITTEN:
		printf("%s is written; what it was before is in %s.bak.\n", q.config, q.config);
		break;
	case SETUP_UNCHANGED:
		printf("%s says so already.\n", q.config);
		break;
	default:
		return EXIT_NOTHING;
	}
	tell_next(&q, walls);
	return walls ? EXIT_WELL : EXIT_PARTLY;
}

const struct verb verb_setup = {
	.name = "setup",
	.summary = "find the SPAN port and write it into the configuration",
	.options = options,
	.help = "Lists the interfaces with their link, their addresses and how many frames they hear, asks which one is the SPAN port, and\n"
		"for the name and the zone of the sensor. To hear what a switch mirrors, the interfaces are promiscuous while frames are\n"
		"counted; only the kernel's counters are read.\n"
		"\n"
		"Everything else in the file stays as it is, comments too; the file before is kept as FILE.bak. What would be no\n"
		"configuration is not written.\n"
		"\n"
		"  askance setup\n"
		"  askance setup --interface eth1 --name press-shop --zone hall-3 --yes\n",
	.exits = { "written, or it said so already", "written, but this kernel lacks walls that the sensor requires", "nothing was written" },
	.run = setup,
};
