/*
 * ECS with ot.* to OCSF. OCSF knows no device of a plant: those are type 99 (Other) with our class as
 * their `type`, as it wants of everything it has no number for. It knows no firmware either.
 */
#include "sensor/ctl/ocsf.h"

#include "sensor/ctl/document_words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	MODEL_BYTES = 512, OBSERVABLE_HOSTNAME = 1, OBSERVABLE_IP = 2, OBSERVABLE_MAC = 3,
	CATEGORY_DISCOVERY = 5, CLASS_INVENTORY = 5001, ACTIVITY_COLLECT = 2, SEVERITY_INFORMATIONAL = 1,
	TYPE_UNKNOWN = 0, TYPE_OTHER = 99, OS_WINDOWS = 100, OS_LINUX = 200, OS_OTHER = 99,
};
#define OCSF_VERSION "1.5.0"

static const struct {
	const char *class, *caption;
	int id;
} types[] = {
	{ "server", "Server", 1 }, { "historian", "Server", 1 },
	{ "workstation", "Desktop", 2 }, { "engineering-station", "Desktop", 2 },
	{ "firewall", "Firewall", 9 }, { "switch", "Switch", 10 }, { "router", "Router", 12 },
};

/* timestamp_t is milliseconds. False when the text is no time of ours. */
static bool parse_time(const char *text, json_int_t *ms)
{
	struct tm t = { .tm_isdst = 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);
	unsigned micro = 0;

	if (!end || (*end == '.' && sscanf(end, ".%6u", &micro) != 1))
		return false;
	*ms = (json_int_t)timegm(&t) * 1000 + micro / 1000;
	return true;
}

static void set_time(json_t *to, const char *key, const char *text)
{
	json_int_t ms;

	if (parse_time(text, &ms))
		json_object_set_new(to, key, json_integer(ms));
}

static void set_text(json_t *to, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(to, key, json_string(text));
}

/* The same value, under another name, when there is one. */
static void copy(json_t *to, const char *key, const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	if (value && !(json_is_array(value) && json_array_size(value) == 0))
		json_object_set(to, key, value);
}

static void set_type(json_t *device, const char *class)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(types[i].class, class) != 0)
			continue;
		json_object_set_new(device, "type_id", json_integer(types[i].id));
		set_text(device, "type", types[i].caption);
		return;
	}
	json_object_set_new(device, "type_id", json_integer(class[0] ? TYPE_OTHER : TYPE_UNKNOWN));
	set_text(device, "type", class[0] ? class : "Unknown");
}

static void set_os(json_t *device, const char *os)
{
	int id = strcasestr(os, "windows") ? OS_WINDOWS : strcasestr(os, "linux") ? OS_LINUX : OS_OTHER;

	if (os[0])
		json_object_set_new(device, "os", json_pack("{s:s,s:i,s:s}", "name", os, "type_id", id, "type",
							    id == OS_WINDOWS ? "Windows" : id == OS_LINUX ? "Linux" : os));
}

static void add_interfaces(json_t *to, const json_t *addresses, const char *key)
{
	const json_t *address;
	size_t i;

	json_array_foreach(addresses, i, address)
		json_array_append_new(to, json_pack("{s:O,s:i,s:s}", key, address, "type_id", 0, "type", "Unknown"));
}

/* Which IP belongs to which MAC, an asset does not say: with several they stand side by side. */
static void set_addresses(json_t *device, const json_t *asset)
{
	const json_t *macs = json_object_get(asset, "mac"), *ips = json_object_get(asset, "ip");
	json_t *interfaces;

	set_text(device, "ip", json_string_value(json_array_get(ips, 0)));
	set_text(device, "mac", json_string_value(json_array_get(macs, 0)));
	if (json_array_size(macs) <= 1 && json_array_size(ips) <= 1)
		return;
	interfaces = json_array();
	add_interfaces(interfaces, macs, "mac");
	add_interfaces(interfaces, ips, "ip");
	json_object_set_new(device, "network_interfaces", interfaces);
}

static json_t *make_device(const json_t *document, const json_t *ot, const json_t *asset)
{
	json_t *device = json_object(), *hardware = json_object();
	const json_t *ecs = json_object_get(document, "device");
	char model[MODEL_BYTES];

	set_text(device, "uid", words_text(asset, "id"));
	set_type(device, words_text(asset, "class"));
	set_addresses(device, asset);
	set_text(device, "hostname", json_string_value(json_array_get(json_object_get(asset, "hostname"), 0)));
	set_text(device, "name", words_name(ot));
	set_text(device, "zone", words_text(asset, "zone"));
	set_text(device, "vlan_uid", words_text(json_object_get(document, "vlan"), "id"));
	set_time(device, "first_seen_time", words_text(asset, "first_seen"));
	set_time(device, "last_seen_time", words_text(asset, "last_seen"));
	set_os(device, words_text(asset, "os"));
	set_text(device, "vendor_name", words_vendor(document));
	words_model(document, model, sizeof model);
	set_text(device, "model", model);
	set_text(hardware, "vendor_name", words_vendor(document));
	set_text(hardware, "serial_number", words_text(ecs, "serial_number"));
	if (json_object_size(hardware))
		json_object_set(device, "hw_info", hardware);
	json_decref(hardware);
	return device;
}

