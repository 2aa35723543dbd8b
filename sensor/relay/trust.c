/* OpenSSL's part: certificates in, a checked peer out. */
#include "sensor/relay/trust.h"

#include "sensor/common/log.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ERROR_BYTES = 256 };

static bool tell(const char *what, const char *file)
{
	char error[ERROR_BYTES];

	ERR_error_string_n(ERR_get_error(), error, sizeof error);
	log_error("redis: %s %s: %s", what, file, error);
	return false;
}

static bool load_authority(SSL_CTX *t, const struct relay_config *c)
{
	if (!c->ca[0])
		return SSL_CTX_set_default_verify_paths(t) == 1 || tell("the system's authorities", "");
	return SSL_CTX_load_verify_locations(t, c->ca, NULL) == 1 || tell("the authority", c->ca);
}

static bool load_ourselves(SSL_CTX *t, const struct relay_config *c)
{
	if (!c->certificate[0])
		return true;
	if (SSL_CTX_use_certificate_chain_file(t, c->certificate) != 1)
		return tell("our certificate", c->certificate);
	if (SSL_CTX_use_PrivateKey_file(t, c->key, SSL_FILETYPE_PEM) != 1)
		return tell("our key", c->key);
	return SSL_CTX_check_private_key(t) == 1 || tell("our certificate and key don't fit", c->certificate);
}

SSL_CTX *trust_load(const struct relay_config *config)
{
	SSL_CTX *t = SSL_CTX_new(TLS_client_method());

	if (!t) {
		log_error("redis: OpenSSL has no memory");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(t, TLS1_2_VERSION);
	SSL_CTX_set_verify(t, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(t, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (load_authority(t, config) && load_ourselves(t, config))
		return t;
	SSL_CTX_free(t);
	return NULL;
}

static bool expect_name(SSL *ssl, const char *name)
{
	struct in6_addr room;

	if (inet_pton(AF_INET, name, &room) == 1 || inet_pton(AF_INET6, name, &room) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *trust_start(SSL_CTX *trust, const struct relay_config *config, const char *host, int fd)
{
	SSL *ssl = SSL_new(trust);

	if (!ssl)
		return NULL;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set_fd(ssl, fd) == 1 && expect_name(ssl, config->server_name[0] ? config->server_name : host)) {
		SSL_set_connect_state(ssl);
		return ssl;
	}
	SSL_free(ssl);
	return NULL;
}

void trust_why(const SSL *ssl, char *why, size_t room)
{
	long verdict = SSL_get_verify_result(ssl);
	unsigned long error = ERR_get_error();

	if (verdict != X509_V_OK)
		snprintf(why, room, "its certificate is refused: %s", X509_verify_cert_error_string(verdict));
	else if (error)
		snprintf(why, room, "no TLS: %s", ERR_reason_error_string(error) ? ERR_reason_error_string(error) : "unknown error");
	else
		snprintf(why, room, "no TLS: it closed the connection");
}
