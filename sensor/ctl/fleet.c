/* askance fleet: all sensors of one Redis as one picture, and what analysts decide of it. */
#include "sensor/ctl/fleet_servers.h"
#include "sensor/ctl/fleet_view.h"
#include "sensor/ctl/options.h"
#include "sensor/ctl/output.h"
#include "sensor/ctl/terminal.h"
#include "sensor/redis/redis_ask.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Looking for sensors goes over all keys: it gets a hundredth of the time, between these bounds. */
enum { FIND_LEAST_S = 5, FIND_MOST_S = 60, FIND_SHARE = 100, RETRY_S = 3, WORDS_MOST = 64 };

struct request {
	struct sensor_link link;
	struct fleet_servers servers;
	struct option_words words;
	bool json, sensors, merged, doubts;
	int follow_s, most;
	const char *who, *why;
	double find_at_s;  /* when sensors are looked for again */
};

static const struct verb_option options[] = {
	OPTION_MAYBE_WORDS(struct request, words, "ACTION", "merge, split, undo or decisions, with what it is about; without one the picture"),
	OPTION_FLAG(struct request, json, 0, "json", "a line of JSON for each sensor, each device, and the numbers"),
	OPTION_FLAG(struct request, sensors, 0, "sensors", "the sensors alone"),
	OPTION_FLAG(struct request, merged, 0, "merged", "those devices alone that several assets were joined to, with --json and why"),
	OPTION_FLAG(struct request, doubts, 0, "doubts", "pairs that are alike and not joined, with what is missing"),
	OPTION_NUMBER(struct request, follow_s, 0, "follow", "SECONDS", 1, 3600, "with --json: look again so often, and print what changed"),
	OPTION_NUMBER(struct request, most, 0, "most", "N", 1, 100000000, "hold at most so many assets (1000000)"),
	OPTION_TEXT(struct request, why, 0, "why", "TEXT", "the reason of a decision, for the record"),
	OPTION_TEXT(struct request, who, 0, "who", "NAME", "who decides (the name of the login)"),
	OPTION_TEXT(struct request, link.config, 'c', "config", "FILE", "a sensor's configuration, for its Redis (/etc/askance/askance.yaml)"),
	OPTION_TEXT(struct request, link.url, 0, "redis", "URL", "the Redis instead; of a Cluster any node"),
	OPTION_END,
};

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double pause_s(double wished)
{
	return wished < FIND_LEAST_S ? FIND_LEAST_S : wished > FIND_MOST_S ? FIND_MOST_S : wished;
}

/* One reading. 0, or -1 with its cause in q->link.why; the servers are closed then, for they may be others now. */
static int read_once(struct request *q, struct fleet *f, struct fleet_cost *cost)
{
	double start = clock_s(), read;
	bool find = start >= q->find_at_s;

	q->link.why[0] = 0;
	if (!q->servers.count) {
		if (fleet_servers_open(&q->servers, &q->link) < 0)
			return -1;
		find = true;
	}
	if (fleet_read(f, q->servers.redis, q->servers.count, find, q->link.why, sizeof q->link.why) < 0) {
		fleet_servers_close(&q->servers, &q->link);
		return -1;
	}
	read = clock_s();
	if (find)
		q->find_at_s = read + pause_s(FIND_SHARE * (read - start));
	if (fleet_match(f) < 0) {
		snprintf(q->link.why, sizeof q->link.why, "no memory");
		return -1;
	}
	*cost = (struct fleet_cost){ read - start, clock_s() - read };
	return 0;
}

static void tell_why(struct request *q)
{
	if (q->link.why[0] && !q->link.quiet)
		fprintf(stderr, "askance fleet: Redis at %s: %s%s\n", q->link.where, q->link.why,
			strstr(q->link.why, "NOPERM") ? "; packaging/redis/fleet.acl has the rights" : "");
}

