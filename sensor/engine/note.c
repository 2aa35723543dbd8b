/* Names a service by a number that the next engine makes again: keyless, for nothing is looked up by it. */
#include "sensor/engine/note.h"

/* The server's end as far as it is known, else the end with the lower port: the other changes with each connection. */
static uint64_t name_service(const struct flow *f)
{
	bool low = f->flags & FLOW_SERVER_LOW || (!(f->flags & FLOW_SERVER_HIGH) && f->key.low_port <= f->key.high_port);
	uint64_t end[2], rest = (uint64_t)(low ? f->key.low_port : f->key.high_port) | (uint64_t)f->key.protocol << 16;

	memcpy(end, low ? f->key.low : f->key.high, sizeof end);
	return hash_mix(hash_mix(end[0] ^ 0x9e3779b97f4a7c15, end[1] ^ 0xd6e8feb86659fd93), rest ^ 0xa0761d6478bd642f) | 1;
}

bool note_ndpi(struct engine *e, const struct flow *f)
{
	uint64_t service = name_service(f);

	for (uint32_t i = 0; i < e->config.avoids && i < ENGINE_AVOIDS; i++)
		if (e->config.avoid[i] == service) {
			e->counters.ndpi_avoided++;
			return false;
		}
	ring_count(&e->teller.ring, NOTE_NDPI, service);
	return true;
}
