/* The live view: figures above, then probes, newest changes and assets, as much as the screen has room for. */
#include "sensor/ctl/health_words.h"
#include "sensor/ctl/terminal.h"
#include "sensor/ctl/top.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FIGURE_ROWS = 4, DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

/* One line, cut at the edge of the screen by whole characters. */
static void line(int y, attr_t how, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void line(int y, attr_t how, const char *format, ...)
{
	char text[TOP_LINE_BYTES * 2];
	va_list args;

	if (y < 0 || y >= LINES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	attrset((int)how);
	/* The last column of the last row can't be written without scrolling; nothing is lost by leaving it. */
	mvaddnstr(y, 0, text, (int)text_fitting(text, COLS - 1));
	if (how & A_REVERSE)
		for (int x = getcurx(stdscr); x < COLS && x >= 0; x++)
			mvaddch(y, x, ' ');
	attrset(A_NORMAL);
}

static void print_duration(json_int_t s, char text[32])
{
	int days = (int)(s / DAY_S), hours = (int)(s % DAY_S / HOUR_S), minutes = (int)(s % HOUR_S / MINUTE_S);

	if (days)
		snprintf(text, 32, "%dd %dh", days, hours);
	else
		snprintf(text, 32, "%d:%02d:%02d", hours, minutes, (int)(s % MINUTE_S));
}

/* "12.3 Mbit/s". */
static void print_scaled(double n, const char *unit, char text[32])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T" };
	size_t i = 0;

	while (n >= 1000 && i + 1 < sizeof prefixes / sizeof *prefixes) {
		n /= 1000;
		i++;
	}
	snprintf(text, 32, i ? "%.1f %s%s" : "%.0f %s%s", n, prefixes[i], unit);
}

static void draw_title(const struct top *t)
{
	char up[32], now[16] = "";
	time_t at = time(NULL);
	struct tm local;
	double age = t->health ? health_age_s(t->health) : -1;

	print_duration(t->uptime_s, up);
	strftime(now, sizeof now, "%H:%M:%S", localtime_r(&at, &local));
	if (t->health && age <= HEALTH_STALE_S)
		line(0, A_REVERSE, "askance top  %s  up %s  heard of %.0f s ago  %s", t->link.sensor, up, age > 0 ? age : 0, now);
	else
		line(0, A_REVERSE | A_BOLD, "askance top  %s  STALE: does not run, or does not reach Redis  %s", t->link.sensor, now);
}

static void draw_losses(int y, const json_t *health)
{
	char text[TOP_LINE_BYTES] = "";
	size_t n = 0;

	for (const struct health_loss *l = health_losses; l->path && n < sizeof text; l++)
		if (health_number(health, l->path) > 0)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld %s", n ? "; " : "", (long long)health_number(health, l->path), l->words);
	if (n)
		line(y, A_BOLD, "missed    %s", text);
	else
		line(y, A_NORMAL, "missed    nothing");
}

static void draw_figures(const struct top *t)
{
	const json_t *h = health_of(t->health);
	char frames[32], bits[32];

	print_scaled(t->frames_s, "frame/s", frames);
	print_scaled(t->bits_s, "bit/s", bits);
	line(1, A_NORMAL, "hears     %s  %s%s  %lld frames  %lld flows", frames, bits, t->average ? " on average" : "", (long long)t->frames,
	     (long long)health_number(h, "traffic.flows"));
	line(2, A_NORMAL, "knows     %lld assets  %lld services  %lld sub-assets  %lld gaps", (long long)health_number(h, "picture.assets"),
	     (long long)health_number(h, "picture.services"), (long long)health_number(h, "picture.subassets"), (long long)health_number(h, "picture.gaps"));
	line(3, A_NORMAL, "tells     Redis %s, %lld events behind; outbox %lld", health_text(h, "redis", "state"), (long long)health_number(h, "redis.lag_entries"),
	     (long long)health_number(h, "outbox.entries"));
	draw_losses(FIGURE_ROWS, h);
	if (t->trouble[0])
		line(FIGURE_ROWS, A_BOLD, "%s", t->trouble);
}

/* A heading and as many rows as fit below it before `end`. Returns the row after them. */
static int draw_list(int y, int end, const char *heading, const char (*rows)[TOP_LINE_BYTES], size_t count, const char *none)
{
	line(y++, A_BOLD, "%s", heading);
	if (count == 0 && y < end)
		line(y++, A_DIM, "  %s", none);
	for (size_t i = 0; i < count && y < end; i++)
		line(y++, A_NORMAL, "  %s", rows[i]);
	return y;
}

void top_draw(const struct top *t)
{
	int y = FIGURE_ROWS + 2, bottom = LINES - 1, room = bottom - y, probes;
	char heading[96];

	erase();
	draw_title(t);
	draw_figures(t);
	snprintf(heading, sizeof heading, "PROBES    %zu approved or running, %zu wait for a signature", t->probes_count, t->waiting);
	/* Probes are few and matter most; of the rest the changes get the larger half. */
	probes = t->probes_count ? (int)t->probes_count : 1;
	if (probes > room / 3)
		probes = room / 3;
	y = draw_list(y, y + 1 + probes, heading, t->probes, t->probes_count, "none");
	room = bottom - y - 2;
	y = draw_list(y + 1, y + 2 + (room * 3 + 4) / 5, "CHANGES   the newest first", t->changes, t->changes_count, "none yet");
	draw_list(y + 1, bottom, "ASSETS    changed last, and how much of each is known", t->assets, t->assets_count, "none yet");
	line(LINES - 1, A_REVERSE, "q quit");
	refresh();
}
