/* Which side of a flow a sender is, where the message itself doesn't say so. */
#ifndef CLASSIFIERS_API_ROLE_H
#define CLASSIFIERS_API_ROLE_H

#include "classifiers/api/classifier.h"

/* By the TCP handshake, or else by who sits at the well-known port; ROLE_UNKNOWN when both or neither do. */
static inline uint8_t role_by_port(const struct reader *r, uint16_t port)
{
	if (r->handshake == ROLE_CLIENT || r->handshake == ROLE_SERVER)
		return r->handshake;
	if ((r->sender_port == port) == (r->receiver_port == port))
		return ROLE_UNKNOWN;
	return r->sender_port == port ? ROLE_SERVER : ROLE_CLIENT;
}

/* The role, or where none is known that of the lower port: services have low ones. Equal ports are peers'. */
static inline uint8_t role_or_guess(const struct reader *r, uint8_t role)
{
	if (role != ROLE_UNKNOWN)
		return role;
	if (r->sender_port == r->receiver_port)
		return ROLE_PEER;
	return r->sender_port < r->receiver_port ? ROLE_SERVER : ROLE_CLIENT;
}

/* The port at which the service of this flow is, given what the sender is. */
static inline uint16_t service_port_of(const struct reader *r)
{
	return r->sender_role == ROLE_CLIENT ? r->receiver_port : r->sender_port;
}

#endif
