/* Width, colours, and how wide a text is. */
#include "sensor/ctl/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80, LEAST_WIDTH = 20 };

int terminal_width(int fd)
{
	const char *said = getenv("COLUMNS");
	struct winsize size;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= LEAST_WIDTH)
		return size.ws_col;
	return said && atoi(said) >= LEAST_WIDTH ? atoi(said) : USUAL_WIDTH;
}

bool terminal_colours(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

/* The character at *s, which moves on; 0xfffd for bytes that are none. */
static uint32_t next_character(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xc0 ? 9 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	if (more == 9) {
		*s += 1;
		return 0xfffd;
	}
	for (unsigned i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*s += i;
			return 0xfffd;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	*s += more + 1;
	return c;
}

/* East Asian wide characters take two columns, combining marks none; wcwidth() would want a locale. */
static int columns_of(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || c == 0x200b || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd) ? 2 : 1;
}

int text_columns(const char *text)
{
	int columns = 0;

	while (*text)
		columns += columns_of(next_character(&text));
	return columns;
}

size_t text_fitting(const char *text, int columns)
{
	const char *at = text;

	while (*at) {
		const char *next = at;
		int wide = columns_of(next_character(&next));

		if (wide > columns)
			break;
		columns -= wide;
		at = next;
	}
	return (size_t)(at - text);
}
