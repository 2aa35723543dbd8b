/* Fetches proposals, and checks each against our own rules: what a hub or a Redis says is not what is signed. */
#include "sensor/ctl/proposal_list.h"

#include "active/guard/guard.h"
#include "sensor/ctl/document_words.h"

#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 128 };

static bool add_document(struct proposal_list *l, const char *body, size_t len)
{
	json_t *document = json_loadb(body, len, 0, NULL);
	const json_t *proposal = json_object_get(json_object_get(document, "ot"), "proposal");
	const char *id = json_string_value(json_object_get(proposal, "id"));

	words_disarm(document);
	/* What somebody else put there is passed over: the sensor's own are whole. */
	if (!id || strlen(id) != APPROVAL_ID_BYTES - 1) {
		json_decref(document);
		return true;
	}
	if (l->count == l->room) {
		size_t room = l->room * 2 + 64;
		struct listed_proposal *grown = realloc(l->items, room * sizeof *grown);

		if (!grown) {
			json_decref(document);
			return false;
		}
		l->items = grown;
		l->room = room;
	}
	l->items[l->count] = (struct listed_proposal){ document, proposal, words_line(body, len, document), id };
	l->count++;
	return true;
}

static int order_proposals(const void *x, const void *y)
{
	const struct listed_proposal *a = x, *b = y;
	int made = strcmp(words_text(a->proposal, "made"), words_text(b->proposal, "made"));

	return made ? made : strcmp(a->id, b->id);
}

int proposal_list_fetch(struct proposal_list *l, struct sensor_link *link)
{
	char key[CONFIG_NAME_BYTES + KEY_BYTES];
	const char *ask[] = { "HGETALL", key };
	redisReply *reply;
	bool well = true;

	memset(l, 0, sizeof *l);
	snprintf(key, sizeof key, "askance:{%s}:proposals", link->sensor);
	reply = sensor_link_ask(link, 2, ask);
	if (!reply)
		return -1;
	for (size_t i = 0; well && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2)
		if (reply->element[i + 1]->type == REDIS_REPLY_STRING)
			well = add_document(l, reply->element[i + 1]->str, (size_t)reply->element[i + 1]->len);
	freeReplyObject(reply);
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, order_proposals);
	return well ? 0 : -1;
}

void proposal_list_free(struct proposal_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		json_decref(l->items[i].document);
		free(l->items[i].body);
	}
	free(l->items);
	memset(l, 0, sizeof *l);
}

const struct listed_proposal *proposal_list_find(const struct proposal_list *l, const char *id, const char *verb)
{
	const struct listed_proposal *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		if (strncmp(l->items[i].id, id, strlen(id)) == 0) {
			found = &l->items[i];
			count++;
		}
	if (count == 1 && id[0])
		return found;
	if (count > 1)
		fprintf(stderr, "askance %s: %zu proposals begin with '%s'; write more of the id\n", verb, count, id);
	else
		fprintf(stderr, "askance %s: there is no proposal '%s'; `askance proposals` lists them\n", verb, id);
	return NULL;
}

bool proposal_is_alive(const struct listed_proposal *p)
{
	const char *status = words_text(p->proposal, "status");

	return strcmp(status, "open") == 0 || strcmp(status, "approved") == 0 || strcmp(status, "running") == 0;
}

size_t proposal_signatures(const struct listed_proposal *p)
{
	return json_array_size(json_object_get(p->proposal, "signed"));
}

void proposal_target(const struct listed_proposal *p, char *text, size_t room)
{
	const json_t *t = json_object_get(p->proposal, "text"), *vlan = json_object_get(t, "vlan");
	const char *ip = words_text(t, "target_ip"), *mac = words_text(t, "target_mac");
	json_int_t port = json_integer_value(json_object_get(t, "port")), outer = json_integer_value(json_array_get(vlan, 0));
	size_t n;

	n = (size_t)snprintf(text, room, ip[0] && strchr(ip, ':') && port ? "[%s]" : "%s", ip[0] ? ip : mac);
	if (port && n < room)
		n += (size_t)snprintf(text + n, room - n, ":%d", (int)port);
	if (outer && n < room)
		snprintf(text + n, room - n, " vlan %d", (int)outer);
}

__attribute__((format(printf, 2, 3)))
static bool refuse(char why[POLICY_WHY_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, POLICY_WHY_BYTES, format, args);
	va_end(args);
	return false;
}

static bool copy_text(const json_t *t, const char *key, char *out, size_t room)
{
	const json_t *value = json_object_get(t, key);

	if (!json_is_string(value) || json_string_length(value) >= room)
		return false;
	memcpy(out, json_string_value(value), json_string_length(value));
	return true;
}

static bool copy_number(const json_t *value, int64_t most, int64_t *out)
{
	*out = json_integer_value(value);
	return json_is_integer(value) && *out >= 0 && *out <= most;
}

static bool copy_hash(const json_t *t, const char *key, uint8_t out[APPROVAL_HASH_BYTES])
{
	const char *hex = json_string_value(json_object_get(t, key));
	size_t n = 0;

	return hex && sodium_hex2bin(out, APPROVAL_HASH_BYTES, hex, strlen(hex), NULL, &n, NULL) == 0 && n == APPROVAL_HASH_BYTES;
}

