/* Builds rules of class custom from named probes of foreign files, and says the guard's word on a rule's message. */
#include "active/ruleset/custom.h"

#include "active/guard/guard.h"
#include "active/ruleset/build.h"
#include "classifiers/probes/service_probes.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, SENTENCE_BYTES = 400, SHOWN_BYTES = 48, TCP_PACKETS = 6, TCP_LISTEN_PACKETS = 5 };

static const char prefix[] = "custom-";

struct entry_at {
	const struct yaml_file *file;
	const struct custom_entry *entry;
	size_t i;
	const char *dir;
	struct mistakes *m;
};

static void wrong_entry(const struct entry_at *e, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void wrong_entry(const struct entry_at *e, const char *key, const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	mistake_at(e->m, yaml_file_path(e->file), yaml_file_line(e->file, "custom[%zu].%s", e->i, key), "rule '%s': %s",
		   e->entry->name, sentence);
}

static void build_head(const struct entry_at *e, struct rule *rule)
{
	const struct custom_entry *entry = e->entry;

	if (strncmp(entry->name, prefix, strlen(prefix)) != 0 || !is_word(entry->name, "-_"))
		wrong_entry(e, "name", "its name begins with '%s' and is made of a-z, 0-9, '_' and '-'", prefix);
	for (uint32_t n = 0; n < entry->ports_count; n++) {
		if (entry->ports[n] == 0)
			wrong_entry(e, "ports", "0 is no port");
		if (guard_port_prints(entry->ports[n]))
			wrong_entry(e, "ports", "port %u prints whatever it gets; nothing may be sent to it", entry->ports[n]);
		rule->ports[rule->ports_count++] = entry->ports[n];
	}
	for (uint32_t n = 0; n < entry->must_have_seen_count; n++) {
		if (!is_word(entry->must_have_seen[n], "_"))
			wrong_entry(e, "must_have_seen", "'%s' is no protocol's name", entry->must_have_seen[n]);
		rule->seen[rule->seen_count++] = entry->must_have_seen[n];
	}
	for (uint32_t n = 0; n < entry->fills_count; n++) {
		enum attribute a = attribute_of_name(entry->fills[n]);

		if (a == ATTR_NONE || rule_fills(rule, a))
			wrong_entry(e, "fills", "'%s' is no attribute, or stands twice", entry->fills[n]);
		else
			rule->fills[rule->fills_count++] = (uint8_t)a;
	}
}

/* The hash is shown with the bytes, so that whoever writes it into the entry has seen what it stands for. */
static bool bind_bytes(const struct entry_at *e, struct rule *rule, const uint8_t *bytes, size_t len)
{
	char text[2 * sizeof(rule->custom_sha256) + 1], hex[2 * SHOWN_BYTES + 1] = "";

	crypto_hash_sha256(rule->custom_sha256, bytes, len);
	sodium_bin2hex(text, sizeof(text), rule->custom_sha256, sizeof(rule->custom_sha256));
	if (strcmp(text, e->entry->sha256) == 0)
		return true;
	sodium_bin2hex(hex, sizeof(hex), bytes, len < SHOWN_BYTES ? len : SHOWN_BYTES);
	wrong_entry(e, "sha256", "the probe is other bytes than those that the entry binds: %s%s, %zu bytes, hash %s", hex,
		    len > SHOWN_BYTES ? "..." : "", len, text);
	return false;
}

/* One message as it stands, or none to listen; a reply that ends by silence, the device's closing or as one datagram. */
static bool build_step(const struct entry_at *e, struct rule *rule, struct step *s, const struct service_probe *probe)
{
	bool tcp = rule->transport == TRANSPORT_TCP;

	*s = (struct step){ .name = "probe", .line = rule->line, .rounds = 1, .over = WHOLE_MESSAGE };
	s->says = probe->payload_len ? "the foreign probe's bytes" : "waits for what the service says";
	s->listens = probe->payload_len == 0;
	s->reply = (struct reply){ .ends = tcp ? REPLY_IDLE : REPLY_DATAGRAM, .idle_ms = tcp ? CUSTOM_IDLE_MS : 0,
				   .at_most = CUSTOM_REPLY_BYTES };
	if (s->listens && !tcp) {
		wrong_entry(e, "probe", "the probe has no bytes, and over UDP nothing is heard without a question");
		return false;
	}
	if (probe->payload_len > sizeof(s->send.bytes)) {
		wrong_entry(e, "probe", "the probe has %u bytes; %zu are the most", probe->payload_len, sizeof(s->send.bytes));
		return false;
	}
	if (!s->listens) {
		s->send.count = 1;
		s->send.bytes_used = (uint16_t)probe->payload_len;
		s->send.parts[0] = (struct part){ .kind = PART_BYTES, .hole = WHOLE_MESSAGE, .len = (uint16_t)probe->payload_len };
		memcpy(s->send.bytes, probe->payload, probe->payload_len);
	}
	rule->max_bytes = probe->payload_len;
	rule->max_packets = !tcp ? 1 : s->listens ? TCP_LISTEN_PACKETS : TCP_PACKETS;
	rule->timeout_ms = probe->total_wait_ms < CUSTOM_TIMEOUT_MS ? probe->total_wait_ms : CUSTOM_TIMEOUT_MS;
	return true;
}

struct reading {
	const struct entry_at *e;
	unsigned int left_out;
};

/* Lines of a foreign file that are not understood are its reader's affair; the probe that is named must be whole. */
static void leave_line(void *context, const char *path, uint32_t line, const char *sentence)
{
	struct reading *r = context;

	(void)path;
	r->left_out++;
	if (line == 0)
		wrong_entry(r->e, "file", "%s: %s", r->e->entry->file, sentence);
}

static struct service_probes *read_file(const struct entry_at *e, unsigned int *left_out)
{
	struct reading r = { e, 0 };
	char path[PATH_BYTES];
	unsigned int before = e->m->count;
	struct service_probes *probes;

	snprintf(path, sizeof(path), "%s%s%s", e->entry->file[0] == '/' ? "" : e->dir, e->entry->file[0] == '/' ? "" : "/",
		 e->entry->file);
	probes = service_probes_load(path, leave_line, &r);
	if (!probes && e->m->count == before)
		wrong_entry(e, "file", "%s holds no probe that could be read", path);
	*left_out = r.left_out;
	return probes;
}

static bool build_probe(const struct entry_at *e, struct rule *rule, struct step *step)
{
	unsigned int left_out = 0;
	struct service_probes *probes = read_file(e, &left_out);
	const struct service_probe *probe;
	bool built = false;

	if (!probes)
		return false;
	probe = service_probes_find(probes, (enum transport)rule->transport, e->entry->probe);
	if (!probe)
		wrong_entry(e, "probe", "%s has no probe of that name over %s (%u of its lines were not understood)",
			    e->entry->file, transport_name((enum transport)rule->transport), left_out);
	else
		built = bind_bytes(e, rule, probe->payload, probe->payload_len) && build_step(e, rule, step, probe);
	service_probes_free(probes);
	return built;
}

/* Protocols whose guards the bytes must please; see custom.h. The NULL probe's guard stands for no protocol. */
static void find_guards(const struct ruleset *set, struct rule *rule)
{
	for (size_t n = 0; n < rule->seen_count; n++)
		if (guard_knows(rule->seen[n], (enum transport)rule->transport) && strcmp(rule->seen[n], "null") != 0)
			rule->guards[rule->guards_count++] = rule->seen[n];
	if (rule->guards_count)
		return;
	for (size_t i = 0; i < ruleset_count(set); i++) {
		const struct rule *other = ruleset_at(set, i);
		bool same = false, known = false;

		if (other->risk == RISK_CUSTOM || other->transport != rule->transport || strcmp(other->protocol, "null") == 0)
			continue;
		for (size_t n = 0; n < other->ports_count; n++)
			for (size_t k = 0; k < rule->ports_count; k++)
				same |= other->ports[n] == rule->ports[k];
		for (size_t n = 0; n < rule->guards_count; n++)
			known |= strcmp(rule->guards[n], other->protocol) == 0;
		if (same && !known && rule->guards_count < RULE_GUARDS)
			rule->guards[rule->guards_count++] = other->protocol;
	}
}

struct guard_answer rule_guard(const struct rule *rule, const uint8_t *bytes, size_t len)
{
	struct guard_answer answer = { .allowed = false };
	uint8_t hash[crypto_hash_sha256_BYTES];

	if (rule->risk != RISK_CUSTOM)
		return guard_allows(rule->protocol, (enum transport)rule->transport, bytes, len);
	crypto_hash_sha256(hash, bytes, len);
	if (len == 0 || memcmp(hash, rule->custom_sha256, sizeof(hash)) != 0) {
		snprintf(answer.why, sizeof(answer.why), "the bytes are not those that custom.yaml binds");
		return answer;
	}
	for (size_t n = 0; n < rule->guards_count; n++) {
		answer = guard_allows(rule->guards[n], (enum transport)rule->transport, bytes, len);
		if (answer.allowed)
			return answer;
	}
	if (rule->guards_count)
		return answer;
	answer.allowed = true;
	snprintf(answer.reading, sizeof(answer.reading), "foreign bytes, bound by their hash; no compiled list knows them");
	return answer;
}

static bool check_bytes(const struct entry_at *e, const struct rule *rule, const struct step *s)
{
	struct guard_answer answer = { .allowed = true };

	if (!s->listens)
		answer = rule_guard(rule, s->send.bytes, s->send.bytes_used);
	if (!answer.allowed)
		wrong_entry(e, "probe", "the guard of %s%s refuses its bytes: %s", rule->guards[rule->guards_count - 1],
			    rule->guards_count > 1 ? ", last of those asked at its ports," : "", answer.why);
	return answer.allowed;
}

struct rule *custom_build(const struct yaml_file *file, const struct custom_entry *entry, size_t i, const char *dir,
			  const struct ruleset *set, struct mistakes *m)
{
	const struct entry_at e = { file, entry, i, dir, m };
	struct rule *rule = calloc(1, sizeof(*rule));
	struct step *step = calloc(1, sizeof(*step));
	unsigned int before = m->count;

	if (!rule || !step) {
		wrong_entry(&e, "name", "no memory");
		free(rule);
		free(step);
		return NULL;
	}
	trim_end(entry->why);
	*rule = (struct rule){ .name = entry->name, .protocol = "custom", .file = yaml_file_path(file), .why = entry->why,
			       .notes = "Bytes of a foreign file: what they do to this device is nobody's word but the entry's.",
			       .line = yaml_file_line(file, "custom[%zu]", i), .transport = (uint8_t)entry->transport,
			       .risk = RISK_CUSTOM, .steps_count = 1, .steps = step };
	build_head(&e, rule);
	if (build_probe(&e, rule, step)) {
		find_guards(set, rule);
		check_bytes(&e, rule, step);
	}
	if (m->count == before)
		return rule;
	free(step);
	free(rule);
	return NULL;
}
