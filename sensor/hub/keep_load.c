/* Reads the picture back. What contradicts itself is an error: nobody but the hub writes this file. */
#include "sensor/hub/keep.h"

#include "sensor/common/log.h"
#include "sensor/common/time_range.h"
#include "sensor/hub/address.h"
#include "sensor/hub/binding.h"
#include "sensor/hub/facts.h"
#include "sensor/hub/gaps.h"

#include <stdlib.h>
#include <string.h>

/* Assets by the number under which they are stored. */
struct loader {
	struct picture *p;
	struct asset **assets;
	size_t count;
};

static const char *column_text(sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	return text ? text : "";
}

static const char *kept_text(struct loader *l, sqlite3_stmt *s, int i)
{
	const char *text = column_text(s, i);

	return text[0] ? texts_keep(&l->p->texts, text) : l->p->nothing;
}

/* A store may be of before times were held against their range. */
static int64_t column_time(sqlite3_stmt *s, int i)
{
	return time_within(sqlite3_column_int64(s, i), TIME_MOST_NS);
}

static struct asset *asset_at(const struct loader *l, int64_t number)
{
	return number > 0 && (uint64_t)number < l->count ? l->assets[number] : NULL;
}

static struct node *node_at(const struct loader *l, int64_t number)
{
	return number > 0 && number <= l->p->node_count ? l->p->nodes[number - 1] : NULL;
}

static bool load_asset(struct loader *l, sqlite3_stmt *s)
{
	int64_t number = sqlite3_column_int64(s, 0);
	struct asset *a;

	if (number <= 0 || number > UINT32_MAX)
		return false;
	if ((uint64_t)number >= l->count) {
		size_t count = (size_t)number * 2 + 64;
		struct asset **grown = realloc(l->assets, count * sizeof(struct asset *));

		if (!grown)
			return false;
		memset(grown + l->count, 0, (count - l->count) * sizeof(struct asset *));
		l->assets = grown;
		l->count = count;
	}
	a = picture_restore_asset(l->p, (uint32_t)number, column_text(s, 1));
	if (!a)
		return false;
	l->assets[number] = a;
	/* Its founder is a node, and nodes are not there yet. */
	a->told_nodes = (uint32_t)sqlite3_column_int64(s, 2);
	a->first_ns = column_time(s, 3);
	a->class = column_text(s, 4)[0] ? kept_text(l, s, 4) : NULL;
	a->maker = column_text(s, 5)[0] ? kept_text(l, s, 5) : NULL;
	return true;
}

/* A node was heard last when anything on it was: its row may be older. */
static void heard(struct loader *l, struct node *n, int64_t last_ns)
{
	if (last_ns > n->last_ns)
		n->last_ns = last_ns;
	if (last_ns > l->p->now_ns)
		l->p->now_ns = last_ns;
}

static bool load_node(struct loader *l, sqlite3_stmt *s)
{
	const uint16_t vlan[2] = { (uint16_t)sqlite3_column_int(s, 1), (uint16_t)sqlite3_column_int(s, 2) };
	uint8_t family = (uint8_t)sqlite3_column_int(s, 3), address[16] = { 0 };
	struct asset *a = asset_at(l, sqlite3_column_int64(s, 5));
	uint32_t before = l->p->node_count;
	struct node *n;

	if (!a || (family != 0 && family != 4 && family != 6) ||
	    (size_t)sqlite3_column_bytes(s, 4) != address_bytes(family))
		return false;
	memcpy(address, sqlite3_column_blob(s, 4), address_bytes(family));
	n = picture_node(l->p, vlan, family, address, column_time(s, 7), (uint64_t)sqlite3_column_int64(s, 9));
	if (!n || l->p->node_count == before || n->number != (uint32_t)sqlite3_column_int64(s, 0))
		return false;
	n->flags = (uint8_t)sqlite3_column_int(s, 6);
	n->lost = (uint32_t)sqlite3_column_int64(s, 10);
	n->heard_s = (uint32_t)time_within(sqlite3_column_int64(s, 11), UINT32_MAX);
	heard(l, n, column_time(s, 8));
	if (a->told_nodes == n->number)
		a->founder = n;
	picture_place(l->p, n, a);
	return true;
}

static bool load_link(struct loader *l, sqlite3_stmt *s)
{
	struct node *ip = node_at(l, sqlite3_column_int64(s, 0)), *mac = node_at(l, sqlite3_column_int64(s, 2));
	int binding = sqlite3_column_int(s, 3);

	if (!ip || !mac || !ip->family || mac->family)
		return false;
	binding_restore(ip, mac, binding & 2, binding & 1, column_time(s, 4), ip->last_ns);
	return true;
}

