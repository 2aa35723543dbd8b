/* GnuTLS below libmicrohttpd, which asks for a client's certificate but does not insist on it: we do. */
#include "sensor/console/tls.h"

#include "sensor/common/log.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 256 * 1024 };

/* NULL after log_error(). */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = file ? calloc(1, FILE_MOST + 1) : NULL;
	size_t n = text ? fread(text, 1, FILE_MOST, file) : 0;

	if (!file || !text || ferror(file) || n == 0 || n == FILE_MOST) {
		log_error("%s can't be read: %s", path, !file || ferror(file) ? strerror(errno) : n ? "too long" : "it is empty");
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

static void drop(struct tls *t)
{
	if (!t)
		return;
	if (t->own)
		gnutls_x509_crt_deinit(t->own);
	free(t->certificate);
	free(t->key);
	free(t->authority);
	free(t);
}

/* The first certificate of the file, for the names in it. False after log_error(). */
static bool read_own(struct tls *t, const char *path)
{
	gnutls_datum_t pem = { (unsigned char *)t->certificate, (unsigned)strlen(t->certificate) };
	int error = gnutls_x509_crt_init(&t->own);

	if (error == 0)
		error = gnutls_x509_crt_import(t->own, &pem, GNUTLS_X509_FMT_PEM);
	if (error == 0)
		return true;
	log_error("%s: %s", path, gnutls_strerror(error));
	return false;
}

struct tls *tls_load(const char *certificate, const char *key, const char *authority)
{
	struct tls *t = calloc(1, sizeof *t);

	if (t && (t->certificate = read_file(certificate)) && (t->key = read_file(key)) && (t->authority = read_file(authority)) &&
	    read_own(t, certificate))
		return t;
	drop(t);
	return NULL;
}

static gnutls_session_t session_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

/* Of the authority, in its time, and made for clients. */
static bool is_good(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = { GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(size_t)GNUTLS_KP_TLS_WWW_CLIENT, 0 };
	unsigned status = ~0u;

	return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
}

static int verify(gnutls_session_t session)
{
	return is_good(session) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

void tls_require_client(struct MHD_Connection *c)
{
	gnutls_session_t session = session_of(c);

	if (!session)
		return;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_function(session, verify);
}

static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~' || *text == '"')
			*text = '?';
}

bool tls_client(struct MHD_Connection *c, char *subject, size_t room)
{
	gnutls_session_t session = session_of(c);
	unsigned count = 0;
	const gnutls_datum_t *chain = session && is_good(session) ? gnutls_certificate_get_peers(session, &count) : NULL;
	gnutls_x509_crt_t crt;
	bool well;

	if (!chain || count == 0 || gnutls_x509_crt_init(&crt) != 0)
		return false;
	well = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 && gnutls_x509_crt_get_dn(crt, subject, &room) == 0;
	gnutls_x509_crt_deinit(crt);
	if (well)
		make_plain(subject);
	else
		subject[0] = 0;
	return well;
}

bool tls_is_for(const struct tls *t, const char *host)
{
	return gnutls_x509_crt_check_hostname(t->own, host) != 0;
}
