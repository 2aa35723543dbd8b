/*
 * The hub on what a taken-over engine may say: findings that pass the check, in any order, of anybody. The picture
 * stays whole, and every document that it makes is JSON.
 *
 * Input: messages {1 byte, length:2 bytes, fields of a finding}; the first byte chooses among a few devices, so that
 * findings meet.
 */
#include "classifiers/api/cursor.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/hub.h"
#include "sensor/hub/knowledge.h"
#include "sensor/hub/picture.h"
#include "tests/fuzz/messages.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ASSETS = 1000, DEVICES = 8 };

static struct knowledge knowledge;

MUTATE_MESSAGES(0)

static struct endpoint somebody(struct cursor *c)
{
	uint8_t who = cursor_u8(c), other = cursor_u8(c);
	struct endpoint e = { .mac = { 0, 0x1b, 0x1b, 0, 0, (uint8_t)(who % DEVICES) }, .binding = (uint8_t)(who / DEVICES % BINDINGS),
	                      .family = (uint8_t[]){ 4, 6, 0, 4 }[who >> 6], .ip = { 10, 0, 0, (uint8_t)(other % DEVICES) } };

	if (other & 0x80)
		memset(e.mac, 0, sizeof e.mac);
	return e;
}

static void copy_rest(char *to, size_t room, struct cursor *c, size_t most)
{
	size_t n = cursor_left(c) < most ? cursor_left(c) : most;
	struct cursor text = cursor_take(c, n < room - 1 ? n : room - 1);

	memcpy(to, text.at, cursor_left(&text));
}

static struct finding read_finding(struct cursor *c)
{
	struct finding f = { .kind = cursor_u8(c) };

	f.attribute = cursor_u8(c) % ATTRIBUTES;
	f.transport = cursor_u8(c) % TRANSPORTS;
	f.evidence = cursor_u8(c) % EVIDENCES;
	f.role = cursor_u8(c) % ROLES;
	f.source = cursor_u8(c) & 1;
	f.confidence = cursor_u8(c) % 101;
	f.activity = f.kind == FINDING_ACTIVITY ? cursor_u8(c) : 0;
	f.port = cursor_u16be(c);
	f.vlan[0] = cursor_u8(c) & 3;
	f.ethertype = cursor_u16be(c);
	f.frame = cursor_u32be(c);
	f.time_ns = (int64_t)((uint64_t)cursor_u32be(c) << 32 | cursor_u32be(c));
	f.subject = somebody(c);
	f.peer = somebody(c);
	copy_rest(f.protocol, sizeof f.protocol, c, cursor_u8(c) % 24);
	copy_rest(f.path, sizeof f.path, c, cursor_u8(c));
	copy_rest(f.value, sizeof f.value, c, SIZE_MAX);
	return f;
}

static void check_document(struct desk *d, const struct asset *a, struct json *line)
{
	struct subject s = desk_take(d, a);
	json_t *parsed;

	document_asset(&d->document, &s, ASSET_OBSERVED, NULL, d->view.last_ns, true);
	document_number(&d->document, "fuzz", 0, 1, line);
	parsed = json_loadb(line->text, line->len, JSON_REJECT_DUPLICATES, NULL);
	if (!parsed)
		abort();
	for (size_t i = 0; i < line->len; i++)
		if ((unsigned char)line->text[i] < 0x20 || line->text[i] == 0x7f)
			abort();
	json_decref(parsed);
}

static void start(void)
{
	struct hub_config config = { .version = CONFIG_VERSION, .rules_dir = SOURCE_DIR "/rules" };

	hash_start();
	knowledge_load_to_read(&knowledge, &config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct cursor c = cursor_over(data, size);
	struct picture p;
	struct desk desk = { .knowledge = &knowledge, .picture = &p };
	struct json line = { .text = NULL };

	if (!started)
		start();
	started = true;
	picture_start(&p, "fuzz", "hall", ASSETS);
	p.telling = true;
	while (cursor_left(&c) >= 3) {
		uint16_t len = (cursor_u8(&c), cursor_u16be(&c));
		struct cursor bytes = cursor_take(&c, len < cursor_left(&c) ? len : cursor_left(&c));
		struct report r = { .type = REPORT_FINDING, .finding = read_finding(&bytes) };

		if (report_valid(&r))
			picture_hear(&p, &r.finding, SENT_FROM_BOTH);
	}
	for (size_t i = 0; i < p.id_room; i++)
		if (p.ids[i] && p.ids[i]->nodes)
			check_document(&desk, p.ids[i], &line);
	json_free(&line);
	desk_free(&desk);
	picture_end(&p);
	return 0;
}
