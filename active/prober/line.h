/*
 * One conversation with one target, over TCP, UDP or straight on Ethernet: bytes out, bytes in, and
 * the kernel's own times of both. Nothing here decides what is sent.
 */
#ifndef ACTIVE_PROBER_LINE_H
#define ACTIVE_PROBER_LINE_H

#include "active/ruleset/ruleset.h"

enum {
	LINE_CONNECT_MS = 800, /* below the kernel's first repetition of a SYN, at one second */
	LINE_CHUNK_BYTES = 65536,
};

struct line {
	int fd;               /* -1: closed */
	uint8_t transport;    /* enum transport */
	uint8_t reply_port;   /* enum reply_port */
	bool group;           /* sent to many, so anybody may answer */
	bool kernel_time;     /* times are the kernel's */
	int unreachable;      /* UDP: errno of an ICMP message that came for what was sent; 0 for none */
	struct endpoint own, target;
	uint16_t own_port, port;
	uint16_t ethertype;
	unsigned interface;
	uint8_t destination[6];
	uint32_t packets;     /* frames towards the target, as far as the kernel tells */
	uint32_t bytes;       /* payload in them */
};

enum line_got {
	LINE_NOTHING, /* not now */
	LINE_DATA,
	LINE_CLOSED,  /* the device closed its side */
	LINE_FAILED,  /* reset, unreachable, gone: errno says */
};

/* What came, from whom and when. */
struct line_news {
	size_t len;
	int64_t time_ns;
	uint16_t port;    /* the sender's */
	uint8_t mac[6];   /* the sender's, on Ethernet */
};

/* A socket of that family and type on the probing interface with our source address and kernel times. -1 with errno. */
int line_socket(const struct line *l, const char *interface, int type);

/* Sends all of it as one; *time_ns is when. False with errno when it was not sent whole. */
bool line_send(struct line *l, const uint8_t *bytes, size_t len, int64_t *time_ns);

/* Takes what is there from the target; of others' frames nothing. Does not wait. */
enum line_got line_receive(struct line *l, uint8_t *bytes, size_t room, struct line_news *news);

/* tcp.c: one SYN. 0, or -1 with errno; done when tcp_connected() says so. */
int tcp_open(struct line *l, const char *interface, uint16_t first, uint16_t last, uint16_t *next);
int tcp_connect(struct line *l);
/* 1 when the connection stands, 0 when not yet, -1 with errno when it will not. */
int tcp_connected(struct line *l);
/* Our FIN: nothing more can be sent. */
void tcp_finish(struct line *l);
/* Counts the frames that the kernel sent. */
void tcp_count(struct line *l);

/* udp.c: a port of the range of our own, for answers from the target's address alone. */
int udp_open(struct line *l, const char *interface, uint16_t first, uint16_t last, uint16_t *next);

/* ethernet.c: one socket for each ethertype, bound to it and to the interface, opened before the walls; the first is ARP's. */
enum { ETHERNET_SOCKETS = 5, ETHERTYPE_OF_ARP = 0x0806 };
struct ethernet {
	struct {
		uint16_t ethertype;
		int fd;
	} sockets[ETHERNET_SOCKETS];
	unsigned count;
};
/* False, with errno, when one that a rule needs can't be had; the others stay. */
bool ethernet_prepare(struct ethernet *e, const struct ruleset *rules, unsigned interface);
/* The socket of that ethertype with nothing old in it; -1 when there is none. */
int ethernet_listen(const struct ethernet *e, uint16_t ethertype);
int ethernet_open(struct line *l, const struct ethernet *e, const struct rule *rule, unsigned interface);

#endif
