/* One datagram each; libsystemd would be a library in the process that holds most rights, for this alone. */
#include "sensor/supervisor/notify.h"

#include "sensor/common/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* an abstract name begins with a zero and ends with its last letter */
		to.sun_path[0] = 0;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	len += offsetof(struct sockaddr_un, sun_path);
	if (manager >= 0 && connect(manager, (const struct sockaddr *)&to, (socklen_t)len) == 0)
		return;
	log_warning("the service manager can't be told when the sensor listens: %s", strerror(errno));
	if (manager >= 0)
		close(manager);
	manager = -1;
}

void notify_say(const char *lines)
{
	if (manager >= 0 && send(manager, lines, strlen(lines), MSG_NOSIGNAL) < 0)
		log_warning("the service manager can't be told '%s': %s", lines, strerror(errno));
}
