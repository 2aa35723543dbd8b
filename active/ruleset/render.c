/* Fills a template's holes and computes its lengths and checksums: the bytes as they would be sent. */
#include "active/guard/crc.h"
#include "active/ruleset/script.h"

#include <string.h>

static const struct {
	const char *name;
	uint8_t width;
	bool little;
} types[VALUE_TYPES] = {
	[VALUE_U8] = { "u8", 1, false },       [VALUE_U16BE] = { "u16be", 2, false }, [VALUE_U16LE] = { "u16le", 2, true },
	[VALUE_U24BE] = { "u24be", 3, false }, [VALUE_U32BE] = { "u32be", 4, false }, [VALUE_U32LE] = { "u32le", 4, true },
	[VALUE_U48BE] = { "u48be", 6, false }, [VALUE_U64LE] = { "u64le", 8, true },
	[VALUE_BYTES] = { "bytes", 0, false }, [VALUE_TEXT] = { "text", 0, false },
};

static const struct {
	const char *name;
	uint8_t width;
} checksums[CHECKSUMS] = {
	[CHECKSUM_CRC_DNP3] = { "crc-dnp3", 2 },
	[CHECKSUM_SUM8] = { "sum8", 1 },
	[CHECKSUM_XOR8] = { "xor8", 1 },
	[CHECKSUM_CRC_CCITT] = { "crc-ccitt", 2 },
};

static const char *const sources[HOLE_SOURCES] = {
	[HOLE_FRESH] = "fresh", [HOLE_COUNTER] = "counter", [HOLE_CLOCK] = "clock", [HOLE_TARGET] = "target",
	[HOLE_SEEN] = "seen",   [HOLE_ORDER] = "order",     [HOLE_LIST] = "list",   [HOLE_REPLY] = "reply",
	[HOLE_OWN] = "own",
};

unsigned int value_width(enum value_type t)
{
	return types[t].width;
}

const char *value_type_name(enum value_type t)
{
	return t < VALUE_TYPES ? types[t].name : "unknown";
}

const char *checksum_name(enum checksum c)
{
	return c < CHECKSUMS ? checksums[c].name : "unknown";
}

unsigned int checksum_width(enum checksum c)
{
	return checksums[c].width;
}

const char *hole_source_name(enum hole_source s)
{
	return s < HOLE_SOURCES ? sources[s] : "unknown";
}

struct writing {
	const struct template *t;
	const struct hole *holes;
	const struct filling *fillings;
	uint8_t *out;
	size_t len;
	size_t unchecked; /* first byte that the next checksum covers */
};

static bool put_bytes(struct writing *w, const void *bytes, size_t n)
{
	if (n > RULE_MESSAGE_BYTES - w->len)
		return false;
	memcpy(w->out + w->len, bytes, n);
	w->len += n;
	return true;
}

static void set_number(uint8_t *to, enum value_type type, uint64_t value)
{
	for (unsigned int i = 0; i < types[type].width; i++) {
		unsigned int shift = types[type].little ? 8 * i : 8 * (types[type].width - 1 - i);

		to[i] = (uint8_t)(value >> shift);
	}
}

/* Text is printable ASCII, so that no filling can end a line or begin another header. */
static bool fits_text(const struct hole *h, const struct filling *f)
{
	if (f->len < h->low || f->len > h->high || f->len > RULE_TEXT_BYTES)
		return false;
	for (size_t i = 0; i < f->len; i++)
		if (f->bytes[i] < 0x20 || f->bytes[i] > 0x7e)
			return false;
	return text_encode((enum text_form)h->form, f->bytes, f->len, NULL, NULL);
}

static bool fits_hole(const struct hole *h, const struct filling *f)
{
	if (h->type == VALUE_TEXT)
		return fits_text(h, f);
	if (h->type == VALUE_BYTES)
		return f->len == h->width;
	if (h->source == HOLE_LIST) {
		for (size_t i = 0; i < h->values_count; i++)
			if (h->values[i] == f->number)
				return true;
		return false;
	}
	return (f->number >= h->low && f->number <= h->high) ||
	       (h->source == HOLE_REPLY && h->has_value && f->number == h->value);
}

