/*
 * MQTT: a clean session under a name of our own, one subscription to the broker's version, the
 * disconnect. OASIS MQTT 3.1.1, 3.1, 3.8 and 3.14.
 *
 *   | type, flags 1 | length 1 | "MQTT" | level 4 | flags 02 | keep-alive 2 | client id "askance-" and 4 letters |
 *   | 82 | length | packet id 2 | "$SYS/broker/version" | QoS 0 |      | e0 | 00 |
 *
 * No user, no will, nothing published; a client id of another beginning could push out a device.
 */
#include "active/guard/allow.h"

enum { CONNECT = 0x10, SUBSCRIBE = 0x82, DISCONNECT = 0xe0, LETTERS = 4, SUBSCRIPTION_BYTES = 24, LONGEST_KEEP_ALIVE_S = 60 };

static const char protocol[] = "\0\4MQTT\4\2", client[] = "\0\14askance-", topic[] = "\0\23$SYS/broker/version";

static bool judge_connect(struct ask *q)
{
	if (!ask_takes(q, protocol, sizeof(protocol) - 1))
		return ask_refuse(q, "the connect is not for a clean session of 3.1.1 without user and will");
	if (cursor_u16be(&q->bytes) > LONGEST_KEEP_ALIVE_S)
		return ask_refuse(q, "the connection would be kept longer than %d s", LONGEST_KEEP_ALIVE_S);
	if (!ask_takes(q, client, sizeof(client) - 1))
		return ask_refuse(q, "the client id is not askance- and %d letters", LETTERS);
	for (int i = 0; i < LETTERS; i++) {
		uint8_t c = cursor_u8(&q->bytes);

		if (c < 'a' || c > 'z')
			return ask_refuse(q, "the client id is not askance- and %d letters", LETTERS);
	}
	return ask_reads(q, "connect with a clean session");
}

static bool judge_subscribe(struct ask *q)
{
	if (cursor_left(&q->bytes) != SUBSCRIPTION_BYTES || cursor_u16be(&q->bytes) == 0 ||
	    !ask_takes(q, topic, sizeof(topic) - 1) || cursor_u8(&q->bytes) != 0)
		return ask_refuse(q, "the subscription is not to $SYS/broker/version at QoS 0");
	return ask_reads(q, "subscribe to $SYS/broker/version");
}

static bool judge_mqtt(struct ask *q)
{
	uint8_t type = cursor_u8(&q->bytes), length = cursor_u8(&q->bytes);

	if (length != cursor_left(&q->bytes))
		return ask_refuse(q, "the packet's length (%u) is not that of the message", length);
	if (type == CONNECT)
		return judge_connect(q);
	if (type == SUBSCRIBE)
		return judge_subscribe(q);
	if (type == DISCONNECT && length == 0)
		return ask_reads(q, "disconnect");
	return ask_refuse(q, "packet type 0x%02x is none of connect, subscribe and disconnect", type);
}

const struct allow allow_mqtt = {
	.name = "mqtt",
	.transports = 1 << TRANSPORT_TCP,
	.may = "a clean session named askance-, a subscription to $SYS/broker/version, the disconnect",
	.judge = judge_mqtt,
};