/* Until the reader of the lines goes away. */
static void follow(struct request *q, struct fleet *f, struct fleet_view *v)
{
	struct fleet_cost cost;

	while (fflush(stdout) == 0 && !ferror(stdout)) {
		sleep((unsigned)(q->link.quiet && q->follow_s < RETRY_S ? RETRY_S : q->follow_s));
		if (read_once(q, f, &cost) < 0) {
			tell_why(q);
			q->link.quiet = true;
			continue;
		}
		q->link.quiet = false;
		v->changed = true;
		fleet_view_json(f, v, &cost, stdout);
	}
}

static int show(struct request *q)
{
	struct fleet_view v = {
		.sensors = q->sensors || (!q->merged && !q->doubts), .devices = !q->sensors && (q->merged || !q->doubts), .doubts = q->doubts,
		.merged = q->merged, .width = terminal_width(STDOUT_FILENO), .colours = terminal_colours(STDOUT_FILENO),
	};
	struct fleet *f = fleet_new((size_t)q->most);
	struct fleet_cost cost;

	if (!f || read_once(q, f, &cost) < 0) {
		tell_why(q);
		fleet_free(f);
		return EXIT_NOTHING;
	}
	if (q->json)
		fleet_view_json(f, &v, &cost, stdout);
	else
		fleet_view_print(f, &v, stdout);
	if (q->follow_s)
		follow(q, f, &v);
	fleet_free(f);
	return output_end("fleet", EXIT_WELL);
}

static int show_decisions(struct request *q)
{
	struct fleet_view v = { .width = terminal_width(STDOUT_FILENO), .colours = terminal_colours(STDOUT_FILENO) };
	struct fleet *f = fleet_new((size_t)q->most);
	int result = EXIT_NOTHING;

	if (f && fleet_servers_open(&q->servers, &q->link) == 0) {
		if (fleet_read_decisions(f, q->servers.redis, q->servers.count, q->link.why, sizeof q->link.why) == 0) {
			fleet_view_decisions(f, q->json, &v, stdout);
			result = output_end("fleet", EXIT_WELL);
		}
		tell_why(q);
	}
	fleet_free(f);
	return result;
}

/* True when a sensor has told of it; on whatever server. */
static bool exists(struct request *q, const char *name)
{
	const char *slash = strchr(name, '/');
	bool found = false;

	for (unsigned i = 0; i < q->servers.count && !found; i++) {
		redisReply *reply = redis_ask(q->servers.redis[i], "HEXISTS askance:{%b}:asset:%s body", name, (size_t)(slash - name), slash + 1);

		found = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer;
		if (reply)
			freeReplyObject(reply);
	}
	if (!found)
		fprintf(stderr, "askance fleet: there is no asset %s; `askance fleet` lists them\n", name);
	return found;
}

static int write_decision(struct request *q, struct fleet_decision *d)
{
	for (unsigned i = 0; i < q->servers.count; i++) {
		if (decision_write(q->servers.redis[i], d, q->link.why, sizeof q->link.why) == 0) {
			printf("%s %s %s\n", decision_action_name(d->action), d->a, d->b);
			q->link.why[0] = 0;
			return 0;
		}
		if (strncmp(q->link.why, "MOVED ", 6) != 0)
			break;
	}
	return -1;
}

/* The pairs are made first: a mistake in the last must not leave the first decided. */
static bool make_pairs(const struct request *q, enum decision_action action, struct fleet_decision *pairs)
{
	static const char unknown[] = "root";
	const char *login = getenv("SUDO_USER");

	login = q->who ? q->who : login ? login : getenv("USER") ? getenv("USER") : unknown;
	for (int i = 2; i < q->words.count; i++) {
		struct fleet_decision *d = &pairs[i - 2];

		*d = (struct fleet_decision){ .action = action };
		if (decision_name_pair(d, q->words.at[1], q->words.at[i]) < 0) {
			fprintf(stderr, "askance fleet: %s and %s are no two assets; an asset is SENSOR/ID, as `askance fleet` prints it\n", q->words.at[1],
				q->words.at[i]);
			return false;
		}
		if ((size_t)snprintf(d->why, sizeof d->why, "%s", q->why) >= sizeof d->why ||
		    (size_t)snprintf(d->who, sizeof d->who, "%s", login) >= sizeof d->who) {
			fprintf(stderr, "askance fleet: --why is at most %d bytes long, --who %d\n", DECISION_WHY_BYTES - 1, DECISION_WHO_BYTES - 1);
			return false;
		}
	}
	return true;
}