static bool put_hole(struct writing *w, const struct part *p)
{
	const struct hole *h = &w->holes[p->hole];
	const struct filling *f = &w->fillings[p->hole];
	uint8_t number[8], encoded[RULE_TEXT_BYTES];
	size_t n;

	if (!fits_hole(h, f))
		return false;
	if (h->form != FORM_PLAIN)
		return text_encode((enum text_form)h->form, f->bytes, f->len, encoded, &n) && put_bytes(w, encoded, n);
	if (h->type >= VALUE_BYTES)
		return put_bytes(w, f->bytes, f->len);
	set_number(number, (enum value_type)p->type, f->number);
	return put_bytes(w, number, types[p->type].width);
}

static bool put_checksum(struct writing *w, const struct part *p)
{
	size_t from = p->type == CHECKSUM_CRC_DNP3 ? w->unchecked : p->less;
	const uint8_t *bytes = w->out + from;
	uint8_t sum[2];
	bool put;

	if (from > w->len)
		return false;
	if (p->type == CHECKSUM_CRC_DNP3)
		set_number(sum, VALUE_U16LE, crc_dnp3(bytes, w->len - from));
	else if (p->type == CHECKSUM_CRC_CCITT)
		set_number(sum, VALUE_U16BE, crc_ccitt(bytes, w->len - from));
	else
		sum[0] = p->type == CHECKSUM_SUM8 ? sum8(bytes, w->len - from) : xor8(bytes, w->len - from);
	put = put_bytes(w, sum, checksum_width((enum checksum)p->type));
	w->unchecked = w->len;
	return put;
}

/* Bytes that the text of a filling becomes; 0 when it becomes none, which put_hole() refuses. */
static size_t text_length(enum text_form form, const struct filling *f)
{
	size_t n = 0;

	return text_encode(form, f->bytes, f->len, NULL, &n) ? n : 0;
}

size_t part_length(const struct part *p, const struct filling *fillings)
{
	if (p->kind == PART_HOLE && p->type == VALUE_TEXT)
		return text_length((enum text_form)p->form, &fillings[p->hole]);
	return p->len;
}

static bool put_length(struct writing *w, const struct part *p)
{
	size_t length = 0;
	uint8_t number[8];

	if (p->hole != WHOLE_MESSAGE)
		length = text_length((enum text_form)w->holes[p->hole].form, &w->fillings[p->hole]) + p->more;
	else
		for (size_t i = 0; i < w->t->count; i++)
			length += part_length(&w->t->parts[i], w->fillings);
	if (length < p->less || (types[p->type].width == 1 && length - p->less > UINT8_MAX))
		return false;
	set_number(number, (enum value_type)p->type, length - p->less);
	return put_bytes(w, number, types[p->type].width);
}

static bool put_repeated(struct writing *w, const struct part *p)
{
	for (size_t i = 0; i < p->len; i++)
		if (!put_bytes(w, w->t->bytes + p->at, 1))
			return false;
	return true;
}

static bool put_part(struct writing *w, const struct part *p)
{
	switch ((enum part_kind)p->kind) {
	case PART_BYTES:
		return put_bytes(w, w->t->bytes + p->at, p->len);
	case PART_REPEATED:
		return put_repeated(w, p);
	case PART_HOLE:
		return put_hole(w, p);
	case PART_LENGTH:
		return put_length(w, p);
	case PART_CRC:
		return put_checksum(w, p);
	case PART_ANY:
		break;
	}
	return false;
}

bool rule_render(const struct rule *rule, size_t step, const struct filling fillings[RULE_HOLES],
		 uint8_t out[RULE_MESSAGE_BYTES], size_t *len)
{
	struct writing w = { &rule->steps[step].send, rule->holes, fillings, out, 0, 0 };

	for (size_t i = 0; i < w.t->count; i++)
		if (!put_part(&w, &w.t->parts[i]))
			return false;
	*len = w.len;
	return true;
}

size_t template_longest(const struct template *t, const struct hole *holes)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];

		if (p->kind == PART_HOLE && p->form == FORM_NETID)
			n += NETID_BYTES;
		else if (p->kind == PART_HOLE && p->type == VALUE_TEXT)
			n += holes[p->hole].high; /* a title's bytes are no more than its characters */
		else
			n += p->len;
	}
	return n;
}
