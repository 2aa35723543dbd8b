/*
 * When two witnesses speak of one device. What counts, surest first:
 *
 *   serial   the same serial number of the same vendor, and no word against the model
 *   MAC      of the same zone; of another zone only with further evidence. Never a router's, nor one that
 *            several machines share by protocol (VRRP, HSRP); one that software chose only in its zone
 *   IP       of the same zone and with further evidence, and only where no MACs speak against it
 *
 * Further evidence is what the device says of itself (serial, name), or an address of the whole Internet. Two
 * different serials from one protocol speak against any of these.
 */
#ifndef SENSOR_FLEET_IDENTITY_H
#define SENSOR_FLEET_IDENTITY_H

#include "sensor/fleet/witness.h"

/* Why two are one; the order is the order in which a fleet is matched. */
enum bond { BOND_NONE, BOND_ANALYST, BOND_SERIAL, BOND_MAC, BOND_MAC_OF_TWO_ZONES, BOND_IP, BONDS };

/* What a pair shares, and what is made of it. */
struct likeness {
	enum bond bond;        /* BOND_NONE: not enough */
	const char *what;      /* the shared value: serial, MAC, IP; NULL when nothing is shared */
	const char *evidence;  /* the further evidence, NULL for none */
	const char *but;       /* of BOND_NONE: what is missing or speaks against it, a sentence's end; NULL when nothing is shared */
};

/* `same_zone`: their zones are one. Each looks for its own kind of bond alone. */
struct likeness identity_by_serial(const struct witness *a, const struct witness *b);
struct likeness identity_by_mac(const struct witness *a, const struct witness *b, const char *mac, bool same_zone);
struct likeness identity_by_ip(const struct witness *a, const struct witness *b, const char *ip);

/* Both told their serial by the same protocol, and no serial is the same. */
bool identity_contradicts(const struct witness *a, const struct witness *b);

/* False for zeros, fillers and numbers that are not worth the name. `serial` without its protocol. */
bool identity_is_serial(const char *serial);

/* False for what several machines share by protocol, for groups, zeros and ones. */
bool identity_is_mac(const char *mac);

/* The serial behind its protocol. */
const char *identity_serial_value(const char *protocol_and_value);

#endif
