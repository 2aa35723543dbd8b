/*
 * JA4, the fingerprint of a client's hello in TLS, DTLS or QUIC, as FoxIO's public description has it:
 * protocol, version, server name, counts and ALPN; then hashes of the sorted ciphers and of the sorted
 * extensions with the signature algorithms. Values of GREASE (RFC 8701) count nowhere.
 */
#ifndef CLASSIFIERS_API_JA4_H
#define CLASSIFIERS_API_JA4_H

#include "classifiers/api/cursor.h"

enum { JA4_CIPHERS_MAX = 512, JA4_EXTENSIONS_MAX = 128, JA4_SIGNATURES_MAX = 128, JA4_BYTES = 40 };

/* Begins as zeros. Lists that don't fit make no fingerprint rather than a wrong one. */
struct ja4 {
	char transport;   /* 't' TCP, 'd' DTLS, 'q' QUIC; 0 is TCP */
	uint16_t version; /* the highest that is offered */
	uint16_t ciphers[JA4_CIPHERS_MAX];
	uint16_t extensions[JA4_EXTENSIONS_MAX]; /* without server name and ALPN */
	uint16_t signatures[JA4_SIGNATURES_MAX];
	unsigned cipher_count;
	unsigned extension_count;
	unsigned signature_count;
	unsigned extensions_all; /* with those two */
	uint8_t alpn[2];         /* first and last byte of the first one, zeros without any */
	bool server_name;
	bool overflow;
};

/* True for 0a0a, 1a1a ... fafa, which clients throw in to keep servers tolerant. */
bool ja4_grease(uint16_t v);

void ja4_cipher(struct ja4 *j, uint16_t cipher);
void ja4_extension(struct ja4 *j, uint16_t type);
void ja4_signature(struct ja4 *j, uint16_t algorithm);

/* Writes the fingerprint; false when there is none. Sorts the lists. */
bool ja4_text(struct ja4 *j, char to[JA4_BYTES]);

#endif