static json_t *make_metadata(const json_t *document)
{
	const json_t *event = json_object_get(document, "event"), *observer = json_object_get(document, "observer");
	json_t *metadata = json_object(), *product = json_object();

	set_text(product, "name", "askance");
	set_text(product, "vendor_name", "askance");
	set_text(product, "version", words_text(observer, "version"));
	json_object_set_new(metadata, "product", product);
	set_text(metadata, "version", OCSF_VERSION);
	set_text(metadata, "log_name", words_text(event, "dataset"));
	set_text(metadata, "log_provider", words_text(observer, "name"));
	set_text(metadata, "original_time", words_text(document, "@timestamp"));
	set_text(metadata, "uid", words_text(event, "id"));
	set_text(metadata, "event_code", words_text(event, "action"));
	copy(metadata, "sequence", event, "sequence");
	return metadata;
}

static json_t *make_unmapped(const json_t *document, const json_t *ot, const json_t *asset)
{
	static const char *const of_asset[] = {
		"class", "role", "firmware", "series", "purdue_level", "attack_asset", "cpe_mapped", "completeness", "lacks", "maker", "forwards",
		"contested", "places",
	};
	static const char *const of_ot[] = { "services", "speaks", "attributes", "subassets", "gaps" };
	json_t *unmapped = json_object();

	for (size_t i = 0; i < sizeof of_asset / sizeof *of_asset; i++)
		copy(unmapped, of_asset[i], asset, of_asset[i]);
	for (size_t i = 0; i < sizeof of_ot / sizeof *of_ot; i++)
		copy(unmapped, of_ot[i], ot, of_ot[i]);
	copy(unmapped, "model", json_object_get(document, "device"), "model");
	return unmapped;
}

static void add_observables(json_t *to, const json_t *values, const char *name, int type_id, const char *type)
{
	const json_t *value;
	size_t i;

	json_array_foreach(values, i, value)
		json_array_append_new(to, json_pack("{s:s,s:i,s:s,s:O}", "name", name, "type_id", type_id, "type", type, "value", value));
}

/* What other events may be searched for, all of it. With one address each it is the device's, else its interfaces'. */
static json_t *make_observables(const json_t *asset)
{
	const json_t *macs = json_object_get(asset, "mac"), *ips = json_object_get(asset, "ip");
	bool single = json_array_size(macs) <= 1 && json_array_size(ips) <= 1;
	json_t *list = json_array(), *hostname = json_array_get(json_object_get(asset, "hostname"), 0);
	json_t *hostnames = json_array();

	if (hostname)
		json_array_append(hostnames, hostname);
	add_observables(list, hostnames, "device.hostname", OBSERVABLE_HOSTNAME, "Hostname");
	add_observables(list, ips, single ? "device.ip" : "device.network_interfaces[].ip", OBSERVABLE_IP, "IP Address");
	add_observables(list, macs, single ? "device.mac" : "device.network_interfaces[].mac", OBSERVABLE_MAC, "MAC Address");
	json_decref(hostnames);
	return list;
}

json_t *ocsf_of_asset(const json_t *document)
{
	const json_t *ot = json_object_get(document, "ot"), *asset = json_object_get(ot, "asset");
	json_int_t time_ms = 0;
	json_t *event;

	if (!words_text(asset, "id")[0])
		return NULL;
	if (!parse_time(words_text(document, "@timestamp"), &time_ms))
		parse_time(words_text(asset, "last_seen"), &time_ms);
	event = json_pack("{s:i,s:s,s:i,s:s,s:i,s:s,s:i,s:s,s:i,s:s,s:I}", "category_uid", CATEGORY_DISCOVERY, "category_name", "Discovery",
			  "class_uid", CLASS_INVENTORY, "class_name", "Device Inventory Info", "activity_id", ACTIVITY_COLLECT,
			  "activity_name", "Collect", "type_uid", CLASS_INVENTORY * 100 + ACTIVITY_COLLECT, "type_name",
			  "Device Inventory Info: Collect", "severity_id", SEVERITY_INFORMATIONAL, "severity", "Informational", "time", time_ms);
	json_object_set_new(event, "metadata", make_metadata(document));
	json_object_set_new(event, "device", make_device(document, ot, asset));
	json_object_set_new(event, "timezone_offset", json_integer(0));
	json_object_set_new(event, "observables", make_observables(asset));
	json_object_set_new(event, "unmapped", make_unmapped(document, ot, asset));
	return event;
}
