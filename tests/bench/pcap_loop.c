/* The least that a program on libpcap can do: take every packet of a file, or those of a filter, and count it. For comparison. */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

struct count {
	uint64_t packets;
	uint64_t bytes;
};

static void count_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct count *c = (struct count *)(void *)user;

	(void)bytes;
	c->packets++;
	c->bytes += header->caplen;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	struct count c = { 0, 0 };
	struct bpf_program filter;
	pcap_t *file;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: pcap_loop FILE [FILTER]\n");
		return 2;
	}
	file = pcap_open_offline(argv[1], error);
	if (file == NULL) {
		fprintf(stderr, "pcap_loop: %s\n", error);
		return 2;
	}
	if (argc == 3 && (pcap_compile(file, &filter, argv[2], 1, PCAP_NETMASK_UNKNOWN) != 0 || pcap_setfilter(file, &filter) != 0)) {
		fprintf(stderr, "pcap_loop: %s: %s\n", argv[2], pcap_geterr(file));
		return 2;
	}
	if (pcap_loop(file, 0, count_packet, (u_char *)&c) != 0) {
		fprintf(stderr, "pcap_loop: %s\n", pcap_geterr(file));
		return 1;
	}
	pcap_close(file);
	printf("%" PRIu64 " %" PRIu64 "\n", c.packets, c.bytes);
	return 0;
}
