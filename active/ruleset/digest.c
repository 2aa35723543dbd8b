/*
 * The SHA-256 of a rule, over everything that decides what it sends and how it is judged: each field
 * with its length before it, in the order below. Remarks and explanations are left out.
 */
#include "active/ruleset/build.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct digest {
	crypto_hash_sha256_state state;
};

static void feed(struct digest *d, const void *bytes, size_t n)
{
	uint8_t length[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	crypto_hash_sha256_update(&d->state, length, sizeof(length));
	if (n)
		crypto_hash_sha256_update(&d->state, bytes, n);
}

static void feed_text(struct digest *d, const char *text)
{
	feed(d, text ? text : "", text ? strlen(text) : 0);
}

static void feed_number(struct digest *d, uint64_t n)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (56 - 8 * i));
	feed(d, bytes, sizeof(bytes));
}

static void feed_template(struct digest *d, const struct template *t)
{
	feed_number(d, t->count);
	for (size_t i = 0; i < t->count; i++) {
		const struct part *p = &t->parts[i];

		feed_number(d, p->kind);
		feed_number(d, p->type);
		feed_number(d, p->hole);
		feed_number(d, p->at);
		feed_number(d, p->len);
		feed_number(d, p->less);
		feed_number(d, p->form);
		feed_number(d, p->more);
	}
	feed(d, t->bytes, t->bytes_used);
}

static void feed_hole(struct digest *d, const struct hole *h)
{
	feed_text(d, h->name);
	feed_text(d, h->text);
	feed_number(d, h->source);
	feed_number(d, h->type);
	feed_number(d, h->width);
	feed_number(d, h->form);
	feed_number(d, h->has_value);
	feed_number(d, h->low);
	feed_number(d, h->high);
	feed_number(d, h->value);
	feed_number(d, h->values_count);
	for (size_t i = 0; i < h->values_count; i++)
		feed_number(d, h->values[i]);
}

static void feed_reply(struct digest *d, const struct reply *r)
{
	feed_number(d, r->ends);
	feed_number(d, r->little);
	feed_number(d, r->width);
	feed_number(d, r->offset);
	feed_number(d, (uint64_t)(int64_t)r->add);
	feed_number(d, r->idle_ms);
	feed_number(d, r->at_most);
	feed_number(d, r->otherwise);
	feed(d, r->delimiter, r->delimiter_bytes);
	feed_template(d, &r->begins);
}

static void feed_step(struct digest *d, const struct step *s)
{
	feed_text(d, s->name);
	feed_number(d, s->listens);
	feed_number(d, s->has_while);
	feed_number(d, s->while_byte);
	feed_number(d, s->while_offset);
	feed_number(d, s->rounds);
	feed_number(d, s->over);
	feed_number(d, s->pause_ms);
	feed_number(d, s->stop_after_silent);
	feed_number(d, s->carries_count);
	for (size_t i = 0; i < s->carries_count; i++) {
		feed_number(d, s->carries[i].hole);
		feed_number(d, s->carries[i].offset);
	}
	feed_template(d, &s->send);
	feed_reply(d, &s->reply);
}

static void feed_head(struct digest *d, const struct rule *rule)
{
	feed_text(d, "askance rule 1");
	feed_text(d, rule->name);
	feed_text(d, rule->protocol);
	feed_number(d, rule->transport);
	feed_number(d, rule->risk);
	feed_number(d, rule->reply_port);
	feed_number(d, rule->sub_assets);
	feed_number(d, rule->session);
	feed_number(d, rule->max_packets);
	feed_number(d, rule->max_bytes);
	feed_number(d, rule->timeout_ms);
	feed_number(d, rule->ethertype);
	feed(d, rule->destination, sizeof(rule->destination));
	feed_number(d, rule->ports_count);
	for (size_t i = 0; i < rule->ports_count; i++)
		feed_number(d, rule->ports[i]);
	feed_number(d, rule->seen_count);
	for (size_t i = 0; i < rule->seen_count; i++)
		feed_text(d, rule->seen[i]);
	feed(d, rule->fills, rule->fills_count);
}

const char *rule_sha256(const struct rule *rule)
{
	struct digest d;
	uint8_t hash[crypto_hash_sha256_BYTES];
	char *hex = (char *)rule->sha256;

	if (hex[0])
		return hex;
	crypto_hash_sha256_init(&d.state);
	feed_head(&d, rule);
	feed_number(&d, rule->holes_count);
	for (size_t i = 0; i < rule->holes_count; i++)
		feed_hole(&d, &rule->holes[i]);
	feed_number(&d, rule->steps_count);
	for (size_t i = 0; i < rule->steps_count; i++)
		feed_step(&d, &rule->steps[i]);
	crypto_hash_sha256_final(&d.state, hash);
	return sodium_bin2hex(hex, sizeof(rule->sha256), hash, sizeof(hash));
}
