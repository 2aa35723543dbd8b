/* Reads the items of `outputs:` and refuses words that no event bears: a list of them would stay empty unnoticed. */
#include "sensor/supervisor/output.h"

#include <stdio.h>
#include <string.h>

enum { CAP_DEFAULT = 100000, CAP_MAX = 64 * 1024 * 1024, HOURS_MAX = 87600, BEHIND_MAX = 1000000000 };

/* event.dataset without "askance.", and event.action: as packaging/siem/schemas has them. */
static const char *const event_words[] = {
	"approval", "asset", "attribute", "change", "delivery", "gap", "health", "probe", "proposal", "service", "watch",
	"approval-denied", "approval-refused", "approval-revoked", "approval-signed",
	"asset-changed", "asset-conflict", "asset-merged", "asset-observed", "asset-split", "attribute-learned",
	"address-conflict", "device-quiet", "device-replaced", "device-started", "engineering-activity", "engineering-station-new",
	"firmware-changed", "module-changed", "public-address",
	"consumer-behind", "consumer-caught-up", "events-lost", "events-merged",
	"gap-closed", "gap-open", "probe-ended", "probe-planned", "probe-proposed", "probe-refused",
	"quarantine-released", "sensor-health", "service-observed", "target-degraded",
};

struct item {
	struct output_config list;
	uint32_t channel, stream, keep_hours, behind;
};

static bool is_event_word(const char *word)
{
	for (size_t i = 0; i < sizeof event_words / sizeof *event_words; i++)
		if (strcmp(event_words[i], word) == 0)
			return true;
	return false;
}

static void read_type(struct settings *s, yaml_node_t *node, void *base)
{
	static const char dataset[] = "askance.";
	struct item *item = base;
	char *types = item->list.types;
	const char *word = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
	size_t used = strlen(types);

	if (strncmp(word, dataset, sizeof dataset - 1) == 0)
		word += sizeof dataset - 1;
	if (!is_event_word(word))
		settings_mistake(s, node, "types: '%s' is no type or action of an event", word);
	else if (used + strlen(word) + 2 > sizeof item->list.types)
		settings_mistake(s, node, "types: there are too many");
	else
		snprintf(types + used, sizeof item->list.types - used, "%s%s", used ? " " : "", word);
}

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define AT(field) offsetof(struct item, field)

static const struct setting item_keys[] = {
	{ "list", SETTING_TEXT, AT(list.list), CONFIG_NAME_BYTES, 0, 0, NAME_CHARACTERS, NULL, NULL, NULL },
	{ "types", SETTING_LIST, 0, 0, 0, 0, NULL, NULL, read_type, NULL },
	{ "cap", SETTING_NUMBER, AT(list.cap), 0, 1, CAP_MAX, NULL, NULL, NULL, NULL },
	{ "when_full", SETTING_CHOICE, AT(list.when_full), 0, 0, 0, "drop-new drop-old", NULL, NULL, NULL },
	{ "channel", SETTING_TRUTH, AT(channel), 0, 0, 0, NULL, NULL, NULL, NULL },
	{ "stream", SETTING_TRUTH, AT(stream), 0, 0, 0, NULL, NULL, NULL, NULL },
	{ "keep_hours", SETTING_NUMBER, AT(keep_hours), 0, 0, HOURS_MAX, NULL, NULL, NULL, NULL },
	{ "behind", SETTING_NUMBER, AT(behind), 0, 1, BEHIND_MAX, NULL, NULL, NULL, NULL },
	{ NULL, SETTING_TEXT, 0, 0, 0, 0, NULL, NULL, NULL, NULL },
};

static void add_list(struct settings *s, yaml_node_t *node, struct configuration *c, const struct output_config *list)
{
	yaml_node_t *types = settings_find(s, node, "types");

	if (types && !list->types[0])
		settings_mistake(s, types, "types: is empty; leave it out for all");
	for (unsigned i = 0; i < c->outputs; i++)
		if (strcmp(c->output[i].list, list->list) == 0)
			settings_mistake(s, node, "outputs: the list '%s' stands here a second time", list->list);
	if (c->outputs == CONFIG_OUTPUTS)
		settings_mistake(s, node, "outputs: there are more than %d lists", CONFIG_OUTPUTS);
	else
		c->output[c->outputs++] = *list;
}

/* How long the stream keeps what all have read, and how far behind a group may be. */
static void set_stream(struct settings *s, yaml_node_t *node, struct configuration *c, const struct item *item)
{
	if (!item->stream)
		settings_mistake(s, node, "stream: there is always one; leave the item out, or say keep_hours and behind");
	if (settings_find(s, node, "keep_hours"))
		c->stream_hours = item->keep_hours;
	c->stream_behind = item->behind;
}

void output_read(struct settings *s, yaml_node_t *node, void *base)
{
	struct item item = { .list = { .cap = CAP_DEFAULT, .when_full = OUTPUT_DROP_NEW } };
	yaml_node_t *channel = settings_find(s, node, "channel"), *stream = settings_find(s, node, "stream");
	struct configuration *c = base;
	int before = s->mistakes;

	settings_group(s, node, item_keys, &item);
	if (s->mistakes != before)
		return;
	if ((item.list.list[0] != 0) + (channel != NULL) + (stream != NULL) != 1)
		settings_mistake(s, node, "outputs: wants either `list` or `channel` or `stream`");
	else if (!item.list.list[0] && (item.list.types[0] || settings_find(s, node, "cap") || settings_find(s, node, "when_full")))
		settings_mistake(s, node, "%s: only a list has types, cap and when_full", channel ? "channel" : "stream");
	else if (!stream && (settings_find(s, node, "keep_hours") || settings_find(s, node, "behind")))
		settings_mistake(s, node, "outputs: only the stream has keep_hours and behind");
	else if (stream)
		set_stream(s, node, c, &item);
	else if (channel)
		c->channel = item.channel;
	else
		add_list(s, node, c, &item.list);
}
