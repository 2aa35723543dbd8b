/*
 * LLDP: what a neighbour on the wire says of itself. IEEE 802.1AB-2016, clause 8; MED is
 * ANSI/TIA-1057, the PROFINET parts IEC 61158-6-10, the CIP part ODVA's volume 2, chapter 5.
 *
 *  A frame is a row of TLVs: chassis id, port id, time to live, others, end.
 *  +---------+----------+-----------------+      127: +---------+------------+-----------+
 *  | type 7b | length 9b| length bytes    |           | OUI u24 | subtype u8 | value     |
 *  +---------+----------+-----------------+           +---------+------------+-----------+
 */
#include "classifiers/api/classifier.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { ETHERTYPE_LLDP = 0x88cc };

enum {
	TLV_END, TLV_CHASSIS_ID, TLV_PORT_ID, TLV_TIME_TO_LIVE, TLV_PORT_DESCRIPTION, TLV_SYSTEM_NAME,
	TLV_SYSTEM_DESCRIPTION, TLV_CAPABILITIES, TLV_MANAGEMENT_ADDRESS, TLV_ORGANISATION = 127,
};

enum { OUI_PROFINET = 0x000ecf, OUI_MED = 0x0012bb, OUI_ODVA = 0x00216c };
enum { ID_COMPONENT = 1, ID_MAC_OF_PORT = 3, ID_MAC_OF_CHASSIS = 4, ID_LOCAL = 7 };
enum { CHASSIS_ADDRESS = 5, PORT_ADDRESS = 4 };
enum { AFI_IPV4 = 1, AFI_IPV6 = 2 };
enum { IDENTIFICATION_BYTES = 80 };

static bool printable(struct cursor text)
{
	size_t n = cursor_left(&text);

	while (n && text.end[-1] == 0) {
		text.end--;
		n--;
	}
	for (size_t i = 0; i < n; i++)
		if (text.at[i] < 0x20 || text.at[i] == 0x7f)
			return false;
	return n > 0;
}

/* Text as it is; other bytes in hex, so that an identifier that is no text is still one. */
static void tell_identifier(struct reader *r, enum attribute a, struct cursor id)
{
	char hex[3 * 32 + 1];
	size_t at = 0;

	if (printable(id)) {
		tell(r, SENDER, NULL, a, id);
		return;
	}
	for (; id.at < id.end && at + 3 < sizeof hex; id.at++)
		at += (size_t)snprintf(hex + at, sizeof hex - at, at ? ":%02x" : "%02x", *id.at);
	tell(r, SENDER, NULL, a, cursor_over(hex, at));
}

