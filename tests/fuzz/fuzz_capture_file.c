/* The readers of pcap, pcapng and gzip on files that no program wrote. */
#include "sensor/engine/capture_file.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct capture_file *file;
	const char *why;
	volatile uint8_t sum = 0;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	file = capture_file_open(fd, &why);
	if (!file)
		return 0;
	for (;;) {
		struct frame f;
		enum capture_result result = capture_file_next(file, &f);

		if (result == CAPTURE_FRAME) {
			for (uint32_t i = 0; i < f.captured; i++)
				sum = (uint8_t)(sum + f.bytes[i]);
			if (f.length < f.captured)
				abort();
		} else if (result == CAPTURE_REFILL) {
			capture_file_refill(file);
		} else {
			break;
		}
	}
	capture_file_close(file);
	return 0;
}
