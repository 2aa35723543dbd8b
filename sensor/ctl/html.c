/* Escapes what is special in HTML and in SVG. */
#include "sensor/ctl/html.h"

#include <assert.h>

void html_text(const char *text, FILE *to)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			putc(*text, to);
		}
	}
}

void html_put(FILE *to, const char *const *texts)
{
	for (const char *markup = *texts++; *markup; markup++) {
		if (*markup != '%') {
			putc(*markup, to);
			continue;
		}
		assert(*texts);
		html_text(*texts++, to);
	}
	assert(!*texts);
}

struct html_number html_number(double n, int decimals)
{
	struct html_number out;

	snprintf(out.text, sizeof out.text, "%.*f", decimals, n);
	return out;
}
