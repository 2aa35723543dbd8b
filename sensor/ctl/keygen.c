/* askance keygen: a key pair for an analyst, and the line that makes it known. */
#include "sensor/ctl/key_file.h"
#include "sensor/ctl/options.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request {
	char path[4096];
	const char *name;
	bool bare, json;
};

static const struct verb_option options[] = {
	OPTION_TEXT(struct request, name, 0, "name", "NAME", "the analyst's name in rules/policy/analysts.yaml ($USER)"),
	OPTION_COPY(struct request, path, 'o', "output", "FILE", "where the secret key goes ($HOME/.askance/key); never written over"),
	OPTION_FLAG(struct request, bare, 0, "no-passphrase", "leave it unprotected, for a machine that has none to ask"),
	OPTION_FLAG(struct request, json, 0, "json", "name, public key and file as one JSON object"),
	OPTION_END,
};

static bool check_request(struct request *q)
{
	if (strspn(q->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(q->name) || !q->name[0] ||
	    strlen(q->name) > 31) {
		fprintf(stderr, "askance keygen: a name is 1 to 31 letters, digits, '.', '_' or '-'\n");
		return false;
	}
	if (q->path[0] || key_file_default(q->path, sizeof q->path))
		return true;
	fprintf(stderr, "askance keygen: there is no HOME; name a file with --output\n");
	return false;
}

/* Asked twice of a person, once of a pipe. */
static bool choose_passphrase(char out[PASSPHRASE_BYTES])
{
	char again[PASSPHRASE_BYTES];
	bool same;

	if (!passphrase_ask("new passphrase: ", out, "keygen"))
		return false;
	if (!out[0]) {
		fprintf(stderr, "askance keygen: an empty passphrase protects nothing; --no-passphrase says so plainly\n");
		return false;
	}
	if (!isatty(STDIN_FILENO))
		return true;
	if (!passphrase_ask("once more: ", again, "keygen"))
		return false;
	same = strcmp(out, again) == 0;
	sodium_memzero(again, sizeof again);
	if (!same)
		fprintf(stderr, "askance keygen: the two differ\n");
	return same;
}

static int keygen(int argc, char **argv)
{
	const char *user = getenv("USER");
	struct request q = { .name = user && user[0] ? user : "analyst" };
	char passphrase[PASSPHRASE_BYTES] = "", text[KEY_TEXT_BYTES];
	struct secret_key key;
	bool made;

	if (!options_take(options, &q, argc, argv) || !check_request(&q) || (!q.bare && !choose_passphrase(passphrase)) || !key_make(&key, "keygen"))
		return EXIT_NOTHING;
	made = key_file_write(q.path, &key, q.bare ? NULL : passphrase, "keygen");
	key_text(key.public, text);
	key_forget(&key);
	sodium_memzero(passphrase, sizeof passphrase);
	if (!made)
		return EXIT_NOTHING;
	if (q.json) {
		printf("{\"name\":\"%s\",\"key\":\"%s\",\"file\":\"%s\"}\n", q.name, text, q.path);
		return EXIT_WELL;
	}
	fprintf(stderr, "The secret key is in %s. It never leaves this machine; keep a copy of it where only you can get at it.\n"
			"For rules/policy/analysts.yaml, with the risks and zones that are to be yours:\n\n", q.path);
	printf("  - {name: %s, key: \"%s\", may: [low, medium]}\n", q.name, text);
	return EXIT_WELL;
}

const struct verb verb_keygen = {
	.name = "keygen",
	.summary = "make a key with which an analyst signs approvals",
	.options = options,
	.help = "Prints the line for analysts.yaml on the sensor. Only there it gives any right. The passphrase is read from the\n"
		"terminal, or from standard input when that is none.\n",
	.exits = { "made", NULL, "not made" },
	.run = keygen,
};
