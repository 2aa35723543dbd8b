/* Writes the picture: one row for each thing, found again by its node and its place on it. */
#include "sensor/hub/keep.h"

#include "sensor/hub/address.h"
#include "sensor/hub/facts.h"
#include "sensor/hub/gaps.h"
#include "sensor/hub/hash.h"

#include <stdlib.h>

enum statement {
	PUT_ASSET, PUT_NODE, PUT_LINK, PUT_ATTRIBUTE, PUT_SERVICE, PUT_SPEAKS, PUT_SUBASSET, PUT_TALK, PUT_GAP,
	DROP_GAPS, DROP_ASSET, PUT_STATE, STATEMENTS
};

static const char *const statements[STATEMENTS] = {
	[PUT_ASSET] = "INSERT OR REPLACE INTO asset(number,id,founder,first_ns,class,maker) VALUES(?1,?2,?3,?4,?5,?6)",
	[PUT_NODE] = "INSERT OR REPLACE INTO node(number,vlan0,vlan1,family,address,asset,flags,first_ns,last_ns,first_frame,lost,heard_s)"
		     " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
	[PUT_LINK] = "INSERT OR REPLACE INTO link(ip,n,mac,binding,first_ns) VALUES(?1,?2,?3,?4,?5)",
	[PUT_ATTRIBUTE] = "INSERT OR REPLACE INTO attribute(node,n,path,name,protocol,source,confidence,value,frame,heard,"
			  "first_ns,last_ns) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
	[PUT_SERVICE] = "INSERT OR REPLACE INTO service(node,n,protocol,transport,port,ethertype,evidence,confidence,frame,"
			"first_ns,last_ns) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[PUT_SPEAKS] = "INSERT OR REPLACE INTO speaks(node,n,protocol,role,evidence,frame,first_ns,last_ns)"
		       " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
	[PUT_SUBASSET] = "INSERT OR REPLACE INTO subasset(node,n,path,source,frame,first_ns,last_ns) VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[PUT_TALK] = "INSERT OR REPLACE INTO talk(node,n,family,peer,protocol,transport,port,first_ns,last_ns,frame,"
		     "visits) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[PUT_GAP] = "INSERT OR REPLACE INTO gap(asset,kind,subject,verdict,print,since_ns) VALUES(?1,?2,?3,?4,?5,?6)",
	[DROP_GAPS] = "DELETE FROM gap WHERE asset=?1",
	[DROP_ASSET] = "DELETE FROM asset WHERE number=?1",
	/* In its place: REPLACE would move the row, and with it the entries of every index. */
	[PUT_STATE] = "INSERT INTO asset_state(id,body,seq,version) VALUES(?1,?2,?3,?4)"
		      " ON CONFLICT(id) DO UPDATE SET body=excluded.body, seq=excluded.seq, version=excluded.version",
};

struct keeper {
	struct store *store;
	uint32_t saves;
	int64_t version; /* of the state that was written last */
	sqlite3_stmt *all[STATEMENTS];
};

static int64_t last_version(struct store *s)
{
	sqlite3_stmt *last = store_prepare(s, "SELECT max(version) FROM asset_state");
	int64_t version = sqlite3_step(last) == SQLITE_ROW ? sqlite3_column_int64(last, 0) : 0;

	sqlite3_finalize(last);
	return version;
}

struct keeper *keep_open(struct store *s)
{
	struct keeper *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->store = s;
	for (int i = 0; i < STATEMENTS; i++)
		k->all[i] = store_prepare(s, statements[i]);
	k->version = last_version(s);
	return k;
}

void keep_close(struct keeper *k)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(k->all[i]);
	free(k);
}

/* Binds values in the order of the call. */
struct binder {
	sqlite3_stmt *statement;
	int at;
};

static void number(struct binder *b, int64_t value)
{
	sqlite3_bind_int64(b->statement, ++b->at, value);
}

static void text(struct binder *b, const char *value)
{
	sqlite3_bind_text(b->statement, ++b->at, value ? value : "", -1, SQLITE_STATIC);
}

static void blob(struct binder *b, const void *value, size_t len)
{
	sqlite3_bind_blob64(b->statement, ++b->at, value, len, SQLITE_STATIC);
}

/* A row of a thing on a node begins with these two. */
static struct binder row_of(struct keeper *k, enum statement s, const struct node *n, unsigned at)
{
	struct binder b = { k->all[s], 0 };

	number(&b, n->number);
	number(&b, at);
	return b;
}

