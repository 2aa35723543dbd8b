/*
 * What a certificate says of its holder, for protocols that show certificates in clear. RFC 5280.
 *
 * Nothing is verified: a certificate is a witness like any other text on the wire.
 */
#ifndef CLASSIFIERS_API_X509_H
#define CLASSIFIERS_API_X509_H

#include "classifiers/api/der.h"

struct x509 {
	struct cursor serial;        /* contents of its INTEGER */
	struct cursor issuer;        /* contents of a Name */
	struct cursor subject;
	struct cursor subject_names; /* contents of subjectAltName, empty without it or where it is cut off */
};

/* Kinds of subject names (context tags of GeneralName). */
enum { X509_DNS_NAME = 0x82, X509_URI = 0x86, X509_IP_ADDRESS = 0x87 };

/*
 * Reads the certificate that `der` begins with. Its end may be cut off anywhere behind the subject's name,
 * which comes early. False, and nothing written, when it isn't one.
 */
bool x509_read(struct cursor der, struct x509 *x);

/*
 * A Name in the order of RFC 4514, most specific first, with the long names of X.520:
 * "commonName=plc-1,organizationName=Works". Cut where room ends; returns its length.
 */
size_t x509_name_text(struct cursor name, char *to, size_t room);

/* The next of the subject's alternative names, false after the last. */
bool x509_next_name(struct cursor *names, uint8_t *kind, struct cursor *value);

#endif
