/* SHA-256 (FIPS 180-4) for fingerprints that are defined by it. No secret passes through here. */
#ifndef CLASSIFIERS_API_SHA256_H
#define CLASSIFIERS_API_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t len_bytes;
	uint8_t block[SHA256_BLOCK_BYTES];
};

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t len);
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_BYTES]);

#endif