static void tell_mac(struct reader *r, enum attribute a, struct cursor c)
{
	uint8_t mac[6];

	if (cursor_left(&c) == sizeof mac && cursor_copy(&c, mac, sizeof mac))
		tell_format(r, SENDER, NULL, a, "%02x:%02x:%02x:%02x:%02x:%02x",
			    mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* The MAC of the interface behind this port, by which the rest of the plant knows the device. */
static void tell_interface_mac(struct reader *r, struct cursor c)
{
	if (!cursor_starts(&c, r->sender->mac, sizeof r->sender->mac))
		tell_mac(r, ATTR_NETWORK_ADDRESS, c);
}

/* {address family u8}{address}; an address of zeros is one not set yet. */
static void tell_address(struct reader *r, enum attribute a, struct cursor c)
{
	static const uint8_t zero[16];
	uint8_t family = cursor_u8(&c), ip[16];
	char text[INET6_ADDRSTRLEN];
	size_t len = family == AFI_IPV4 ? 4 : family == AFI_IPV6 ? 16 : 0;

	if (len == 0 || cursor_left(&c) != len || !cursor_copy(&c, ip, len) || memcmp(ip, zero, len) == 0)
		return;
	if (inet_ntop(family == AFI_IPV4 ? AF_INET : AF_INET6, ip, text, sizeof text))
		tell_text(r, SENDER, NULL, a, text);
}

/* "V  4  2  1" is how PROFINET writes V4.2.1: a letter and three numbers in columns of three. */
static void tell_columns_firmware(struct reader *r, struct cursor c)
{
	char prefix = (char)cursor_u8(&c), text[9];
	unsigned major, minor, patch;

	for (size_t i = 0; i < 9; i++)
		if (cursor_left(&c) > i && c.at[i] != ' ' && (c.at[i] < '0' || c.at[i] > '9'))
			return;
	if (!cursor_copy(&c, text, sizeof text))
		return;
	/* Each number by itself: without blanks between them three numbers look like one. */
	if (sscanf((char[]){ text[0], text[1], text[2], 0 }, "%u", &major) == 1 &&
	    sscanf((char[]){ text[3], text[4], text[5], 0 }, "%u", &minor) == 1 &&
	    sscanf((char[]){ text[6], text[7], text[8], 0 }, "%u", &patch) == 1)
		tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%c%u.%u.%u", prefix, major, minor, patch);
}

/*
 * PROFINET's system identification in fixed columns:
 * device type 25, order number 20, serial number 16, hardware 5, firmware 1 + 9, a blank between them.
 */
static bool tell_columns(struct reader *r, struct cursor id)
{
	static const struct { uint8_t width; enum attribute attribute; } columns[] = {
		{ 25, ATTR_PRODUCT }, { 20, ATTR_ORDER_CODE }, { 16, ATTR_SERIAL }, { 5, ATTR_HARDWARE },
	};
	struct cursor c = id;

	if (cursor_left(&id) != IDENTIFICATION_BYTES || !printable(id) || id.at[25] != ' ' || id.at[46] != ' ' ||
	    id.at[63] != ' ' || id.at[69] != ' ')
		return false;
	tell(r, SENDER, NULL, ATTR_NETWORK_ADDRESS, id);
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		tell(r, SENDER, NULL, columns[i].attribute, cursor_take(&c, columns[i].width));
		cursor_skip(&c, 1);
	}
	tell_columns_firmware(r, c);
	return true;
}

static bool read_chassis_id(struct reader *r, struct cursor c, bool *columns)
{
	uint8_t subtype = cursor_u8(&c);

	*columns = false;
	if (!cursor_ok(&c) || subtype == 0 || subtype > ID_LOCAL || cursor_left(&c) == 0)
		return false;
	if (subtype == ID_MAC_OF_CHASSIS)
		tell_mac(r, ATTR_MAC, c);
	else if (subtype == CHASSIS_ADDRESS)
		tell_address(r, ATTR_NETWORK_ADDRESS, c);
	else if (tell_columns(r, c))
		*columns = true;
	else
		tell_identifier(r, (subtype == ID_LOCAL || subtype == ID_COMPONENT) && printable(c) ?
				ATTR_NAME : ATTR_NETWORK_ADDRESS, c);
	return true;
}

static bool read_port_id(struct reader *r, struct cursor c)
{
	uint8_t subtype = cursor_u8(&c);

	if (!cursor_ok(&c) || subtype == 0 || subtype > ID_LOCAL || cursor_left(&c) == 0)
		return false;
	if (subtype == ID_MAC_OF_PORT)
		tell_mac(r, ATTR_PORT_NAME, c);
	else if (subtype == PORT_ADDRESS)
		tell_address(r, ATTR_PORT_NAME, c);
	else
		tell_identifier(r, ATTR_PORT_NAME, c);
	return true;
}

/* An order number as Siemens writes them: "6ES7 214-1AG40-0XB0", "3UF7 011-1AU00-0". */
static bool order_number(struct cursor c)
{
	size_t n = cursor_left(&c);

	if (n < 12 || !(c.at[0] >= '0' && c.at[0] <= '9') || !(c.at[1] >= 'A' && c.at[1] <= 'Z') || c.at[4] != ' ')
		return false;
	return memchr(c.at, '-', n) != NULL;
}

/* The next part of a list with commas, without blanks around it. */
static struct cursor take_part(struct cursor *c)
{
	ptrdiff_t comma = cursor_find(c, ',');
	struct cursor part = comma < 0 ? cursor_rest(c) : cursor_take(c, (size_t)comma);

	cursor_skip(c, comma < 0 ? 0 : 1);
	while (part.at < part.end && *part.at == ' ')
		part.at++;
	return part;
}

static bool told_after(struct reader *r, struct cursor part, const char *label, enum attribute a)
{
	if (!cursor_starts(&part, label, strlen(label)))
		return false;
	cursor_skip(&part, strlen(label));
	while (part.at < part.end && (*part.at == ' ' || *part.at == '.' || *part.at == ':'))
		part.at++;
	tell(r, SENDER, NULL, a, part);
	return true;
}

/*
 * Siemens devices write their identity into the description:
 * "Siemens, SIMATIC S7, CPU-1200, 6ES7 214-1AG40-0XB0, HW: 7, FW: V.4.2.1, S V-K2C13707".
 * Believed only when the fourth part, or the third, is an order number.
 */
static void tell_listed_identity(struct reader *r, struct cursor c)
{
	struct cursor vendor = take_part(&c), family = take_part(&c), product = take_part(&c), order = take_part(&c);
	struct cursor part;

	if (order_number(product)) {
		c.at = order.at;
		order = product;
		product = family;
	} else if (!order_number(order)) {
		return;
	}
	tell(r, SENDER, NULL, ATTR_VENDOR, vendor);
	tell(r, SENDER, NULL, ATTR_PRODUCT, product);
	tell(r, SENDER, NULL, ATTR_ORDER_CODE, order);
	while (cursor_left(&c)) {
		part = take_part(&c);
		if (!told_after(r, part, "HW", ATTR_HARDWARE) && !told_after(r, part, "FW: Version", ATTR_FIRMWARE) &&
		    !told_after(r, part, "FW", ATTR_FIRMWARE) && !told_after(r, part, "SW", ATTR_FIRMWARE) &&
		    cursor_starts(&part, "S ", 2))
			tell(r, SENDER, NULL, ATTR_SERIAL, part);
	}
}

static void read_capabilities(struct reader *r, struct cursor c)
{
	static const char *const roles[] = {
		NULL, "repeater", "bridge", "wlan-access-point", "router", "telephone", "cable-device", "station",
		"customer-vlan-bridge", "service-vlan-bridge", "two-port-relay",
	};
	uint16_t able = cursor_u16be(&c), enabled = cursor_u16be(&c);

	if (!cursor_ok(&c))
		return;
	for (size_t i = 1; i < sizeof roles / sizeof *roles; i++)
		if (able & enabled & 1u << i)
			tell_text(r, SENDER, NULL, ATTR_ROLE, roles[i]);
}

/* {length of the address with its family}{family}{address}{interface and OID, not an identity} */
static void read_management_address(struct reader *r, struct cursor c)
{
	uint8_t len = cursor_u8(&c);

	tell_address(r, ATTR_IP, cursor_take(&c, len));
}

/* Civic addresses are {length}{what}{country 2}{{type}{length}{text}}...; what people read is joined. */
static void tell_civic_location(struct reader *r, struct cursor c)
{
	char text[FINDING_VALUE_BYTES];
	size_t at = 0;
	struct cursor country;

	cursor_skip(&c, 2);
	country = cursor_take(&c, 2);
	if (!cursor_ok(&country))
		return;
	at = (size_t)snprintf(text, sizeof text, "%.2s", (const char *)country.at);
	while (cursor_left(&c) >= 2) {
		uint8_t type = cursor_u8(&c), len = cursor_u8(&c);
		struct cursor part = cursor_take(&c, len);

		if (type == 0 || !printable(part) || at + cursor_left(&part) + 3 > sizeof text)
			continue;
		at += (size_t)snprintf(text + at, sizeof text - at, ", %.*s", (int)cursor_left(&part),
				       (const char *)part.at);
	}
	tell(r, SENDER, NULL, ATTR_LOCATION, cursor_over(text, strnlen(text, sizeof text)));
}

static void read_med(struct reader *r, uint8_t subtype, struct cursor c)
{
	enum { LOCATION = 3, LOCATION_CIVIC = 2, LOCATION_ELIN = 3, HARDWARE = 5, ASSET_ID = 11 };
	static const enum attribute inventory[] = {
		ATTR_HARDWARE, ATTR_FIRMWARE, ATTR_SOFTWARE, ATTR_SERIAL, ATTR_VENDOR, ATTR_PRODUCT, ATTR_DEVICE_ID,
	};

	if (subtype >= HARDWARE && subtype <= ASSET_ID) {
		tell(r, SENDER, NULL, inventory[subtype - HARDWARE], c);
	} else if (subtype == LOCATION) {
		uint8_t format = cursor_u8(&c);

		if (format == LOCATION_CIVIC)
			tell_civic_location(r, c);
		else if (format == LOCATION_ELIN)
			tell(r, SENDER, NULL, ATTR_LOCATION, c);
	}
}

static void read_profinet(struct reader *r, uint8_t subtype, struct cursor c)
{
	enum { ALIAS = 3, CHASSIS_MAC = 5 };

	if (subtype == CHASSIS_MAC)
		tell_interface_mac(r, c);
	else if (subtype == ALIAS && printable(c))
		tell(r, SENDER, NULL, ATTR_PORT_NAME, c);
}

/* CIP identification: the Identity object's numbers, little-endian as everything in CIP. */
static void read_odva(struct reader *r, uint8_t subtype, struct cursor c)
{
	enum { IDENTIFICATION = 1, MAC = 2 };

	if (subtype == MAC) {
		tell_interface_mac(r, c);
	} else if (subtype == IDENTIFICATION) {
		uint16_t vendor = cursor_u16le(&c), type = cursor_u16le(&c), product = cursor_u16le(&c);
		uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);
		uint32_t serial = cursor_u32le(&c);

		if (!cursor_ok(&c))
			return;
		tell_format(r, SENDER, NULL, ATTR_VENDOR_ID, "%u", vendor);
		tell_format(r, SENDER, NULL, ATTR_DEVICE_CLASS, "%u", type);
		tell_format(r, SENDER, NULL, ATTR_ORDER_CODE, "%u", product);
		tell_format(r, SENDER, NULL, ATTR_FIRMWARE, "%u.%03u", major, minor);
		tell_format(r, SENDER, NULL, ATTR_SERIAL, "0x%08x", serial);
	}
}

