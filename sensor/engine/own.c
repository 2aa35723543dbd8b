/*
 * What the sensor itself does to the plant. The prober hands over what it sent and got as frames, in a
 * ring of its own; they go the way of all frames, and what is read from them says that it was asked
 * for. The same conversation as the SPAN port shows it is passed over: else it would be told twice,
 * once as if somebody of the plant had asked.
 */
#include "sensor/engine/engine.h"
#include "sensor/engine/note.h"

#include <string.h>

static bool same_mac(const struct endpoint *own, const uint8_t *mac)
{
	static const uint8_t none[6];

	return memcmp(own->mac, mac, sizeof none) == 0 && memcmp(own->mac, none, sizeof none) != 0;
}

static bool same_ip(const struct endpoint *own, uint8_t family, const uint8_t *ip)
{
	return own->family && own->family == family && memcmp(own->ip, ip, family == 6 ? 16 : 4) == 0;
}

bool own_packet(const struct engine *e, const struct packet *p)
{
	const struct endpoint *own = &e->config.own;

	if (!own->family)
		return false;
	if (p->kind != PACKET_ETHERNET)
		return same_ip(own, p->key.family, p->key.low) || same_ip(own, p->key.family, p->key.high) ||
		       (p->ethernet && same_mac(own, p->ethernet + 6));
	return p->ethernet && (same_mac(own, p->ethernet) || same_mac(own, p->ethernet + 6));
}

bool own_endpoint(const struct endpoint *own, const struct endpoint *who)
{
	return own->family && (same_mac(own, who->mac) || same_ip(own, who->family, who->ip));
}

enum ring_result own_drain(struct engine *e)
{
	struct frame frames[ENGINE_BATCH];
	enum ring_result result = RING_OK;
	unsigned count = 0, most = note_batch_most(e, e->probe_frames);

	while (count < most && (result = run_next_frame(&e->probes, &frames[count])) == RING_OK) {
		frames[count].number = ++e->probe_frames;
		count++;
	}
	if (count) {
		note_batch(e, count | NOTE_PROBES);
		engine_probe_frames(e, frames, count);
		note_batch(e, 0);
		teller_flush(&e->teller);
	}
	ring_release(&e->probes);
	return result;
}
