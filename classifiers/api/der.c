/* Object identifiers as people write them. X.690, 8.19. */
#include "classifiers/api/der.h"

#include <stdio.h>

size_t der_oid_text(struct cursor oid, char *to, size_t room)
{
	size_t at = 0;
	uint32_t arc = 0;

	to[0] = 0;
	for (; oid.at < oid.end; oid.at++) {
		int n;

		if (arc > UINT32_MAX >> 7)
			break;
		arc = arc << 7 | (*oid.at & 0x7fu);
		if (*oid.at & 0x80)
			continue;
		if (at == 0)
			n = snprintf(to, room, "%u.%u", arc < 80 ? arc / 40 : 2, arc < 80 ? arc % 40 : arc - 80);
		else
			n = snprintf(to + at, room - at, ".%u", arc);
		if (n < 0 || (size_t)n >= room - at)
			break;
		at += (size_t)n;
		arc = 0;
	}
	if (oid.at < oid.end)
		at = 0;
	to[at] = 0;
	return at;
}
