/*
 * An analyst's secret key on disk: a small text file of mode 0600.
 *
 *   askance secret key 1
 *   public: BASE64
 *   protection: none | argon2id OPERATIONS MEMORY SALT-BASE64
 *   secret: BASE64      the seed of 32 bytes, or a nonce of 24 and the sealed seed
 *
 * The passphrase becomes a key by Argon2id (crypto_pwhash), which seals the seed (crypto_secretbox).
 */
#ifndef SENSOR_CTL_KEY_FILE_H
#define SENSOR_CTL_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_PUBLIC_BYTES = 32, KEY_SECRET_BYTES = 64, KEY_TEXT_BYTES = 45, PASSPHRASE_BYTES = 256 };

struct secret_key {
	uint8_t public[KEY_PUBLIC_BYTES];
	uint8_t secret[KEY_SECRET_BYTES];
};

/* Draws a key by chance. False after a message. */
bool key_make(struct secret_key *k, const char *verb);

/* Writes it; an existing file is never written over. `passphrase` NULL: unprotected. False after a message. */
bool key_file_write(const char *path, const struct secret_key *k, const char *passphrase, const char *verb);

/* Reads it, and asks for the passphrase where there is one. False after a message. */
bool key_file_read(const char *path, struct secret_key *k, const char *verb);

/* $HOME/.askance/key, where no --key is given. False when there is no HOME. */
bool key_file_default(char *path, size_t room);

/* One line from the terminal without echo, or from stdin when that is none. False after a message. */
bool passphrase_ask(const char *prompt, char out[PASSPHRASE_BYTES], const char *verb);

/* The public key as analysts.yaml wants it. */
void key_text(const uint8_t key[KEY_PUBLIC_BYTES], char out[KEY_TEXT_BYTES]);

void key_forget(struct secret_key *k);

#endif
