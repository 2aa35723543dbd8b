/* hiredis asks its functions for the memory of each part of a reply; these ask for the price first. */
#include "sensor/redis/redis_bound.h"

#include <hiredis/hiredis.h>
#include <string.h>

enum {
	PART_BYTES = 64 + sizeof(void *), /* of one reply within another, with what malloc adds */
	LINE_MOST = 64 << 10,             /* bytes: words, errors and lengths; texts have their length before them */
};

#if HIREDIS_MAJOR >= 1
typedef size_t part_count;
#else
typedef int part_count;
#endif

static redisReplyObjectFunctions plain, bounded;

static bool pay(const redisReadTask *task, size_t bytes)
{
	struct redis_bound *b = task->privdata;

	if (!task->parent)
		b->left = b->most;
	if (bytes > b->left) {
		b->over = true;
		b->left = 0;
		return false;
	}
	b->left -= bytes;
	return true;
}

/* All its parts are paid for here, so that numbers among them need not ask. */
static void *make_array(const redisReadTask *task, part_count parts)
{
	size_t most = ((const struct redis_bound *)task->privdata)->most;

	return pay(task, (size_t)parts > most / PART_BYTES ? most + 1 : (size_t)parts * PART_BYTES) ? plain.createArray(task, parts) : NULL;
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
	return pay(task, len) ? plain.createString(task, text, len) : NULL;
}

void redis_bound_set(redisReader *r, struct redis_bound *b, size_t most)
{
	if (!plain.createArray) {
		plain = bounded = *r->fn;
		bounded.createArray = make_array;
		bounded.createString = make_string;
	}
	*b = (struct redis_bound){ .most = most, .left = most };
	r->fn = &bounded;
	r->privdata = b;
}

/* What waits to be understood begins with a line; with each read hiredis looks for its end from there on. */
static bool has_endless_line(const redisReader *r)
{
	return r->len - r->pos > LINE_MOST && !memmem(r->buf + r->pos, LINE_MOST, "\r\n", 2);
}

bool redis_bound_holds(const redisReader *r)
{
	struct redis_bound *b = r->privdata;

	if (b && (r->len - r->pos > b->most || has_endless_line(r)))
		b->over = true;
	return !b || !b->over;
}
