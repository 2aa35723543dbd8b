/* What an honest finding looks like, and the words documents use for its fields. */
#include "classifiers/finding/finding.h"

#include "classifiers/finding/text.h"

#include <string.h>

static bool plain_word(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	if (n == room)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
			return false;
	return true;
}

/* Paths are made by classifiers of words, numbers and separators only. */
static bool plain_path(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	if (n == room)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f || (unsigned char)s[i] > 0x7f)
			return false;
	return true;
}

static bool endpoint_valid(const struct endpoint *e)
{
	return (e->family == 0 || e->family == 4 || e->family == 6) && e->binding < BINDINGS;
}

bool finding_valid(const struct finding *f)
{
	if (f->kind == 0 || f->kind >= FINDING_KINDS || f->attribute >= ATTRIBUTES || f->transport >= TRANSPORTS ||
	    f->evidence >= EVIDENCES || f->role >= ROLES || f->source > SOURCE_PROBE || f->confidence > 100 ||
	    f->activity >= ACTIVITIES || f->vlan[0] > 4095 || f->vlan[1] > 4095)
		return false;
	if ((f->kind == FINDING_ACTIVITY) != (f->activity != ACTIVITY_NONE))
		return false;
	if ((f->kind == FINDING_SERVICE || f->kind == FINDING_TALKS || f->kind == FINDING_ACTIVITY) && f->transport == TRANSPORT_NONE)
		return false;
	if (f->kind == FINDING_ATTRIBUTE && (f->attribute == ATTR_NONE || f->value[0] == 0))
		return false;
	return endpoint_valid(&f->subject) && endpoint_valid(&f->peer) &&
	       plain_word(f->protocol, sizeof f->protocol) && plain_path(f->path, sizeof f->path) &&
	       text_is_clean(f->value, sizeof f->value);
}

const char *transport_name(enum transport t)
{
	static const char *const names[TRANSPORTS] = { "", "ethernet", "ip", "udp", "tcp" };

	return t < TRANSPORTS ? names[t] : "";
}

const char *evidence_name(enum evidence e)
{
	static const char *const names[EVIDENCES] = { "", "port", "ndpi", "structure" };

	return e < EVIDENCES ? names[e] : "";
}

const char *role_name(enum role r)
{
	static const char *const names[ROLES] = { "unknown", "client", "server", "peer" };

	return r < ROLES ? names[r] : "unknown";
}

const char *source_name(enum source s)
{
	static const char *const names[SOURCES] = { "passive", "probe", "analyst" };

	return s < SOURCES ? names[s] : "passive";
}
