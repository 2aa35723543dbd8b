/*
 * What the sensor's processes say to each other. Every message has a fixed size, checked to the byte;
 * the receiver of a wrong one ends, and the supervisor starts it again.
 *
 *   supervisor -> each   struct *_config     once, from descriptor FD_CONFIG
 *   capture -> engine    struct frame_header + bytes   frame ring of that engine
 *   engine -> hub        struct report                 findings ring
 *   hub -> prober        struct order                  pipe; see active/guard/order.h
 *   prober -> hub        struct outcome                pipe
 *   prober -> engine 0   struct frame_header + bytes   ring of what was asked and answered
 */
#ifndef SENSOR_COMMON_MESSAGE_H
#define SENSOR_COMMON_MESSAGE_H

#include "classifiers/finding/finding.h"
#include "sensor/common/spread.h"

#include <stdint.h>

/* Descriptors that a child finds open after exec; nothing else above stderr is. */
enum {
	FD_CONFIG = 3,
	FD_RELAY_CLIENT = 4, /* relay without a socket of its own: its only client */
	FD_RECORDS_OUT = 4, /* producer end of a ring: records, tail, wake */
	FD_TAIL_OUT = 5,
	FD_WAKE_OUT = 6,
	FD_RECORDS_IN = 7, /* consumer end of a ring */
	FD_TAIL_IN = 8,
	FD_WAKE_IN = 9,
	FD_FILE_INDEX = 7, /* engine of a file that others read too; see sensor/engine/file_index.h */
	FD_CAPTURE_FILE = 10, /* engine: the capture file to read, or hub: its other end for orders */
	FD_ORDERS = 11,
	FD_OUTCOMES = 12,
	FD_FIRST_FREE = 13, /* from here on capture and the hub have the ends of further rings, three descriptors each */
	/* engine 0: consumer end of the prober's ring; it has no further rings */
	FD_PROBES_IN = 13,
	FD_PROBES_TAIL = 14,
	FD_PROBES_WAKE = 15,
	/* engine: files of its user's, read and closed before its walls stand, by enum engine_file */
	FD_ENGINE_FILES = 16,
	/* prober: a socket pair in whose queue its open connections lie, so that they outlive it; see active/prober/hold.h */
	FD_HOLD_IN = 13,
	FD_HOLD_OUT = 14,
};

/* The first of the three descriptors of ring i, where ring 0 has those from `first` on. */
static inline int fd_of_ring(int first, unsigned i)
{
	return i == 0 ? first : FD_FIRST_FREE + 3 * ((int)i - 1);
}

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
	uint64_t number;   /* in the order of capture, from 1, over all rings */
	uint8_t share;     /* whose it surely is, or SHARE_UNSURE; see sensor/common/spread.h */
	uint8_t reserved[7];
};

/* Counters that capture shows beside each ring of frames: of the ring, but drops before it, which the first alone has. */
enum capture_counter {
	CAPTURED_FRAMES,
	CAPTURED_BYTES,
	CAPTURE_KERNEL_DROPS,
	CAPTURE_INTERFACE_DROPS,
	CAPTURE_RING_DROPS,
	CAPTURE_STARTS,
	CAPTURE_NUMBER, /* whatever the ring gets of the frames up to this number is in it */
	CAPTURE_COUNTERS,
};

/*
 * What the engine has in hand, as it shows in the counters of its findings ring. Who finds it dead knows
 * what to leave out the next time; the hub knows how long to wait for it.
 */
enum engine_note {
	NOTE_BATCH, /* frames at hand, the oldest of the ring; with NOTE_PROBES of the prober's */
	NOTE_NDPI,  /* the service whose packet nDPI looks at (an opaque number), 0 for none */
	NOTE_ORDER, /* everything up to this report_order() has been told */
	NOTE_WAITING, /* bytes of frames that wait for it, looked at once a second */
};
enum { NOTE_PROBES = 1 << 16 };
enum { FRAMES_AT_HAND = 128 }; /* at most, below NOTE_PROBES */

/* Exit codes of the hub: an engine or the prober sent what no honest one sends, or its store must be looked at. */
enum { EXIT_WRONG_REPORT = 70, EXIT_WRONG_OUTCOME = 71, EXIT_DAMAGED_STORE = 72 };

