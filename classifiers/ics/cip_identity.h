/*
 * The identity object of CIP (class 1): its attributes and what they become in findings.
 *
 * ODVA, The CIP Networks Library, volume 1 chapter 5-2 (identity object) and chapter 6 (device
 * profiles). Here apart from enip.c because every carrier of CIP shows the same object.
 */
#ifndef CLASSIFIERS_ICS_CIP_IDENTITY_H
#define CLASSIFIERS_ICS_CIP_IDENTITY_H

#include "classifiers/api/classifier.h"

/* Attribute numbers. */
enum {
	CIP_VENDOR = 1, CIP_TYPE, CIP_CODE, CIP_REVISION, CIP_STATUS, CIP_SERIAL, CIP_NAME, CIP_STATE,
};

struct cip_number {
	uint16_t number;
	const char *name;
};

/* Of ODVA's registry of vendor ids, those met most in plants. */
static const struct cip_number cip_vendors[] = {
	{ 1, "Rockwell Automation/Allen-Bradley" }, { 2, "Namco Controls Corp." }, { 3, "Honeywell Inc." },
	{ 5, "Rockwell Automation/Reliance Elec." }, { 7, "SMC Corporation" }, { 8, "Molex Incorporated" },
	{ 12, "Banner Engineering Corp." }, { 13, "Belden Wire & Cable Company" }, { 26, "Festo Corporation" },
	{ 40, "Wago Corporation" }, { 43, "BALLUFF, Inc." }, { 44, "Yaskawa Electric America, Inc." },
	{ 46, "ABB Industrial Systems" }, { 47, "Omron Corporation" }, { 48, "TURCK, Inc." },
	{ 50, "Real Time Automation (C&ID)" }, { 57, "Pepperl + Fuchs" }, { 68, "Eaton Electrical" },
	{ 77, "Rockwell Software, Inc." }, { 90, "HMS Industrial Networks AB" }, { 97, "Danfoss" },
	{ 100, "Bosch Rexroth Corporation, Pneumatics" }, { 108, "Beckhoff Automation GmbH" },
	{ 145, "Siemens Energy & Automation/Drives" }, { 161, "Mitsubishi Electric Corporation" },
	{ 176, "Red Lion Controls" }, { 181, "Pilz GmbH & Co" }, { 243, "Schneider Automation, Inc." },
	{ 250, "Yokogawa Electric Corporation" }, { 256, "Turck" }, { 283, "Hilscher GmbH" },
	{ 309, "Prosoft Technology" }, { 315, "SEW Eurodrive GmbH" }, { 322, "ifm efector, inc." },
	{ 326, "GE Fanuc Automation North America, Inc." }, { 345, "Endress + Hauser" },
	{ 356, "Fanuc Robotics America" }, { 367, "Keyence Corporation" }, { 445, "Lenze Drive Systems GmbH" },
	{ 562, "Phoenix Contact" }, { 591, "FANUC Ltd." }, { 634, "Hirschmann, Inc." }, { 678, "Cognex Corporation" },
	{ 680, "Weidmuller, Inc." }, { 808, "SICK AG" }, { 887, "B&R Industrial Automation GmbH" },
	{ 939, "Cisco Systems" }, { 991, "Moxa Networking Co., Ltd." },
};

/* CIP device profiles, volume 1 chapter 6. */
static const struct cip_number cip_device_types[] = {
	{ 0x00, "Generic Device" }, { 0x02, "AC Drive" }, { 0x03, "Motor Overload" }, { 0x04, "Limit Switch" },
	{ 0x05, "Inductive Proximity Switch" }, { 0x06, "Photoelectric Sensor" }, { 0x07, "General Purpose Discrete I/O" },
	{ 0x09, "Resolver" }, { 0x0c, "Communications Adapter" }, { 0x0e, "Programmable Logic Controller" },
	{ 0x10, "Position Controller" }, { 0x13, "DC Drive" }, { 0x15, "Contactor" }, { 0x16, "Motor Starter" },
	{ 0x17, "Soft Start" }, { 0x18, "Human-Machine Interface" }, { 0x1a, "Mass Flow Controller" },
	{ 0x1b, "Pneumatic Valve" }, { 0x1c, "Vacuum Pressure Gauge" }, { 0x1d, "Process Control Value" },
	{ 0x1e, "Residual Gas Analyzer" }, { 0x1f, "DC Power Generator" }, { 0x20, "RF Power Generator" },
	{ 0x21, "Turbomolecular Vacuum Pump" }, { 0x22, "Encoder" }, { 0x23, "Safety Discrete I/O Device" },
	{ 0x24, "Fluid Flow Controller" }, { 0x25, "CIP Motion Drive" }, { 0x26, "CompoNet Repeater" },
	{ 0x27, "Mass Flow Controller, Enhanced" }, { 0x28, "CIP Modbus Device" }, { 0x29, "CIP Modbus Translator" },
	{ 0x2a, "Safety Analog I/O Device" }, { 0x2b, "Generic Device (keyable)" }, { 0x2c, "Managed Ethernet Switch" },
	{ 0x2d, "CIP Motion Safety Drive Device" }, { 0x2e, "Safety Drive Device" },
	{ 0x2f, "CIP Motion Encoder" }, { 0x30, "CIP Motion Converter" },
	{ 0x31, "CIP Motion I/O" }, { 0x32, "ControlNet Physical Layer Component" },
	{ 0x33, "Circuit Breaker" }, { 0x34, "HART Device" }, { 0x35, "CIP-HART Translator" }, { 0xc8, "Embedded Component" },
};

