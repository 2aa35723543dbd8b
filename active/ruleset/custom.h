/*
 * Rules from a foreign file: a named probe of a file in nmap's service-probe format becomes a rule of class
 * custom.
 *
 * DIR/policy/custom.yaml names file, probe, ports and what must have been seen, and binds the probe's bytes
 * by their SHA-256, so that an update of the foreign file changes nothing in silence. What such bytes do is
 * on no compiled list, hence:
 *
 *   - where must_have_seen names protocols that the guard knows over that transport, the guard of one of them
 *     must read the bytes as a mere question; so must one of the guards of the protocols that the other rules
 *     ask at one of its ports, when must_have_seen names none that the guard knows;
 *   - for all other ports the bytes are bound by the hash alone;
 *   - it is asked at the ports its entry names and at no other; the whitelist must name rule and port exactly,
 *     patterns do not count; two analysts sign, and nothing makes it automatic;
 *   - one message, one reply, no values filled in. Printing ports are refused as everywhere.
 *
 * Inside active/ruleset only, but for rule_guard() of ruleset.h.
 */
#ifndef ACTIVE_RULESET_CUSTOM_H
#define ACTIVE_RULESET_CUSTOM_H

#include "active/ruleset/yaml_line.h"

enum { CUSTOM_RULES = 64, CUSTOM_REPLY_BYTES = 8192, CUSTOM_IDLE_MS = 1000, CUSTOM_TIMEOUT_MS = 5000 };

struct custom_entry {
	char *name;
	char *file;
	char *probe;
	enum transport transport;
	uint16_t *ports;
	uint32_t ports_count;
	char **must_have_seen;
	uint32_t must_have_seen_count;
	char **fills;
	uint32_t fills_count;
	char *sha256;
	char *why;
};

struct custom_file {
	struct custom_entry *custom;
	uint32_t custom_count;
};

extern const cyaml_schema_value_t custom_schema;

/*
 * Builds the rule of an entry; `set` holds the rules of DIR/probes. The rule borrows the entry's texts. NULL,
 * and told, when anything is wrong. Steps are freed with the rule.
 */
struct rule *custom_build(const struct yaml_file *file, const struct custom_entry *entry, size_t i, const char *dir,
			  const struct ruleset *set, struct mistakes *m);

#endif
