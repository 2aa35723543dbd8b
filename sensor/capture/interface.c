/*
 * Frames from the kernel's ring (TPACKET_V3: a block is handed over when it is full or its time is
 * up, so the delay is bounded and a busy link costs few wake-ups) to the outlet.
 */
#include "sensor/capture/interface.h"

#include "sensor/common/log.h"
#include "sensor/common/message.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAKE_AT_ONCE = 1024, NS_PER_S = 1000000000, DLT_RAW_HERE = DLT_RAW, LINKTYPE_RAW = 101 };

static enum interface_result tell_why(const struct interface *i, int error)
{
	switch (error) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		log_error("there is no interface '%s'", i->name);
		return INTERFACE_MISSING;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		log_error("no right to listen on '%s': run as root or give CAP_NET_RAW", i->name);
		return INTERFACE_FORBIDDEN;
	case PCAP_ERROR_IFACE_NOT_UP:
		log_error("interface '%s' is down: `ip link set %s up`", i->name, i->name);
		return INTERFACE_FAILED;
	default:
		log_error("can't listen on '%s': %s (%s)", i->name, pcap_statustostr(error), pcap_geterr(i->pcap));
		return INTERFACE_FAILED;
	}
}

/* Immediate mode would take TPACKET_V3 away and wake us for each frame. */
static int activate(pcap_t *p, const struct capture_config *config)
{
	pcap_set_snaplen(p, (int)config->snap_length);
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, (int)config->timeout_ms);
	pcap_set_buffer_size(p, (int)config->buffer_bytes);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	return pcap_activate(p);
}

/* Opened before the walls: afterwards there is no opening of files, and pcap_stats() would find zero. */
static void open_drop_files(struct interface *i)
{
	static const char *const names[] = { "rx_missed_errors", "rx_fifo_errors" };
	char path[128];

	for (size_t n = 0; n < 2; n++) {
		snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", i->name, names[n]);
		i->drop_files[n] = open(path, O_RDONLY | O_CLOEXEC);
	}
}

static uint64_t read_drop_files(const struct interface *i)
{
	uint64_t sum = 0;
	char text[32];

	for (size_t n = 0; n < 2; n++) {
		ssize_t got = i->drop_files[n] >= 0 ? pread(i->drop_files[n], text, sizeof text - 1, 0) : 0;

		if (got > 0) {
			text[got] = 0;
			sum += strtoull(text, NULL, 10);
		}
	}
	return sum;
}

/* libpcap's number for raw IP is the system's own, the registry's is another; all others of today agree. */
static uint16_t registered_linktype(int dlt)
{
	return (uint16_t)(dlt == DLT_RAW_HERE ? LINKTYPE_RAW : dlt);
}

enum interface_result interface_open(struct interface *i, const struct capture_config *config, unsigned index, struct outlet *outlet)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int result;

	*i = (struct interface){ .name = config->interface[index], .index = (uint8_t)index, .snap_length = config->snap_length,
	                         .drop_files = { -1, -1 }, .outlet = outlet };
	i->pcap = pcap_create(i->name, why);
	if (!i->pcap) {
		log_error("can't listen on '%s': %s", i->name, why);
		return INTERFACE_FAILED;
	}
	result = activate(i->pcap, config);
	if (result >= 0 && pcap_setnonblock(i->pcap, 1, why) == 0) {
		i->linktype = registered_linktype(pcap_datalink(i->pcap));
		open_drop_files(i);
		i->drops_at_start = read_drop_files(i);
		return INTERFACE_OK;
	}
	enum interface_result told = tell_why(i, result);

	interface_close(i);
	return told;
}

int interface_descriptor(const struct interface *i)
{
	return pcap_get_selectable_fd(i->pcap);
}

static void put_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct interface *i = (struct interface *)user;
	size_t most = RING_RECORD_MAX - sizeof(struct frame_header);
	size_t n = h->caplen < most ? h->caplen : most;
	struct frame_header f = {
		.time_ns = (int64_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec, /* nanoseconds, as asked for */
		.captured = (uint32_t)n,
		.length = h->len,
		.linktype = i->linktype,
		.interface = i->index,
	};

	outlet_put(i->outlet, &f, bytes);
}

bool interface_take(struct interface *i)
{
	int n = pcap_dispatch(i->pcap, TAKE_AT_ONCE, put_frame, (u_char *)i);

	if (n >= 0)
		return true;
	log_error("'%s': %s", i->name, pcap_geterr(i->pcap));
	return false;
}

void interface_drops(struct interface *i, uint64_t *kernel, uint64_t *device)
{
	struct pcap_stat st;

	*kernel = pcap_stats(i->pcap, &st) == 0 ? st.ps_drop : 0;
	*device = read_drop_files(i) - i->drops_at_start;
}

void interface_close(struct interface *i)
{
	for (size_t n = 0; n < 2; n++)
		if (i->drop_files[n] >= 0)
			close(i->drop_files[n]);
	if (i->pcap)
		pcap_close(i->pcap);
	i->pcap = NULL;
}
