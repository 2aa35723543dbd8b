/* Orders in, outcomes out, and words on stderr: no socket, no file, no process. */
#include "active/prober/walls.h"

#include "sensor/common/message.h"
#include "sensor/common/sandbox.h"

#include <seccomp.h>

enum { FILES = 16, ADDRESS_SPACE_BYTES = 256 * 1024 * 1024 };

static const int system_calls[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), -1,
};

static const struct sandbox_call tested_calls[] = {
	SANDBOX_ON(SCMP_SYS(write), FD_OUTCOMES),
	{ .call = -1 },
};

int prober_walls(bool require)
{
	const struct sandbox s = {
		.process = "prober",
		.system_calls = system_calls,
		.tested_calls = tested_calls,
		.address_space = ADDRESS_SPACE_BYTES,
		.files = FILES,
	};

	return sandbox_enter(&s, require);
}
