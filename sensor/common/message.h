/*
 * What the sensor's processes say to each other. Every message has a fixed size, checked to the byte;
 * the receiver of a wrong one ends, and the supervisor starts it again.
 *
 *   supervisor -> each   struct *_config     once, from descriptor FD_CONFIG
 *   capture -> engine    struct frame_header + bytes   frame ring
 *   engine -> hub        struct report                 findings ring
 *   hub -> prober        struct order                  pipe
 *   prober -> hub        struct outcome                pipe
 */
#ifndef SENSOR_COMMON_MESSAGE_H
#define SENSOR_COMMON_MESSAGE_H

#include "classifiers/finding/finding.h"

#include <stdint.h>

/* Descriptors that a child finds open after exec; nothing else above stderr is. */
enum {
	FD_CONFIG = 3,
	FD_RECORDS_OUT = 4, /* producer end of a ring: records, tail, wake */
	FD_TAIL_OUT = 5,
	FD_WAKE_OUT = 6,
	FD_RECORDS_IN = 7, /* consumer end of a ring */
	FD_TAIL_IN = 8,
	FD_WAKE_IN = 9,
	FD_CAPTURE_FILE = 10, /* engine: the capture file to read, or hub: its other end for orders */
	FD_ORDERS = 11,
	FD_OUTCOMES = 12,
	FD_FIRST_FREE = 13,
};

/* A frame in the ring from capture; `captured` bytes follow. */
struct frame_header {
	int64_t time_ns;
	uint32_t captured; /* bytes that follow */
	uint32_t length;   /* bytes on the wire */
	uint16_t linktype; /* LINKTYPE_* of libpcap's registry */
	uint16_t vlan_tci; /* tag that the kernel took off, valid when has_vlan */
	uint16_t vlan_tpid;
	uint8_t has_vlan;
	uint8_t interface; /* index in the configuration */
};

/* Counters that capture shows beside the frame ring. */
enum capture_counter { CAPTURED_FRAMES, CAPTURED_BYTES, CAPTURE_KERNEL_DROPS, CAPTURE_INTERFACE_DROPS, CAPTURE_RING_DROPS, CAPTURE_STARTS, CAPTURE_COUNTERS };

enum report_type { REPORT_FINDING = 1, REPORT_COUNTERS, REPORT_PROGRESS, REPORT_END, REPORT_TYPES };

/* Everything that the engine counts; documents show them under these names. */
struct engine_counters {
	uint64_t frames;
	uint64_t bytes;
	uint64_t kernel_drops;    /* capture's, passed on */
	uint64_t interface_drops;
	uint64_t ring_drops;      /* frames that found the ring to the engine full */
	uint64_t unknown_linktype;
	uint64_t undecoded;       /* frames whose headers are of no known kind */
	uint64_t malformed;       /* frames whose headers contradict themselves */
	uint64_t truncated;       /* frames that the capture cut */
	uint64_t fragments;
	uint64_t fragments_dropped;
	uint64_t flows;
	uint64_t flows_evicted;   /* a live flow gave way because the table was full */
	uint64_t details_refused; /* flows that got no memory for streams and memos */
	uint64_t stream_gaps;
	uint64_t stream_dropped_bytes;
	uint64_t messages;        /* that a classifier took */
	uint64_t messages_rejected; /* on flows already decided */
	uint64_t ndpi_packets;
	uint64_t findings;
	uint64_t findings_lost;   /* did not fit in one message's room */
	uint64_t tunnels;         /* frames taken out of a tunnel */
};

/* REPORT_PROGRESS, and REPORT_END with how it ended. */
struct progress {
	uint64_t bytes_read;
	uint64_t bytes_total; /* 0 when unknown */
	uint64_t frames;
	int64_t first_ns;
	int64_t last_ns;
	uint32_t status;      /* REPORT_END: enum end_status */
	uint32_t reserved;
	char why[128];        /* clean text: what was wrong, empty when nothing was */
};

enum end_status { END_COMPLETE, END_CUT_SHORT, END_UNREADABLE };

struct report {
	uint32_t type;   /* enum report_type */
	uint32_t engine; /* index of the engine */
	union {
		struct finding finding;
		struct engine_counters counters;
		struct progress progress;
	};
};

enum { ORDER_RULE_BYTES = 48, ORDER_PATH_BYTES = FINDING_PATH_BYTES };

/* A probe that the hub asks for. No bytes: the prober renders them from its own rules. */
struct order {
	uint64_t id;
	char rule[ORDER_RULE_BYTES];
	struct endpoint target;
	uint16_t port;
	uint16_t vlan;
	uint32_t reserved;
	char path[ORDER_PATH_BYTES];
	uint8_t approval[192]; /* signatures over the order, see active/guard */
};

enum refusal { REFUSED_NOT = 0, REFUSED_PROBING_OFF = 1, REFUSED_NO_RULE, REFUSED_NO_APPROVAL, REFUSED_EXCLUDED, REFUSED_MALFORMED };

struct outcome {
	uint64_t order;
	uint32_t refusal; /* enum refusal */
	uint32_t reserved;
};

#endif
