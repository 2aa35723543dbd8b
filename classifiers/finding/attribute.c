/* Names of attributes, as documents write them. */
#include "classifiers/finding/attribute.h"

#include <string.h>

static const char *const names[ATTRIBUTES] = {
	[ATTR_NONE] = "none",
	[ATTR_VENDOR] = "vendor",
	[ATTR_VENDOR_ID] = "vendor_id",
	[ATTR_PRODUCT] = "product",
	[ATTR_ORDER_CODE] = "order_code",
	[ATTR_DEVICE_ID] = "device_id",
	[ATTR_FIRMWARE] = "firmware",
	[ATTR_HARDWARE] = "hardware",
	[ATTR_SERIAL] = "serial",
	[ATTR_SOFTWARE] = "software",
	[ATTR_OS] = "os",
	[ATTR_NAME] = "name",
	[ATTR_HOSTNAME] = "hostname",
	[ATTR_LOCATION] = "location",
	[ATTR_CONTACT] = "contact",
	[ATTR_DESCRIPTION] = "description",
	[ATTR_ROLE] = "role",
	[ATTR_DEVICE_CLASS] = "device_class",
	[ATTR_NETWORK_ADDRESS] = "network_address",
	[ATTR_MAC] = "mac",
	[ATTR_IP] = "ip",
	[ATTR_NETMASK] = "netmask",
	[ATTR_GATEWAY] = "gateway",
	[ATTR_URI] = "uri",
	[ATTR_CPE] = "cpe",
	[ATTR_VENDOR_CLASS] = "vendor_class",
	[ATTR_FINGERPRINT] = "fingerprint",
	[ATTR_CERTIFICATE] = "certificate",
	[ATTR_REALM] = "realm",
	[ATTR_PORT_NAME] = "port_name",
	[ATTR_STATE] = "state",
	[ATTR_ISSUER] = "issuer",
};

const char *attribute_name(enum attribute a)
{
	return a < ATTRIBUTES ? names[a] : names[ATTR_NONE];
}

enum attribute attribute_of_name(const char *name)
{
	for (int a = ATTR_NONE + 1; a < ATTRIBUTES; a++)
		if (strcmp(names[a], name) == 0)
			return (enum attribute)a;
	return ATTR_NONE;
}

bool attribute_is_multiple(enum attribute a)
{
	switch (a) {
	case ATTR_IP:
	case ATTR_MAC:
	case ATTR_NETWORK_ADDRESS:
	case ATTR_URI:
	case ATTR_CERTIFICATE:
	case ATTR_ISSUER:
	case ATTR_FINGERPRINT:
	case ATTR_SOFTWARE:
	case ATTR_PORT_NAME:
	case ATTR_HOSTNAME:
	case ATTR_CPE:
	case ATTR_GATEWAY:
		return true;
	default:
		return false;
	}
}

bool attribute_changes(enum attribute a)
{
	switch (a) {
	case ATTR_FIRMWARE:
	case ATTR_OS:
	case ATTR_NAME:
	case ATTR_LOCATION:
	case ATTR_CONTACT:
	case ATTR_DESCRIPTION:
	case ATTR_ROLE:
	case ATTR_NETMASK:
	case ATTR_STATE:
	case ATTR_REALM:
	case ATTR_VENDOR_CLASS:
		return true;
	default:
		return false;
	}
}
