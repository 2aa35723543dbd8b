/* Devices that spoke in cycles and fell silent, also when nobody asks anything of them. */
#include "sensor/hub/change.h"
#include "sensor/hub/watch_parts.h"

#include "sensor/hub/address.h"

enum { LOOKS = WATCH_TARGETS / 16 }; /* a call; a round takes less than two seconds */

static const int64_t QUIET_NS = 30LL * 1000000000; /* and at least ten of its gaps */

static int64_t limit_ns(const struct watch_pair *x)
{
	int64_t gaps_ns = (int64_t)(x->usual_us * 10000);

	return gaps_ns > QUIET_NS ? gaps_ns : QUIET_NS;
}

static bool silent(const struct watch_pair *x, int64_t now_ns)
{
	return x->heard_ns && now_ns - x->told_ns > limit_ns(x) / 2 && now_ns - x->heard_ns > limit_ns(x);
}

/* Another of its clients may still hear it. */
static bool silent_to_all(struct watch *w, const struct asset *a, int64_t now_ns)
{
	uint32_t at = 0;

	for (const struct watch_pair *x; (x = watch_next_pair(w, a, &at));)
		if (!silent(x, now_ns))
			return false;
	return true;
}

static void tell(struct watch *w, struct asset *a, const struct watch_pair *x, int64_t now_ns)
{
	char client[ADDRESS_TEXT_BYTES];
	struct changes_quiet q = {
		.protocol = x->protocol, .client = client, .frame = x->frame, .last_ns = x->heard_ns, .now_ns = now_ns,
		.usual_us = (int64_t)x->usual_us, .port = x->key.port, .transport = x->key.transport,
	};

	address_text(client, x->key.client_family, x->key.client);
	changes_quiet(w->batch, a, &q);
}

void watch_look_for_quiet(struct watch *w, int64_t now_ns)
{
	const char *why;

	if (watch_blind(w, now_ns, &why))
		return;
	for (unsigned n = 0; n < LOOKS; n++) {
		struct watch_pair *x = &w->pairs[w->quiet_at++ % WATCH_TARGETS];
		struct node *node;

		if (!x->used || x->quiet_told || x->usual_us <= 0 || !silent(x, now_ns))
			continue;
		x->quiet_told = true;
		node = picture_find(w->picture, x->key.vlan, x->key.server_family, x->key.server);
		if (node && silent_to_all(w, node->asset, now_ns))
			tell(w, node->asset, x, now_ns);
	}
}
