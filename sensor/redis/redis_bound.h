/*
 * Replies of bounded size: who owns a Redis, or stands in its place, must not make us reserve what it only announces,
 * nor hold what it sends without end.
 */
#ifndef SENSOR_REDIS_REDIS_BOUND_H
#define SENSOR_REDIS_REDIS_BOUND_H

#include <hiredis/read.h>
#include <stdbool.h>
#include <stddef.h>

enum { REDIS_REPLY_MOST = 128 << 20 }; /* bytes: a list of more devices than the console shows has a third of it */

struct redis_bound {
	size_t most; /* bytes of memory that one reply may take */
	size_t left; /* of the reply that is being read */
	bool over;   /* one wanted more: its reader fails as if there were no memory */
};

/* From now on replies of `r` are bound by `b`, which must live as long as it does. */
void redis_bound_set(redisReader *r, struct redis_bound *b, size_t most);

/*
 * False, and `over`, when more waits to be understood than a reply may have, or a line that does not end: the connection is
 * to be given up. To be asked when the reader has no reply yet.
 */
bool redis_bound_holds(const redisReader *r);

#endif
