/* Writes and reads analysts' secret keys. */
#include "sensor/ctl/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum {
	SEALED_BYTES = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + crypto_sign_SEEDBYTES,
	TEXT_BYTES = 256,
	FILE_BYTES = 2048,
};

static const char head[] = "askance secret key 1";

_Static_assert((int)KEY_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES && (int)KEY_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");

bool key_make(struct secret_key *k, const char *verb)
{
	if (sodium_init() >= 0)
		return crypto_sign_keypair(k->public, k->secret) == 0;
	fprintf(stderr, "askance %s: libsodium does not start\n", verb);
	return false;
}

void key_forget(struct secret_key *k)
{
	sodium_memzero(k, sizeof *k);
}

void key_text(const uint8_t key[KEY_PUBLIC_BYTES], char out[KEY_TEXT_BYTES])
{
	sodium_bin2base64(out, KEY_TEXT_BYTES, key, KEY_PUBLIC_BYTES, sodium_base64_VARIANT_ORIGINAL);
}

bool key_file_default(char *path, size_t room)
{
	const char *home = getenv("HOME");

	return home && home[0] && (size_t)snprintf(path, room, "%s/.askance/key", home) < room;
}

/* The last folder alone is made, and for its owner alone. */
static void make_folder(const char *path)
{
	char folder[4096];
	char *slash;

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0700);
	}
}

static bool seal(const uint8_t seed[crypto_sign_SEEDBYTES], const char *passphrase, char protection[TEXT_BYTES], uint8_t sealed[SEALED_BYTES])
{
	uint8_t salt[crypto_pwhash_SALTBYTES], key[crypto_secretbox_KEYBYTES];
	char text[64];
	bool done;

	randombytes_buf(salt, sizeof salt);
	randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
	done = crypto_pwhash(key, sizeof key, passphrase, strlen(passphrase), salt, crypto_pwhash_OPSLIMIT_MODERATE,
			     crypto_pwhash_MEMLIMIT_MODERATE, crypto_pwhash_ALG_ARGON2ID13) == 0 &&
	       crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, seed, crypto_sign_SEEDBYTES, sealed, key) == 0;
	sodium_memzero(key, sizeof key);
	snprintf(protection, TEXT_BYTES, "argon2id %llu %zu %s", (unsigned long long)crypto_pwhash_OPSLIMIT_MODERATE,
		 (size_t)crypto_pwhash_MEMLIMIT_MODERATE, sodium_bin2base64(text, sizeof text, salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL));
	return done;
}

static bool write_text(const char *path, const char *text, const char *verb)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = strlen(text);
	bool well;

	if (fd < 0) {
		fprintf(stderr, "askance %s: %s: %s\n", verb, path, errno == EEXIST ? "is there already and is not written over" : strerror(errno));
		return false;
	}
	well = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (close(fd) < 0 || !well) {
		fprintf(stderr, "askance %s: %s: %s\n", verb, path, strerror(errno));
		unlink(path);
		return false;
	}
	return true;
}

bool key_file_write(const char *path, const struct secret_key *k, const char *passphrase, const char *verb)
{
	char public[KEY_TEXT_BYTES], protection[TEXT_BYTES] = "none", secret[TEXT_BYTES], text[FILE_BYTES];
	uint8_t seed[crypto_sign_SEEDBYTES], sealed[SEALED_BYTES];
	bool well;

	crypto_sign_ed25519_sk_to_seed(seed, k->secret);
	if (passphrase && !seal(seed, passphrase, protection, sealed)) {
		fprintf(stderr, "askance %s: there is too little memory to protect the key (%zu MiB are needed)\n", verb,
			(size_t)crypto_pwhash_MEMLIMIT_MODERATE >> 20);
		sodium_memzero(seed, sizeof seed);
		return false;
	}
	key_text(k->public, public);
	sodium_bin2base64(secret, sizeof secret, passphrase ? sealed : seed, passphrase ? sizeof sealed : sizeof seed,
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof text, "%s\npublic: %s\nprotection: %s\nsecret: %s\n", head, public, protection, secret);
	make_folder(path);
	well = write_text(path, text, verb);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(text, sizeof text);
	return well;
}