enum report_type { REPORT_FINDING = 1, REPORT_COUNTERS, REPORT_PROGRESS, REPORT_END, REPORT_PULSE, REPORT_TYPES };

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
	uint64_t ears_refused;    /* flows that found no memory for what their server says */
	uint64_t service_subjects; /* that were held against a file of service probes */
	uint64_t service_matches;
	uint64_t service_contradicted; /* matches of another service than the structure that was read */
	uint64_t pulses_evicted;  /* pairs whose figures were given up for others */
	uint64_t quarantined;     /* frames left out because engines crashed on them; see sensor/supervisor/quarantine.h */
	uint64_t ndpi_avoided;    /* packets not shown to nDPI, because it crashed on that service */
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

/* Why a pulse is told: at the end of its second, or at once for trouble; or-ed. */
enum pulse_why {
	PULSE_TICK = 1,       /* a second is over in which something was heard */
	PULSE_SILENT = 2,     /* nothing of either side for twice its longest usual gap */
	PULSE_OVERDUE = 4,    /* a request is unanswered for longer than the longest usual gap */
	PULSE_RESET = 8,      /* a side reset the connection, or refused a new one */
	PULSE_ERRORS = 16,    /* answers with errors where usually there are none */
	PULSE_RETRANSMIT = 32, /* a request had to be sent again */
	PULSE_ALL = 63,
};

/*
 * REPORT_PULSE: how one server (or one sender on Ethernet) and one client fared since the last such report. Times of frames
 * that the capture had twice count once. [0] is the client's side, [1] the server's.
 */
struct pulse {
	struct endpoint server;
	struct endpoint client;   /* family 0 and a MAC of zeros: whoever listens to cyclic frames */
	uint16_t vlan[2];
	uint16_t port;
	uint16_t ethertype;
	uint8_t transport;        /* enum transport */
	uint8_t why;              /* enum pulse_why */
	uint16_t reserved;        /* 0 */
	uint64_t frame;           /* the last one counted; with trouble, the one that shows it */
	int64_t since_ns;         /* the last report, or the first frame */
	int64_t time_ns;          /* of this report */
	int64_t heard_ns[2];      /* last frame of each side, 0 for never */
	uint32_t requests;        /* begun exchanges: the client's turns, or frames of a cyclic sender */
	uint32_t replies;
	uint32_t unanswered;      /* exchanges that a new request ended */
	uint32_t gap_sum_us;      /* from request to request: their sum, and the sum of what each differs from the one before */
	uint32_t gap_jitter_us;
	uint32_t gap_max_us;
	uint32_t rtt_sum_us;      /* request to reply */
	uint32_t rtt_max_us;
	uint32_t errors;          /* answers with SIGN_ERROR */
	uint32_t writes;          /* requests with SIGN_WRITE */
	uint32_t retransmits[2];
	uint32_t resets[2];
	uint32_t connects;        /* SYNs of the client */
	uint32_t duplicates;      /* frames that the mirror brought twice */
	uint32_t unseen;          /* acknowledged, but never captured: the capture lost frames */
	char protocol[FINDING_PROTOCOL_BYTES];
};

/*
 * What several engines tell of one source is read in this order, which is the order in which one engine would have
 * told it. `moment`: twice the number of the frame at hand, and one more for what is told between it and the next.
 */
static inline uint64_t report_order(uint64_t moment, uint8_t share)
{
	return moment * SHARES + share;
}

static inline uint8_t report_share(uint64_t order)
{
	return order % SHARES;
}

/* Which of its subject's addresses sent the frame that a finding was read from, or-ed; 0 is hearsay: another spoke of it. */
enum sent_from { SENT_FROM_MAC = 1, SENT_FROM_IP = 2, SENT_FROM_BOTH = 3 };

/* Of a finding, the ring may hold no more than up to the zero that ends its value: most values are short, or none. */
struct report {
	uint32_t type;   /* enum report_type */
	uint16_t engine; /* index of the engine */
	uint16_t sent_from; /* enum sent_from, of REPORT_FINDING; else 0 */
	uint64_t order;  /* report_order() */
	union {
		struct finding finding;
		struct engine_counters counters;
		struct progress progress;
		struct pulse pulse;
	};
};

#endif
