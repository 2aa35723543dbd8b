/* TLS to Redis by OpenSSL: whom to believe, and who we are. TLS 1.2 or later. */
#ifndef SENSOR_RELAY_TRUST_H
#define SENSOR_RELAY_TRUST_H

#include "sensor/common/config.h"

#include <openssl/ssl.h>

/*
 * Reads the authority's and our own certificate and key. Call before the walls. NULL after log_error();
 * the caller frees it with SSL_CTX_free().
 */
SSL_CTX *trust_load(const struct relay_config *config);

/*
 * A connection over the connected socket `fd`, which stays the caller's. The server's certificate must be for
 * `host`, or for config->server_name when that is not empty. NULL when memory is short.
 */
SSL *trust_start(SSL_CTX *trust, const struct relay_config *config, const char *host, int fd);

/* Why the handshake failed, as a sentence. */
void trust_why(const SSL *ssl, char *why, size_t room);

#endif