static bool load_attribute(struct loader *l, sqlite3_stmt *s)
{
	struct node *n = node_at(l, sqlite3_column_int64(s, 0));
	enum attribute name = attribute_of_name(column_text(s, 3));
	struct attribute_item *a;

	if (!n || n->attributes.count != sqlite3_column_int64(s, 1) || name == ATTR_NONE ||
	    !(a = row_add(&n->attributes, sizeof *a, UINT16_MAX)))
		return false;
	*a = (struct attribute_item){
		.path = kept_text(l, s, 2), .protocol = kept_text(l, s, 4), .value = kept_text(l, s, 7),
		.attribute = (uint8_t)name, .source = (uint8_t)sqlite3_column_int(s, 5),
		.confidence = (uint8_t)sqlite3_column_int(s, 6), .frame = (uint64_t)sqlite3_column_int64(s, 8),
		.heard = (uint32_t)sqlite3_column_int64(s, 9), .first_ns = column_time(s, 10),
		.last_ns = column_time(s, 11),
	};
	n->own_attributes += a->path && !a->path[0];
	heard(l, n, a->last_ns);
	return a->path && a->protocol && a->value && a->source < SOURCES;
}

static bool load_service(struct loader *l, sqlite3_stmt *s)
{
	struct node *n = node_at(l, sqlite3_column_int64(s, 0));
	struct service_item *v;

	if (!n || n->services.count != sqlite3_column_int64(s, 1) || !(v = row_add(&n->services, sizeof *v, NODE_SERVICES)))
		return false;
	*v = (struct service_item){
		.protocol = kept_text(l, s, 2), .transport = (uint8_t)sqlite3_column_int(s, 3),
		.port = (uint16_t)sqlite3_column_int(s, 4), .ethertype = (uint16_t)sqlite3_column_int(s, 5),
		.evidence = (uint8_t)sqlite3_column_int(s, 6), .confidence = (uint8_t)sqlite3_column_int(s, 7),
		.frame = (uint64_t)sqlite3_column_int64(s, 8), .first_ns = column_time(s, 9),
		.last_ns = column_time(s, 10),
	};
	l->p->services++;
	heard(l, n, v->last_ns);
	return v->protocol && v->transport < TRANSPORTS && v->evidence < EVIDENCES;
}

static bool load_speaks(struct loader *l, sqlite3_stmt *s)
{
	struct node *n = node_at(l, sqlite3_column_int64(s, 0));
	struct speaks_item *v;

	if (!n || n->speaks.count != sqlite3_column_int64(s, 1) || !(v = row_add(&n->speaks, sizeof *v, NODE_SPEAKS)))
		return false;
	*v = (struct speaks_item){
		.protocol = kept_text(l, s, 2), .role = (uint8_t)sqlite3_column_int(s, 3),
		.evidence = (uint8_t)sqlite3_column_int(s, 4), .frame = (uint64_t)sqlite3_column_int64(s, 5),
		.first_ns = column_time(s, 6), .last_ns = column_time(s, 7),
	};
	heard(l, n, v->last_ns);
	return v->protocol && v->role < ROLES && v->evidence < EVIDENCES;
}

static bool load_subasset(struct loader *l, sqlite3_stmt *s)
{
	struct node *n = node_at(l, sqlite3_column_int64(s, 0));
	struct subasset_item *v;

	if (!n || n->subassets.count != sqlite3_column_int64(s, 1) || !(v = row_add(&n->subassets, sizeof *v, NODE_SUBASSETS)))
		return false;
	*v = (struct subasset_item){
		.path = kept_text(l, s, 2), .source = (uint8_t)sqlite3_column_int(s, 3),
		.frame = (uint64_t)sqlite3_column_int64(s, 4), .first_ns = column_time(s, 5),
		.last_ns = column_time(s, 6),
	};
	/* Its row is not written for its time alone: the values, which were read before, know it. */
	if (facts_newest(n, v->path) > v->last_ns)
		v->last_ns = facts_newest(n, v->path);
	l->p->subassets++;
	heard(l, n, v->last_ns);
	return v->path && v->source < SOURCES;
}

static bool talked_before(const struct node *n, const struct talk_item *t)
{
	for (const struct talk_item *other = n->talks.items; other < t; other++)
		if (!other->visits && other->port == t->port && other->transport == t->transport && other->family == t->family &&
		    memcmp(other->peer, t->peer, sizeof t->peer) == 0)
			return true;
	return false;
}

