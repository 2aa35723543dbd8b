/* One line on the terminal, drawn over and over. */
#include "sensor/ctl/progress.h"

#include "sensor/ctl/terminal.h"

#include <stdio.h>
#include <string.h>

enum { BAR_CELLS = 30, NAME_CELLS = 32 };

static bool drawn;

void progress_draw(const char *name, const struct progress *p)
{
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	char bar[BAR_CELLS + 1], share[16] = "";
	int width = terminal_width(2);

	memset(bar, ' ', BAR_CELLS);
	bar[BAR_CELLS] = 0;
	if (p->bytes_total) {
		uint64_t done = p->bytes_read < p->bytes_total ? p->bytes_read : p->bytes_total;

		memset(bar, '#', (size_t)(done * BAR_CELLS / p->bytes_total));
		snprintf(share, sizeof share, "%3u%%", (unsigned)(done * 100 / p->bytes_total));
	}
	if (width < BAR_CELLS + NAME_CELLS + 30)
		fprintf(stderr, "\r\033[K%.12s %s %.1f M frames", base, share, (double)p->frames / 1e6);
	else
		fprintf(stderr, "\r\033[K%.*s [%s] %s %.1f M frames, %.0f MB", NAME_CELLS, base, bar, share,
			(double)p->frames / 1e6, (double)p->bytes_read / 1e6);
	fflush(stderr);
	drawn = true;
}

void progress_clear(void)
{
	if (!drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	drawn = false;
}
