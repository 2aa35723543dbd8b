/* One network interface that is listened to, through libpcap. Nothing here looks into a frame. */
#ifndef SENSOR_CAPTURE_INTERFACE_H
#define SENSOR_CAPTURE_INTERFACE_H

#include "sensor/capture/outlet.h"
#include "sensor/common/config.h"

#include <stdbool.h>
#include <stdint.h>

struct pcap;

struct interface {
	const char *name;
	struct pcap *pcap;
	uint16_t linktype;
	uint8_t index;
	uint32_t snap_length;
	int drop_files[2];         /* the kernel's counters of frames that never left the interface; -1 */
	uint64_t drops_at_start;   /* what they said when we came */
	struct outlet *outlet;
};

enum interface_result { INTERFACE_OK, INTERFACE_MISSING, INTERFACE_FORBIDDEN, INTERFACE_FAILED };

/* Opens config->interface[index] and says in log_error why it could not. `outlet` gets the frames. */
enum interface_result interface_open(struct interface *i, const struct capture_config *config, unsigned index, struct outlet *outlet);

/* To wait on. */
int interface_descriptor(const struct interface *i);

/* Puts frames that wait into the outlet (unpublished), a bounded number. False when the interface is gone or broken, which was told. */
bool interface_take(struct interface *i);

/* Frames that found the kernel's buffer full, and that the interface itself dropped, since it was opened. */
void interface_drops(struct interface *i, uint64_t *kernel, uint64_t *device);

void interface_close(struct interface *i);

#endif
