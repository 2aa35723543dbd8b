/* SipHash-2-4 by libsodium, with a drawn key for tables and a fixed one for names that stay. */
#include "sensor/hub/hash.h"

#include <sodium.h>
#include <string.h>

static uint8_t drawn[crypto_shorthash_KEYBYTES];

void hash_start(void)
{
	if (sodium_init() >= 0)
		randombytes_buf(drawn, sizeof drawn);
}

static uint64_t hash_with(const uint8_t *key, const void *bytes, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t hash;

	crypto_shorthash(out, bytes, len, key);
	memcpy(&hash, out, sizeof hash);
	return hash;
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
	return hash_with(drawn, bytes, len);
}

uint64_t hash_stable(const void *bytes, size_t len)
{
	static const uint8_t fixed[crypto_shorthash_KEYBYTES] = "askance asset id";

	return hash_with(fixed, bytes, len);
}