static int save_links(struct keeper *k, const struct node *n)
{
	for (unsigned i = 0; i < n->link_count; i++) {
		const struct link *l = &n->links[i];
		struct binder b = row_of(k, PUT_LINK, n, i);

		number(&b, l->mac->number);
		number(&b, (l->stated ? 2 : 0) | (l->framed ? 1 : 0));
		number(&b, l->first_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

static int save_attributes(struct keeper *k, const struct node *n)
{
	const struct attribute_item *a = n->attributes.items;

	for (unsigned i = 0; i < n->attributes.count; i++) {
		struct binder b;

		if (!a[i].dirty)
			continue;
		b = row_of(k, PUT_ATTRIBUTE, n, i);
		text(&b, a[i].path);
		text(&b, attribute_name((enum attribute)a[i].attribute));
		text(&b, a[i].protocol);
		number(&b, a[i].source);
		number(&b, a[i].confidence);
		text(&b, a[i].value);
		number(&b, (int64_t)a[i].frame);
		number(&b, a[i].heard);
		number(&b, a[i].first_ns);
		number(&b, a[i].last_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

static int save_services(struct keeper *k, const struct node *n)
{
	const struct service_item *s = n->services.items;

	for (unsigned i = 0; i < n->services.count; i++) {
		struct binder b;

		if (!s[i].dirty)
			continue;
		b = row_of(k, PUT_SERVICE, n, i);
		text(&b, s[i].protocol);
		number(&b, s[i].transport);
		number(&b, s[i].port);
		number(&b, s[i].ethertype);
		number(&b, s[i].evidence);
		number(&b, s[i].confidence);
		number(&b, (int64_t)s[i].frame);
		number(&b, s[i].first_ns);
		number(&b, s[i].last_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

static int save_speaks(struct keeper *k, const struct node *n)
{
	const struct speaks_item *s = n->speaks.items;

	for (unsigned i = 0; i < n->speaks.count; i++) {
		struct binder b;

		if (!s[i].dirty)
			continue;
		b = row_of(k, PUT_SPEAKS, n, i);
		text(&b, s[i].protocol);
		number(&b, s[i].role);
		number(&b, s[i].evidence);
		number(&b, (int64_t)s[i].frame);
		number(&b, s[i].first_ns);
		number(&b, s[i].last_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

/* The row is a page more to write, and is left where one of the sub-asset's values, stored with it, tells the same time. */
static bool told_by_values(const struct node *n, const struct subasset_item *s)
{
	return s->dirty == SUBASSET_HEARD && facts_newest(n, s->path) == s->last_ns;
}

static int save_subassets(struct keeper *k, const struct node *n)
{
	const struct subasset_item *s = n->subassets.items;

	for (unsigned i = 0; i < n->subassets.count; i++) {
		struct binder b;

		if (!s[i].dirty || told_by_values(n, &s[i]))
			continue;
		b = row_of(k, PUT_SUBASSET, n, i);
		text(&b, s[i].path);
		number(&b, s[i].source);
		number(&b, (int64_t)s[i].frame);
		number(&b, s[i].first_ns);
		number(&b, s[i].last_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

static int save_talks(struct keeper *k, const struct node *n)
{
	const struct talk_item *t = n->talks.items;

	for (unsigned i = 0; i < n->talks.count; i++) {
		struct binder b;

		if (!t[i].dirty)
			continue;
		b = row_of(k, PUT_TALK, n, i);
		number(&b, t[i].family);
		blob(&b, t[i].peer, address_bytes(t[i].family));
		text(&b, t[i].protocol);
		number(&b, t[i].transport);
		number(&b, t[i].port);
		number(&b, t[i].first_ns);
		number(&b, t[i].last_ns);
		number(&b, (int64_t)t[i].frame);
		number(&b, t[i].visits);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

/* Of all that the node's row and its links say, but for the times that stay and when it was heard last. */
static uint64_t print_of(const struct node *n)
{
	uint32_t words[3 + 2 * NODE_LINKS] = { n->asset->number, n->lost, n->flags };

	for (unsigned i = 0; i < n->link_count; i++) {
		words[3 + 2 * i] = n->links[i].mac->number;
		words[4 + 2 * i] = (n->links[i].stated ? 2 : 0) | (n->links[i].framed ? 1 : 0);
	}
	return hash_stable(words, sizeof words);
}

#define NEWEST(row, type) \
	for (unsigned i_ = 0; i_ < (row)->count; i_++) \
		if (((const struct type *)(row)->items)[i_].last_ns > newest) \
			newest = ((const struct type *)(row)->items)[i_].last_ns

/* When anything on it was heard last. */
static int64_t newest_on(const struct node *n)
{
	int64_t newest = INT64_MIN;

	NEWEST(&n->attributes, attribute_item);
	NEWEST(&n->services, service_item);
	NEWEST(&n->speaks, speaks_item);
	NEWEST(&n->subassets, subasset_item);
	NEWEST(&n->talks, talk_item);
	return newest;
}

static int save_row(struct keeper *k, const struct node *n)
{
	struct binder b = { k->all[PUT_NODE], 0 };

	number(&b, n->number);
	number(&b, n->vlan[0]);
	number(&b, n->vlan[1]);
	number(&b, n->family);
	blob(&b, n->address, address_bytes(n->family));
	number(&b, n->asset->number);
	number(&b, n->flags);
	number(&b, n->first_ns);
	number(&b, n->last_ns);
	number(&b, (int64_t)n->frame);
	number(&b, n->lost);
	number(&b, n->heard_s);
	return store_run(k->store, b.statement) < 0 ? -1 : save_links(k, n);
}

/*
 * The row is a page more to write. Where the newest thing on the node tells its time, and nothing else is new, it is left: a hub that
 * starts with it may then take somebody for heard earlier than he was, never later, and hears him again soon.
 */
static int save_node(struct keeper *k, const struct node *n)
{
	if ((print_of(n) != n->stored || newest_on(n) != n->last_ns) && save_row(k, n) < 0)
		return -1;
	if (save_attributes(k, n) < 0 || save_services(k, n) < 0 || save_speaks(k, n) < 0)
		return -1;
	return save_subassets(k, n) < 0 || save_talks(k, n) < 0 ? -1 : 0;
}

static int save_gaps(struct keeper *k, const struct asset *a)
{
	struct binder drop = { k->all[DROP_GAPS], 0 };

	number(&drop, a->number);
	if (store_run(k->store, drop.statement) < 0)
		return -1;
	for (size_t i = 0; a->gaps && i < a->gaps->count; i++) {
		const struct gap_told *g = &a->gaps->items[i];
		struct binder b = { k->all[PUT_GAP], 0 };

		number(&b, a->number);
		text(&b, gap_kind_name((enum gap_kind)g->kind));
		text(&b, g->subject);
		number(&b, g->verdict);
		number(&b, (int64_t)g->print);
		number(&b, g->since_ns);
		if (store_run(k->store, b.statement) < 0)
			return -1;
	}
	return 0;
}

static int save_asset(struct keeper *k, const struct asset *a)
{
	struct binder b = { k->all[PUT_ASSET], 0 };

	number(&b, a->number);
	text(&b, a->id);
	number(&b, a->founder->number);
	number(&b, a->first_ns);
	text(&b, a->class);
	text(&b, a->maker);
	return store_run(k->store, b.statement) < 0 ? -1 : save_gaps(k, a);
}

int keep_save(struct keeper *k, const struct picture *p)
{
	k->saves++;
	for (size_t i = 0; i < p->changed_count; i++) {
		const struct node *n = p->changed_nodes[i];

		if (save_node(k, n) < 0)
			return -1;
		/* Once for each asset, though the flag is only taken away after the commit. */
		if (!n->asset->unsaved || n->asset->saved_in == k->saves)
			continue;
		n->asset->saved_in = k->saves;
		if (save_asset(k, n->asset) < 0)
			return -1;
	}
	return 0;
}

#define MARK(row, type, mark) \
	for (unsigned i_ = 0; i_ < (row)->count; i_++) \
		((struct type *)(row)->items)[i_].dirty = (mark)

static void mark_things(struct node *n, uint8_t mark)
{
	MARK(&n->attributes, attribute_item, mark);
	MARK(&n->services, service_item, mark);
	MARK(&n->speaks, speaks_item, mark);
	MARK(&n->subassets, subasset_item, mark);
	MARK(&n->talks, talk_item, mark);
}

void keep_saved(struct picture *p)
{
	for (size_t i = 0; i < p->changed_count; i++) {
		struct node *n = p->changed_nodes[i];

		n->stored = print_of(n);
		mark_things(n, 0);
		n->dirty = (uint8_t)(n->dirty & ~NODE_CHANGED);
		n->asset->unsaved = false;
	}
	p->changed_count = 0;
}

void keep_unsaved(struct picture *p, struct node **nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		nodes[i]->stored = 0;
		mark_things(nodes[i], SUBASSET_CHANGED);
		nodes[i]->asset->unsaved = true;
		picture_change(p, nodes[i]);
	}
}

int keep_state(struct keeper *k, const char *asset, const char *body, size_t len, int64_t seq)
{
	struct binder b = { k->all[PUT_STATE], 0 };

	text(&b, asset);
	if (body)
		sqlite3_bind_text64(b.statement, ++b.at, body, len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(b.statement, ++b.at);
	number(&b, seq);
	/* Numbers of a transaction that is taken back are left out: they only have to rise. */
	number(&b, ++k->version);
	return store_run(k->store, b.statement);
}

int keep_forget(struct keeper *k, uint32_t asset)
{
	struct binder gaps = { k->all[DROP_GAPS], 0 }, row = { k->all[DROP_ASSET], 0 };

	number(&gaps, asset);
	number(&row, asset);
	return store_run(k->store, gaps.statement) < 0 ? -1 : store_run(k->store, row.statement);
}
