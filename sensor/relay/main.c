/* askance-relay: carries the hub's words to Redis over the network. */
#include "sensor/relay/relay.h"

int main(void)
{
	return relay_run();
}