bool passphrase_ask(const char *prompt, char out[PASSPHRASE_BYTES], const char *verb)
{
	bool terminal = isatty(STDIN_FILENO);
	struct termios before, quiet;
	bool well;

	if (terminal && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		fputs(prompt, stderr);
	}
	well = fgets(out, PASSPHRASE_BYTES, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!well) {
		fprintf(stderr, "askance %s: no passphrase was given\n", verb);
		return false;
	}
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool open_seal(const char *protection, const uint8_t *sealed, uint8_t seed[crypto_sign_SEEDBYTES], const char *verb)
{
	uint8_t salt[crypto_pwhash_SALTBYTES], key[crypto_secretbox_KEYBYTES];
	char text[64] = "", passphrase[PASSPHRASE_BYTES];
	unsigned long long operations;
	size_t memory, n = 0;
	bool opened;

	if (sscanf(protection, "argon2id %20llu %20zu %63s", &operations, &memory, text) != 3 || memory > crypto_pwhash_MEMLIMIT_SENSITIVE ||
	    operations > crypto_pwhash_OPSLIMIT_SENSITIVE ||
	    sodium_base642bin(salt, sizeof salt, text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || n != sizeof salt) {
		fprintf(stderr, "askance %s: the key file's protection can't be read\n", verb);
		return false;
	}
	if (!passphrase_ask("passphrase of the key: ", passphrase, verb))
		return false;
	opened = crypto_pwhash(key, sizeof key, passphrase, strlen(passphrase), salt, operations, memory, crypto_pwhash_ALG_ARGON2ID13) == 0 &&
		 crypto_secretbox_open_easy(seed, sealed + crypto_secretbox_NONCEBYTES, SEALED_BYTES - crypto_secretbox_NONCEBYTES, sealed, key) == 0;
	sodium_memzero(passphrase, sizeof passphrase);
	sodium_memzero(key, sizeof key);
	if (!opened)
		fprintf(stderr, "askance %s: the passphrase is wrong\n", verb);
	return opened;
}

/* The file must be its owner's alone: a key that others can read is no key. */
static bool read_text(const char *path, char text[FILE_BYTES], const char *verb)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	ssize_t n;

	if (fd < 0 || fstat(fd, &about) < 0) {
		fprintf(stderr, "askance %s: %s: %s; `askance keygen` makes a key\n", verb, path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	n = read(fd, text, FILE_BYTES - 1);
	close(fd);
	if (about.st_mode & 077) {
		fprintf(stderr, "askance %s: %s can be read by others than its owner: chmod 600 it, or make a new key\n", verb, path);
		return false;
	}
	text[n > 0 ? n : 0] = '\0';
	return true;
}

static bool parse(const char *text, char protection[TEXT_BYTES], uint8_t *bytes, size_t *len)
{
	char form[sizeof head], public[TEXT_BYTES], secret[TEXT_BYTES];

	return sscanf(text, "%20[^\n]\npublic: %255[^\n]\nprotection: %255[^\n]\nsecret: %255s", form, public, protection, secret) == 4 &&
	       strcmp(form, head) == 0 &&
	       sodium_base642bin(bytes, SEALED_BYTES, secret, strlen(secret), NULL, len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

bool key_file_read(const char *path, struct secret_key *k, const char *verb)
{
	char text[FILE_BYTES], protection[TEXT_BYTES];
	uint8_t bytes[SEALED_BYTES], seed[crypto_sign_SEEDBYTES];
	size_t len = 0;
	bool plain, well;

	if (sodium_init() < 0 || !read_text(path, text, verb))
		return false;
	well = parse(text, protection, bytes, &len);
	plain = well && strcmp(protection, "none") == 0;
	sodium_memzero(text, sizeof text);
	if (!well || len != (plain ? sizeof seed : sizeof bytes)) {
		fprintf(stderr, "askance %s: %s is no key file of askance\n", verb, path);
		return false;
	}
	if (plain)
		memcpy(seed, bytes, sizeof seed);
	else if (!open_seal(protection, bytes, seed, verb))
		return false;
	well = crypto_sign_seed_keypair(k->public, k->secret, seed) == 0;
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(bytes, sizeof bytes);
	return well;
}