static void read_organisation(struct reader *r, struct cursor c)
{
	uint32_t oui = cursor_u24be(&c);
	uint8_t subtype = cursor_u8(&c);

	if (!cursor_ok(&c))
		return;
	if (oui == OUI_MED)
		read_med(r, subtype, c);
	else if (oui == OUI_PROFINET)
		read_profinet(r, subtype, c);
	else if (oui == OUI_ODVA)
		read_odva(r, subtype, c);
}

static void read_optional(struct reader *r, uint8_t type, struct cursor c, bool columns)
{
	switch (type) {
	case TLV_PORT_DESCRIPTION:
		tell(r, SENDER, NULL, ATTR_PORT_NAME, c);
		break;
	case TLV_SYSTEM_NAME:
		tell(r, SENDER, NULL, ATTR_NAME, c);
		break;
	case TLV_SYSTEM_DESCRIPTION:
		tell(r, SENDER, NULL, ATTR_DESCRIPTION, c);
		if (!columns) /* else it says the same in other words */
			tell_listed_identity(r, c);
		break;
	case TLV_CAPABILITIES:
		read_capabilities(r, c);
		break;
	case TLV_MANAGEMENT_ADDRESS:
		read_management_address(r, c);
		break;
	case TLV_ORGANISATION:
		read_organisation(r, c);
		break;
	}
}

