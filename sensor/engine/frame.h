/* One captured frame, as every source hands it to the decoder. */
#ifndef SENSOR_ENGINE_FRAME_H
#define SENSOR_ENGINE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* LINKTYPE_* values of the pcap file format's registry that are decoded. */
enum linktype {
	LINKTYPE_NULL = 0,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_PPP = 9,
	LINKTYPE_RAW_BSD = 12, /* DLT_RAW written as a link type by some programs */
	LINKTYPE_RAW_OPENBSD = 14,
	LINKTYPE_RAW = 101,
	LINKTYPE_LOOP = 108,
	LINKTYPE_LINUX_SLL = 113,
	LINKTYPE_IPV4 = 228,
	LINKTYPE_IPV6 = 229,
	LINKTYPE_LINUX_SLL2 = 276,
};

struct frame {
	const uint8_t *bytes; /* valid until the source is asked to refill */
	uint32_t captured;
	uint32_t length;      /* on the wire, >= captured */
	int64_t time_ns;
	uint64_t number;      /* from 1 */
	uint16_t linktype;
	uint16_t vlan_tci;    /* a tag that was taken off before capture, when has_vlan */
	bool has_vlan;
	uint8_t share;       /* whose it surely is, or SHARE_UNSURE; see sensor/common/spread.h */
};

#endif
