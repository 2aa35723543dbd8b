/*
 * The guard on any message of any protocol: what it allows it has read to its last byte, so that neither a byte less
 * nor one more is allowed as well.
 *
 * Input: {protocol:1 transport:1 bytes}; the protocol is an index into those that have a list.
 */
#include "active/guard/guard.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1024, SHORTEST_FRAME = 46 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of the exact size, so that a read past the end is seen. */
static struct guard_answer judge(const char *protocol, enum transport transport, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct guard_answer answer;

	if (!exact)
		abort();
	memcpy(exact, bytes, len);
	answer = guard_allows(protocol, transport, exact, len);
	if (guard_permits(protocol, transport, exact, len) != answer.allowed)
		abort();
	free(exact);
	return answer;
}

static const char *protocol_of(uint8_t number)
{
	const char *may, *name;
	uint8_t transports;
	size_t count = 0;

	while (guard_protocol(count, &transports, &may))
		count++;
	name = guard_protocol(number % count, &transports, &may);
	return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t longer[MOST + 1];
	struct guard_answer answer;
	enum transport transport;
	const char *protocol;

	if (size < 2 || size - 2 > MOST)
		return 0;
	protocol = protocol_of(data[0]);
	transport = (enum transport)(data[1] % TRANSPORTS);
	data += 2;
	size -= 2;
	answer = judge(protocol, transport, data, size);
	if (answer.allowed != (answer.why[0] == '\0') || answer.allowed != (answer.reading[0] != '\0'))
		abort();
	/* A frame may be padded up to the least size of Ethernet. */
	if (!answer.allowed || (transport == TRANSPORT_ETHERNET && size <= SHORTEST_FRAME))
		return 0;
	memcpy(longer, data, size);
	longer[size] = 0;
	if (judge(protocol, transport, data, size - 1).allowed || judge(protocol, transport, longer, size + 1).allowed)
		abort();
	return 0;
}
