/* askance top: the sensor as it works, on a terminal. */
#include "sensor/ctl/top.h"

#include "sensor/ctl/options.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ESCAPE = 27, MS = 1000 };

struct request {
	struct sensor_link link;
	int every_s;
};

static const struct verb_option options[] = {
	OPTION_NUMBER(struct request, every_s, 0, "every", "SECONDS", 1, 3600, "how often to look (2)"),
	OPTION_GROUP(struct request, link, sensor_link_options),
	OPTION_END,
};

/* Texts are UTF-8, whatever the locale says of programs that can't. */
static void choose_locale(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static void watch(struct top *t, int every_s)
{
	timeout(every_s * MS);
	for (;;) {
		int key;

		top_draw(t);
		key = getch();
		if (key == 'q' || key == 'Q' || key == ESCAPE)
			return;
		if (key == ERR)
			top_ask(t);
		else if (key != KEY_RESIZE)
			flushinp();
	}
}

static int run_top(int argc, char **argv)
{
	struct request q = { .link = { .verb = "top" }, .every_s = 2 };
	SCREEN *screen;
	struct top *t;

	if (!options_take(options, &q, argc, argv))
		return EXIT_NOTHING;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "askance top: wants a terminal; `askance status` prints once\n");
		return EXIT_NOTHING;
	}
	t = calloc(1, sizeof *t);
	if (!t)
		abort();
	t->link = q.link;
	/* The first time tells on the terminal as it is what is wrong; later the view says it. */
	if (sensor_link_open(&t->link) < 0) {
		free(t);
		return EXIT_NOTHING;
	}
	t->link.quiet = true;
	choose_locale();
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		fprintf(stderr, "askance top: the terminal '%s' is not known\n", getenv("TERM") ? getenv("TERM") : "");
		top_free(t);
		free(t);
		return EXIT_NOTHING;
	}
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	top_ask(t);
	watch(t, q.every_s);
	endwin();
	delscreen(screen);
	top_free(t);
	free(t);
	return EXIT_WELL;
}

const struct verb verb_top = {
	.name = "top",
	.summary = "watch a running sensor: rates, losses, probes, newest changes and devices",
	.options = options,
	.help = "Key q quits. The view takes the size of its terminal.\n",
	.exits = { "quit", NULL, "there is no terminal, or Redis can't be reached" },
	.run = run_top,
};