static inline const char *cip_find_name(const struct cip_number *table, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return table[i].name;
	return NULL;
}

static inline void cip_tell_vendor(struct reader *r, const char *path, uint16_t vendor)
{
	const char *name = cip_find_name(cip_vendors, sizeof cip_vendors / sizeof cip_vendors[0], vendor);

	tell_format(r, SENDER, path, ATTR_VENDOR_ID, "%u", vendor);
	if (name)
		tell_text(r, SENDER, path, ATTR_VENDOR, name);
}

static inline void cip_tell_type(struct reader *r, const char *path, uint16_t type)
{
	const char *name = cip_find_name(cip_device_types, sizeof cip_device_types / sizeof cip_device_types[0], type);

	if (name)
		tell_text(r, SENDER, path, ATTR_DEVICE_CLASS, name);
	else
		tell_format(r, SENDER, path, ATTR_DEVICE_CLASS, "0x%04x", type);
}

static inline void cip_tell_state(struct reader *r, const char *path, uint8_t state)
{
	static const char *const names[] = { NULL, "self-test", "standby", "operational", "recoverable fault", "unrecoverable fault" };

	if (state < sizeof names / sizeof names[0] && names[state])
		tell_text(r, SENDER, path, ATTR_STATE, names[state]);
}

/* Takes one attribute of the identity object; false when its length can't be known or it isn't there. */
static inline bool cip_take_attribute(struct reader *r, const char *path, uint16_t attribute, struct cursor *c)
{
	uint8_t major;
	uint16_t n = attribute == CIP_VENDOR || attribute == CIP_TYPE || attribute == CIP_CODE ? cursor_u16le(c) : 0;

	if (!cursor_ok(c))
		return false;
	switch (attribute) {
	case CIP_VENDOR:
		cip_tell_vendor(r, path, n);
		break;
	case CIP_TYPE:
		cip_tell_type(r, path, n);
		break;
	case CIP_CODE:
		tell_format(r, SENDER, path, ATTR_ORDER_CODE, "%u", n);
		break;
	case CIP_REVISION:
		major = cursor_u8(c);
		if (cursor_left(c))
			tell_format(r, SENDER, path, ATTR_FIRMWARE, "%u.%02u", major, cursor_peek(c, 0));
		cursor_skip(c, 1);
		break;
	case CIP_STATUS:
		cursor_skip(c, 2);
		break;
	case CIP_SERIAL:
		if (cursor_left(c) >= 4)
			tell_format(r, SENDER, path, ATTR_SERIAL, "0x%08x", cursor_u32le(c));
		else
			cursor_fail(c);
		break;
	case CIP_NAME:
		tell(r, SENDER, path, ATTR_PRODUCT, cursor_take(c, cursor_u8(c)));
		break;
	case CIP_STATE:
		if (cursor_left(c))
			cip_tell_state(r, path, cursor_peek(c, 0));
		cursor_skip(c, 1);
		break;
	default:
		return false;
	}
	return cursor_ok(c);
}

/* Vendor to name as they stand in Get_Attributes_All and in ListIdentity. */
static inline bool cip_identity_is_whole(struct cursor c)
{
	cursor_skip(&c, 14);
	cursor_skip(&c, cursor_u8(&c));
	return cursor_ok(&c);
}

/*
 * True when the bytes are a whole identity and nothing else but its state: enough to know an answer by
 * itself, whose question was not heard.
 */
static inline bool cip_is_only_identity(struct cursor c)
{
	uint16_t vendor = cursor_u16le(&c);
	struct cursor name;

	cursor_skip(&c, 12);
	name = cursor_take(&c, cursor_u8(&c));
	if (!cursor_ok(&name) || vendor == 0 || cursor_left(&name) < 3 || cursor_left(&c) > 1)
		return false;
	while (cursor_left(&name)) {
		uint8_t b = cursor_u8(&name);

		if (b < 0x20 || b > 0x7e)
			return false;
	}
	return true;
}

static inline void cip_tell_identity(struct reader *r, const char *path, struct cursor *c)
{
	for (unsigned a = CIP_VENDOR; a <= CIP_NAME; a++)
		if (!cip_take_attribute(r, path, (uint16_t)a, c))
			return;
}

/* Get_Attribute_List answers: count, then {attribute, status, value if the status is 0}. */
static inline void cip_tell_list(struct reader *r, const char *path, struct cursor c)
{
	uint16_t count = cursor_u16le(&c);

	while (count-- && cursor_left(&c)) {
		uint16_t attribute = cursor_u16le(&c), status = cursor_u16le(&c);

		if (status == 0 && !cip_take_attribute(r, path, attribute, &c))
			return;
	}
}

#endif
