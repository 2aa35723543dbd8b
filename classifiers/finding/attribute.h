/*
 * The closed list of attributes that a picture of a plant is made of.
 *
 * Classifiers state them, findings carry them, the hub stores them and
 * documents name them. The order is free to grow at the end only: stores on
 * disk hold names, messages between processes of one build hold numbers.
 */
#ifndef CLASSIFIERS_FINDING_ATTRIBUTE_H
#define CLASSIFIERS_FINDING_ATTRIBUTE_H

#include <stdbool.h>

enum attribute {
	ATTR_NONE,
	ATTR_VENDOR,          /* maker as the device writes it */
	ATTR_VENDOR_ID,       /* maker's number in that protocol's registry, decimal or 0x-hex */
	ATTR_PRODUCT,         /* product or model name */
	ATTR_ORDER_CODE,      /* order number, product code */
	ATTR_DEVICE_ID,       /* the protocol's own number for the kind of device */
	ATTR_FIRMWARE,
	ATTR_HARDWARE,        /* hardware revision */
	ATTR_SERIAL,
	ATTR_SOFTWARE,        /* application, server or client software, banner */
	ATTR_OS,
	ATTR_NAME,            /* the name people gave it: station, object, system name */
	ATTR_HOSTNAME,        /* as DNS, DHCP or NetBIOS know it */
	ATTR_LOCATION,
	ATTR_CONTACT,
	ATTR_DESCRIPTION,
	ATTR_ROLE,            /* controller, io-device, gateway, router ... */
	ATTR_DEVICE_CLASS,    /* what it is: plc, hmi, switch ... or the protocol's own word for it */
	ATTR_NETWORK_ADDRESS, /* the protocol's own address: unit, station, node, NetID */
	ATTR_MAC,
	ATTR_IP,
	ATTR_NETMASK,
	ATTR_GATEWAY,
	ATTR_URI,
	ATTR_CPE,
	ATTR_VENDOR_CLASS,    /* DHCP option 60 */
	ATTR_FINGERPRINT,     /* JA4, HASSH, DHCP parameter list */
	ATTR_CERTIFICATE,     /* subject of an X.509 certificate */
	ATTR_REALM,           /* of an authentication: HTTP, Kerberos */
	ATTR_PORT_NAME,       /* port of a switch or device, as LLDP and DCP name it */
	ATTR_STATE,           /* run, stop, fault as a device states it */
	ATTR_ISSUER,          /* issuers of the certificates it shows, up to the authority that vouches for it */
	ATTRIBUTES            /* how many there are */
};

/* The attribute's name in documents ("order_code"); never NULL for values below ATTRIBUTES. */
const char *attribute_name(enum attribute a);

/* The attribute of that name, ATTR_NONE when there is none. */
enum attribute attribute_of_name(const char *name);

/* True for one of which a device rightly has several values ("ip", "certificate"). */
bool attribute_is_multiple(enum attribute a);
/* True for one that changes in a device's life ("firmware", "name"), so that a new value is no contradiction. */
bool attribute_changes(enum attribute a);

#endif
