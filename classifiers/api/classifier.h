/*
 * One protocol: how it is recognised and how its bytes become findings.
 *
 * A classifier lives in classifiers/{ics,it,link}/NAME.c, defines `const struct classifier
 * classifier_NAME`, and is found by the build from its file name. It allocates nothing, calls no
 * system, keeps no global state: everything it may remember is its flow's memo.
 */
#ifndef CLASSIFIERS_API_CLASSIFIER_H
#define CLASSIFIERS_API_CLASSIFIER_H

#include "classifiers/api/cursor.h"
#include "classifiers/api/tell.h"
#include "classifiers/finding/finding.h"

enum verdict {
	NOT_MINE,  /* these bytes are not this protocol; on a flow that was ours: skip to the next segment */
	NEED_MORE, /* TCP: a message begins here and is not whole yet; nothing was taken or told */
	MAYBE,     /* a message was taken that fits but proves nothing; what was told is forgotten */
	MINE,      /* a message was taken and it is this protocol; what was told counts */
};

/* What a message says of the health of who answers, for those who watch it; a bit each. */
enum sign {
	SIGN_ERROR = 1, /* an answer that refuses or reports a fault */
	SIGN_WRITE = 2, /* a request that sets values of the process */
};

enum { MEMO_BYTES = 64, CLASSIFIER_PORTS = 8, CLASSIFIER_ETHERTYPES = 4 };

/* Ethertypes of our own for frames that carry none: 802.3 LLC frames are offered by DSAP/SSAP. */
enum { ETHERTYPE_LLC = 0x0001, ETHERTYPE_SNAP_OTHER = 0x0002 };

/*
 * What a classifier is given. In TCP `bytes` starts where a message should start and goes on as far
 * as bytes have come in order; the classifier takes exactly one message from it. In UDP and on
 * Ethernet it is one whole datagram or frame payload, and what is left over is ignored.
 *
 * The sender's and receiver's addresses are the outermost that belong to the devices themselves
 * (tunnels of the mirror are already off).
 */
struct reader {
	struct cursor bytes;
	uint8_t transport;    /* enum transport */
	uint8_t direction;    /* 0 or 1, fixed for the life of the flow; which is which means nothing */
	uint8_t handshake;    /* enum role of the sender as the TCP handshake showed it, ROLE_UNKNOWN if unseen */
	bool gap;             /* bytes were lost just before these, or the flow was joined in mid-stream */
	bool truncated;       /* the capture cut this frame: what is missing at the end is no fault of the sender */
	bool multicast;       /* sent to many */
	uint16_t sender_port; /* UDP and TCP */
	uint16_t receiver_port;
	uint16_t ethertype;   /* Ethernet: after VLAN tags; ETHERTYPE_LLC for LLC (bytes start at the DSAP). IP: its protocol */
	const struct endpoint *sender;
	const struct endpoint *receiver;
	int64_t time_ns;
	/*
	 * 64 bytes, zero at the start of the flow, shared by both directions; 8-byte aligned.
	 * Belongs to the classifier from its first MAYBE or MINE. Ethernet and IP: NULL, there are no flows.
	 */
	void *memo;
	/*
	 * Out: what the sender of this message is, ROLE_SERVER when it answered, ROLE_CLIENT when it
	 * asked, ROLE_PEER when the protocol has no sides. Set it with every MINE.
	 */
	uint8_t sender_role;
	/*
	 * Out: set it when the service is not at the sender's (or receiver's) port of this flow, as
	 * with answers from a fresh UDP port; 0 leaves it to the engine.
	 */
	uint16_t service_port;
	/* Out: enum sign, or-ed; starts at 0. */
	uint8_t signs;
	struct told *told;
};

/* One message of a flow that is the classifier's, in the direction whose end was told to speak it. */
struct glance {
	struct cursor bytes; /* as in struct reader, and nothing was lost before or in them */
	uint8_t direction;
	uint8_t transport;
	uint8_t signs;       /* out: those that read() would give; starts at 0 */
	int64_t time_ns;
};

struct classifier {
	const char *name;                           /* as the file, without .c */
	uint8_t transports;                         /* 1 << enum transport, or-ed */
	uint16_t ports[CLASSIFIER_PORTS];           /* hints: tried first here; never enough to decide */
	uint16_t ethertypes[CLASSIFIER_ETHERTYPES]; /* Ethernet: offered frames of these only; IP: of these protocols */
	/*
	 * Bytes that one TCP message may have at most, 0 for the default of 4096; never over 16384.
	 * A message that needs more is skipped and counted.
	 */
	uint16_t max_message;
	/*
	 * Reads one message. May be called with any bytes at all. The port may make a doubtful
	 * structure MAYBE, never MINE. On an unknown flow the first classifier to say MINE gets it.
	 */
	enum verdict (*read)(struct reader *r);
	/*
	 * Optional, for what comes by the thousand each second. True when the message at hand is routine, and taken off
	 * g->bytes: read() would answer MINE and tell nothing, and the memo is left as read() would leave it. It still must
	 * look at all that could make it otherwise: lengths, function, unit, errors. At false, or in any doubt, the memo is as
	 * it was and read() gets the same bytes. Ethernet: memo is NULL and `bytes` a whole frame.
	 */
	bool (*glance)(struct glance *g, void *memo);
	/*
	 * Optional: forgets of a flow that is the classifier's what it told, so that read() tells it again where it still holds.
	 * Called every few minutes, because flows last for weeks and what still speaks is to be seen. Nothing else is forgotten.
	 */
	void (*forget)(void *memo);
	/*
	 * Optional, Ethernet: how many bytes from the start of a frame decide all that read() tells of it, 0 for all of them.
	 * A second frame of the same sender that is alike so far is not read again within two minutes.
	 */
	size_t (*telling)(const struct cursor *frame);
};

/* All classifiers, ended by NULL; written by the build from the file names. */
extern const struct classifier *const classifiers[];
/* Those of them that stand under classifiers/ics. */
extern const struct classifier *const classifiers_of_plants[];

#endif
