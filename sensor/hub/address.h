/* What can be said of an address by looking at it alone, and how it is written. */
#ifndef SENSOR_HUB_ADDRESS_H
#define SENSOR_HUB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESS_TEXT_BYTES = 48, MAC_TEXT_BYTES = 18 };

/* One station's: neither zero nor a group. */
bool mac_is_one(const uint8_t mac[6]);
/* Shared by a group of routers: VRRP, CARP, HSRP, GLBP. It moves from box to box and identifies none. */
bool mac_is_virtual(const uint8_t mac[6]);

/* One host's: not unspecified, multicast or broadcast. family: 4 or 6. */
bool ip_is_one(uint8_t family, const uint8_t ip[16]);
/* Valid on one link only, so that a router never forwards it. */
bool ip_is_link_local(uint8_t family, const uint8_t ip[16]);
/* The MAC that a link-local address was made of (RFC 4291, appendix A); false when it wasn't. */
bool ip_eui64_mac(uint8_t family, const uint8_t ip[16], uint8_t mac[6]);

/* family 0 writes a MAC, 4 and 6 an IP address as inet_ntop() does. */
void address_text(char text[ADDRESS_TEXT_BYTES], uint8_t family, const uint8_t *address);
/* A MAC with other signs: `digits` are those of 0 to 15, not ended. */
void mac_text(char text[MAC_TEXT_BYTES], const uint8_t mac[6], char between, const char digits[16]);
size_t address_bytes(uint8_t family);

#endif
