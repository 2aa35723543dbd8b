/*
 * Handshake messages as TLS, DTLS and QUIC carry them: the hellos, and certificates in clear.
 *
 *  0      1          4
 *  +------+----------+---------+
 *  | type | length   | body    |   in DTLS the number of the message and its fragment stand before the body
 *  +------+----------+---------+
 */
#ifndef CLASSIFIERS_API_TLS_HANDSHAKE_H
#define CLASSIFIERS_API_TLS_HANDSHAKE_H

#include "classifiers/api/classifier.h"

enum { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2, DTLS_HELLO_VERIFY = 3, TLS_CERTIFICATE = 11, TLS_HANDSHAKE_HEADER_BYTES = 4 };

/* What carries the messages; the letters are JA4's. DTLS writes versions in its own way and adds a cookie. */
enum tls_carrier { TLS_OVER_TCP = 't', TLS_OVER_UDP = 'd', TLS_OVER_QUIC = 'q' };

/* True for a type that is registered for handshake messages. */
bool tls_handshake_type(uint8_t type);

/* These two want the whole body and judge it to the byte. Of a client the fingerprint and the server it asks for are told. */
bool tls_read_client_hello(struct reader *r, enum tls_carrier carrier, struct cursor body);
bool tls_read_server_hello(enum tls_carrier carrier, struct cursor body);

/*
 * The sender's own certificate, and who issued those of the chain. The body may be cut: what is there
 * of it counts, as long as the name of the sender's own is whole. False when it isn't.
 */
bool tls_read_certificates(struct reader *r, struct cursor body);

/* The same for one certificate without a chain. */
bool tls_read_certificate(struct reader *r, struct cursor der);

#endif