static int decide(struct request *q, enum decision_action action)
{
	struct fleet_decision pairs[WORDS_MOST];
	int count = q->words.count - 2;

	if (count < 1 || count > WORDS_MOST || !q->why || !q->why[0]) {
		fprintf(stderr, "askance fleet: %s wants SENSOR/ID SENSOR/ID... (two to %d) and --why TEXT\n", q->words.at[0], WORDS_MOST + 1);
		return EXIT_NOTHING;
	}
	if (!make_pairs(q, action, pairs) || fleet_servers_open(&q->servers, &q->link) < 0)
		return EXIT_NOTHING;
	for (int i = 1; i < q->words.count && action != DECISION_UNDO; i++)
		if (!exists(q, q->words.at[i]))
			return EXIT_NOTHING;
	for (int i = 0; i < count; i++)
		if (write_decision(q, &pairs[i]) < 0) {
			tell_why(q);
			return i ? EXIT_PARTLY : EXIT_NOTHING;
		}
	return output_end("fleet", EXIT_WELL);
}

static int act(struct request *q)
{
	const char *word = q->words.count ? q->words.at[0] : "";

	if (q->follow_s && (!q->json || word[0])) {
		fprintf(stderr, "askance fleet: --follow goes with --json alone\n");
		return EXIT_NOTHING;
	}
	if (!word[0])
		return show(q);
	if (strcmp(word, "decisions") == 0 && q->words.count == 1)
		return show_decisions(q);
	for (int action = DECISION_MERGE; action <= DECISION_UNDO; action++)
		if (strcmp(word, decision_action_name((enum decision_action)action)) == 0)
			return decide(q, (enum decision_action)action);
	fprintf(stderr, "askance fleet: '%s' is none of merge, split, undo and decisions\n", word);
	return EXIT_NOTHING;
}

static int run_fleet(int argc, char **argv)
{
	struct request *q = calloc(1, sizeof *q);
	int result = EXIT_NOTHING;

	if (!q)
		return EXIT_NOTHING;
	/* A server that ends its connection is told like any other failure. */
	signal(SIGPIPE, SIG_IGN);
	q->link.verb = "fleet";
	q->link.all = true;
	q->most = FLEET_WITNESSES;
	if (options_take(options, q, argc, argv)) {
		result = act(q);
		fleet_servers_close(&q->servers, &q->link);
	}
	free(q);
	return result;
}

const struct verb verb_fleet = {
	.name = "fleet",
	.usage = "[merge|split|undo SENSOR/ID SENSOR/ID... --why TEXT | decisions]",
	.summary = "show all sensors of a Redis or Cluster as one picture",
	.options = options,
	.help = "A device that several sensors hear stands there once, with each of them as a witness. Witnesses are joined by serial number "
		"(with vendor and model), by MAC within a zone or with further evidence across zones, and by address with further evidence; "
		"never by a router's MAC, and never by a private address alone.\n\n"
		"A line of --json has one member: sensor, device, doubt, or fleet, the last one with the numbers.\n\n"
		"merge joins assets, split keeps them apart, undo leaves them to the fleet again. Each is written to the hash "
		"askance:fleet:merges with who, when and why, and what it takes the place of; decisions lists them.",
	.exits = { "all was shown or written", "not all was printed or written", "Redis can't be reached, or the call was wrong" },
	.run = run_fleet,
};
