/* The list of connections. libmicrohttpd ends silent ones; one that says a byte now and then is for us to end. */
#include "sensor/console/visitors.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* For a whole request from the connection or the answer before, and for a whole answer. */
enum { ASK_MS = 30000, ANSWER_MS = 120000 };

enum state { ASKS, IS_ANSWERED, STAYS };

struct visitor {
	struct visitor *next;
	int fd;
	enum state state;
	uint64_t since_ms;
	bool known;
	char where[VISITOR_TEXT_BYTES];
};

static struct visitor *visitors;
static uint64_t now;

static void put_address(struct visitor *v, const struct sockaddr *address)
{
	socklen_t len = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (getnameinfo(address, len, v->where, sizeof v->where, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(v->where, sizeof v->where, "somebody");
}

void visitor_come(struct MHD_Connection *c, void **own, uint64_t now_ms)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *address = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct visitor *v = calloc(1, sizeof *v);

	*own = v;
	now = now_ms;
	if (!v)
		return;
	v->fd = fd ? fd->connect_fd : -1;
	v->since_ms = now_ms;
	if (address)
		put_address(v, address->client_addr);
	v->next = visitors;
	visitors = v;
}

void visitor_go(void **own)
{
	for (struct visitor **at = &visitors; *at; at = &(*at)->next)
		if (*at == *own) {
			struct visitor *v = *at;

			*at = v->next;
			free(v);
			break;
		}
	*own = NULL;
}

static void set(struct MHD_Connection *c, enum state state)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visitor *v = info ? info->socket_context : NULL;

	if (!v)
		return;
	v->state = state;
	v->since_ms = now;
}

void visitor_asked(struct MHD_Connection *c)
{
	set(c, IS_ANSWERED);
}

void visitor_stays(struct MHD_Connection *c)
{
	set(c, STAYS);
}

bool visitor_answered(struct MHD_Connection *c, char where[VISITOR_TEXT_BYTES])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visitor *v = info ? info->socket_context : NULL;
	bool first = v && !v->known;

	snprintf(where, VISITOR_TEXT_BYTES, "%s", v ? v->where : "somebody");
	if (v)
		v->known = true;
	set(c, ASKS);
	return first;
}

void visitors_look(uint64_t now_ms)
{
	now = now_ms;
	for (struct visitor *v = visitors; v; v = v->next) {
		uint64_t most = v->state == ASKS ? ASK_MS : ANSWER_MS;

		if (v->state != STAYS && now_ms - v->since_ms > most && v->fd >= 0)
			shutdown(v->fd, SHUT_RDWR);
	}
}
