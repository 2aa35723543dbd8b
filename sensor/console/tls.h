/* TLS and who may log in: a client's certificate of one authority is the login. */
#ifndef SENSOR_CONSOLE_TLS_H
#define SENSOR_CONSOLE_TLS_H

#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

/* 1.2 with forward secrecy, or 1.3. */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305"

struct tls {
	char *certificate, *key, *authority; /* PEM */
	gnutls_x509_crt_t own;               /* the first of `certificate` */
};

/* Reads the files. NULL after log_error(). */
struct tls *tls_load(const char *certificate, const char *key, const char *authority);

/* On a fresh connection: without a good certificate of the client its handshake fails. */
void tls_require_client(struct MHD_Connection *c);

/* The subject of the client's certificate, fit for a line of the log. False when it has no good one. */
bool tls_client(struct MHD_Connection *c, char *subject, size_t room);

/* True when our certificate is for this name or address. */
bool tls_is_for(const struct tls *t, const char *host);

#endif