static struct cursor take_tlv(struct cursor *c, uint8_t *type)
{
	uint16_t head = cursor_u16be(c);

	*type = (uint8_t)(head >> 9);
	return cursor_take(c, head & 0x1ff);
}

/*
 * The three first TLVs are required and in this order; with the ethertype they are proof. What comes
 * after may be broken or cut off: what was whole before it counts.
 */
static enum verdict read_lldp(struct reader *r)
{
	uint8_t type[3];
	bool columns;
	struct cursor *c = &r->bytes;
	struct cursor chassis = take_tlv(c, &type[0]), port = take_tlv(c, &type[1]), life = take_tlv(c, &type[2]);

	if (!cursor_ok(c) || type[0] != TLV_CHASSIS_ID || type[1] != TLV_PORT_ID || type[2] != TLV_TIME_TO_LIVE ||
	    cursor_left(&life) < 2 || !read_chassis_id(r, chassis, &columns) || !read_port_id(r, port))
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	while (cursor_left(c) >= 2) {
		struct cursor value = take_tlv(c, &type[0]);

		if (!cursor_ok(&value) || type[0] == TLV_END)
			break;
		read_optional(r, type[0], value, columns);
	}
	return MINE;
}

const struct classifier classifier_lldp = {
	.name = "lldp",
	.transports = 1 << TRANSPORT_ETHERNET,
	.ethertypes = { ETHERTYPE_LLDP },
	.read = read_lldp,
};
