/*
 * What a mirror or a carrier puts round the plant's frames: GRE with ERSPAN, VXLAN, GENEVE, TZSP,
 * MPLS, PPPoE, IP in IP, Teredo, GTP-U, AYIYA. Taken off before anything is said of a device.
 */
#ifndef SENSOR_ENGINE_TUNNEL_H
#define SENSOR_ENGINE_TUNNEL_H

#include "classifiers/api/cursor.h"

enum tunnel {
	TUNNEL_NONE,
	TUNNEL_GRE,
	TUNNEL_IP,
	TUNNEL_VXLAN,
	TUNNEL_VXLAN_GPE,
	TUNNEL_GENEVE,
	TUNNEL_TZSP,
	TUNNEL_GTP_U,
	TUNNEL_AYIYA,
	TUNNEL_MPLS,
	TUNNEL_PPPOE,
	TUNNEL_PPP,
};

/* Stands for "an Ethernet header follows" where an ethertype is given back. */
enum { TUNNEL_ETHERNET = 0x6558 };

/* Which tunnel, if any, these bytes behind a header of that kind are; judged by structure too. */
enum tunnel tunnel_in_ip(uint8_t protocol, struct cursor c);
enum tunnel tunnel_in_udp(uint16_t source_port, uint16_t target_port, struct cursor c);
enum tunnel tunnel_in_ethernet(uint16_t ethertype, struct cursor c);

/*
 * Takes the tunnel's header off *c and returns the ethertype of what follows (TUNNEL_ETHERNET for a
 * frame). An Ethernet header inside begins a new VLAN stack: vlan[] is cleared, or set to what the
 * mirror says of it. When the header is not one we can take off, *c is bad.
 */
uint16_t tunnel_enter(enum tunnel t, struct cursor *c, uint16_t vlan[2]);

#endif