static bool copy_target(const json_t *t, struct approval *a)
{
	const char *mac = words_text(t, "target_mac"), *ip = words_text(t, "target_ip"), *transport = words_text(t, "transport");
	const json_t *vlan = json_object_get(t, "vlan");
	int64_t port, outer, inner;
	size_t n = 0;

	if (sodium_hex2bin(a->target.mac, sizeof a->target.mac, mac, strlen(mac), ":", &n, NULL) != 0 || n != sizeof a->target.mac)
		return false;
	if (ip[0]) {
		a->target.family = strchr(ip, ':') ? 6 : 4;
		if (inet_pton(a->target.family == 6 ? AF_INET6 : AF_INET, ip, a->target.ip) != 1)
			return false;
	}
	for (int i = 1; i < TRANSPORTS; i++)
		if (strcmp(transport_name((enum transport)i), transport) == 0)
			a->transport = (uint8_t)i;
	if (!copy_number(json_object_get(t, "port"), UINT16_MAX, &port) || !copy_number(json_array_get(vlan, 0), 4095, &outer) ||
	    !copy_number(json_array_get(vlan, 1), 4095, &inner))
		return false;
	a->port = (uint16_t)port;
	a->vlan[0] = (uint16_t)outer;
	a->vlan[1] = (uint16_t)inner;
	return true;
}

/* Set by the first signature; the later ones sign the same. */
static bool copy_times(const json_t *t, struct approval *a)
{
	int64_t uses = 0;

	if (!json_object_get(t, "uses"))
		return true;
	if (!copy_number(json_object_get(t, "uses"), APPROVAL_USES, &uses) ||
	    !copy_number(json_object_get(t, "not_before"), INT64_MAX, &a->not_before_s) ||
	    !copy_number(json_object_get(t, "not_after"), INT64_MAX, &a->not_after_s))
		return false;
	a->uses = (uint8_t)uses;
	return true;
}

bool proposal_read(const struct listed_proposal *p, struct approval *a, char why[POLICY_WHY_BYTES])
{
	const json_t *t = json_object_get(p->proposal, "text");

	memset(a, 0, sizeof *a);
	memcpy(a->id, p->id, sizeof a->id - 1);
	if (copy_text(t, "sensor", a->sensor, sizeof a->sensor) && copy_text(t, "zone", a->zone, sizeof a->zone) &&
	    copy_text(t, "path", a->path, sizeof a->path) && copy_text(t, "class", a->device_class, sizeof a->device_class) &&
	    copy_text(t, "maker", a->maker, sizeof a->maker) && copy_text(t, "rule", a->rule, sizeof a->rule) &&
	    copy_text(t, "parameters", a->parameters, sizeof a->parameters) && copy_hash(t, "rule_sha256", a->rule_sha256) &&
	    copy_hash(t, "plan_sha256", a->plan_sha256) && copy_target(t, a) && copy_times(t, a))
		return true;
	return refuse(why, "the proposal's document is not whole");
}

struct checking {
	const json_t *messages;
	size_t count;
	char *why;
};

static bool check_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	struct checking *c = context;
	const json_t *shown = json_array_get(c->messages, c->count++);
	struct guard_answer answer = guard_allows(plan->rule->protocol, (enum transport)plan->rule->transport, m->bytes, m->len);
	char text[PLAN_TEXT_BYTES];

	if (!answer.allowed)
		return refuse(c->why, "our own guard refuses message %zu: %s", c->count, answer.why);
	plan_message_text(plan, m, text);
	/* Documents show the first of many; the digest covers all of them. */
	if (shown && strcmp(words_text(shown, "hex"), text) != 0)
		return refuse(c->why, "message %zu is shown with other bytes than our rules render", c->count);
	return true;
}

static bool check_plan(const struct approval *a, const struct rule *rule, struct plan *plan, char why[POLICY_WHY_BYTES])
{
	uint8_t digest[APPROVAL_HASH_BYTES];
	char because[PLAN_WHY_BYTES];

	if (!plan_read(plan, rule, a->parameters, because))
		return refuse(why, "%s", because);
	if (!plan_digest(plan, digest) || memcmp(digest, a->plan_sha256, sizeof digest) != 0)
		return refuse(why, "its bytes are not those that our rules render for these parameters");
	if (!plan_names_target(plan, &a->target, a->port))
		return refuse(why, "its messages name another target than the proposal");
	return true;
}

bool proposal_check(const struct listed_proposal *p, const struct approval *a, const struct rules_load *rules, struct plan *plan,
		    char why[POLICY_WHY_BYTES])
{
	const struct rule *rule = ruleset_find(rules->rules, a->rule);
	struct checking c = { json_object_get(p->proposal, "messages"), 0, why };
	uint8_t hash[APPROVAL_HASH_BYTES];
	size_t n = 0;

	if (!rule)
		return refuse(why, "our rules have no '%s' (%s)", a->rule, rules->dir);
	if (sodium_hex2bin(hash, sizeof hash, rule_sha256(rule), strlen(rule_sha256(rule)), NULL, &n, NULL) != 0 ||
	    memcmp(hash, a->rule_sha256, sizeof hash) != 0)
		return refuse(why, "the sensor's rule '%s' is not ours (%s:%u)", a->rule, rule->file, rule->line);
	if (rule->transport != a->transport)
		return refuse(why, "the rule asks over %s, the proposal over %s", transport_name((enum transport)rule->transport),
			      transport_name((enum transport)a->transport));
	if (!check_plan(a, rule, plan, why) || !plan_messages(plan, check_message, &c))
		return false;
	if (json_array_size(c.messages) > c.count)
		return refuse(why, "more messages are shown than our rules render");
	return true;
}