static bool load_talk(struct loader *l, sqlite3_stmt *s)
{
	struct node *n = node_at(l, sqlite3_column_int64(s, 0));
	uint8_t family = (uint8_t)sqlite3_column_int(s, 2);
	struct endpoint peer = { .family = family };
	struct talk_item *t;

	if (!n || n->talks.count != sqlite3_column_int64(s, 1) || (family != 0 && family != 4 && family != 6) ||
	    (size_t)sqlite3_column_bytes(s, 3) != address_bytes(family) || !(t = row_add(&n->talks, sizeof *t, NODE_TALKS)))
		return false;
	t->protocol = kept_text(l, s, 4);
	t->transport = (uint8_t)sqlite3_column_int(s, 5);
	t->port = (uint16_t)sqlite3_column_int(s, 6);
	t->first_ns = column_time(s, 7);
	t->last_ns = column_time(s, 8);
	t->frame = (uint64_t)sqlite3_column_int64(s, 9);
	t->visits = sqlite3_column_int(s, 10) != 0;
	if (!t->visits)
		heard(l, n, t->last_ns);
	t->family = family;
	memcpy(t->peer, sqlite3_column_blob(s, 3), address_bytes(family));
	memcpy(family ? peer.ip : peer.mac, t->peer, address_bytes(family));
	if (!t->visits && !talked_before(n, t))
		picture_demand(l->p, n, &peer, t->transport, t->port);
	return t->protocol && t->transport < TRANSPORTS;
}

static bool load_gap(struct loader *l, sqlite3_stmt *s)
{
	struct asset *a = asset_at(l, sqlite3_column_int64(s, 0));
	struct gap_told told = { .verdict = (uint8_t)sqlite3_column_int(s, 3), .print = (uint64_t)sqlite3_column_int64(s, 4),
				 .since_ns = column_time(s, 5) };
	int kind = 0;

	while (kind < GAP_KINDS && strcmp(gap_kind_name((enum gap_kind)kind), column_text(s, 1)) != 0)
		kind++;
	if (!a || kind == GAP_KINDS || strlen(column_text(s, 2)) >= sizeof told.subject)
		return false;
	told.kind = (uint8_t)kind;
	strcpy(told.subject, column_text(s, 2));
	return gaps_restore(a, &told);
}

static int load_table(struct loader *l, struct store *s, const char *sql, bool (*load)(struct loader *l, sqlite3_stmt *s))
{
	sqlite3_stmt *statement = store_prepare(s, sql);
	bool well = true;
	int result = SQLITE_DONE;

	while (well && (result = sqlite3_step(statement)) == SQLITE_ROW)
		well = load(l, statement);
	sqlite3_finalize(statement);
	if (well && result == SQLITE_DONE)
		return 0;
	log_error("%s: the picture can't be read (%s): %s", sqlite3_db_filename(s->db, "main"), sql,
		  well ? sqlite3_errmsg(s->db) : "a row contradicts the others");
	return -1;
}

/* Every asset must have its founder among its nodes. */
static bool whole(const struct loader *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct asset *a = l->assets[i];

		if (!a)
			continue;
		if (!a->founder || !a->nodes)
			return false;
		a->told_nodes = a->node_count;
	}
	return true;
}

int keep_load(struct store *s, struct picture *p)
{
	static const struct {
		const char *sql;
		bool (*load)(struct loader *l, sqlite3_stmt *s);
	} tables[] = {
		{ "SELECT number,id,founder,first_ns,class,maker FROM asset ORDER BY number", load_asset },
		{ "SELECT number,vlan0,vlan1,family,address,asset,flags,first_ns,last_ns,first_frame,lost,heard_s FROM node ORDER BY number", load_node },
		{ "SELECT node,n,path,name,protocol,source,confidence,value,frame,heard,first_ns,last_ns FROM attribute ORDER BY node,n", load_attribute },
		{ "SELECT node,n,protocol,transport,port,ethertype,evidence,confidence,frame,first_ns,last_ns FROM service ORDER BY node,n", load_service },
		{ "SELECT node,n,protocol,role,evidence,frame,first_ns,last_ns FROM speaks ORDER BY node,n", load_speaks },
		{ "SELECT node,n,path,source,frame,first_ns,last_ns FROM subasset ORDER BY node,n", load_subasset },
		{ "SELECT node,n,family,peer,protocol,transport,port,first_ns,last_ns,frame,visits FROM talk ORDER BY node,n", load_talk },
		/* A link was heard last when its address was, which the tables above say. */
		{ "SELECT ip,n,mac,binding,first_ns FROM link ORDER BY ip,n", load_link },
		{ "SELECT asset,kind,subject,verdict,print,since_ns FROM gap ORDER BY asset,kind,subject", load_gap },
	};
	struct loader l = { .p = p };
	uint32_t most_assets = p->max_assets;
	uint64_t most_bytes = p->texts.max_bytes;
	int result = 0;

	/* What was full, or has less room now, is still what is known: the limits are for what is new. */
	p->max_assets = UINT32_MAX;
	p->texts.max_bytes = 0;
	for (size_t i = 0; i < sizeof tables / sizeof *tables && result == 0; i++)
		result = load_table(&l, s, tables[i].sql, tables[i].load);
	if (result == 0 && !whole(&l)) {
		log_error("%s: the picture contradicts itself: an asset without addresses", sqlite3_db_filename(s->db, "main"));
		result = -1;
	}
	p->max_assets = most_assets;
	p->texts.max_bytes = most_bytes;
	free(l.assets);
	return result;
}
