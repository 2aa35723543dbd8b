/* Tables: natural widths first; when the line is too long the widest columns give way. */
#include "sensor/ctl/table.h"

#include "sensor/ctl/terminal.h"

#include <stdlib.h>
#include <string.h>

enum { GAP_COLUMNS = 2, LEAST_COLUMNS = 6 };

void table_start(struct table *t, const char *const *headers)
{
	memset(t, 0, sizeof *t);
	while (t->columns < TABLE_COLUMNS && headers[t->columns]) {
		t->headers[t->columns] = headers[t->columns];
		t->columns++;
	}
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	memset(t, 0, sizeof *t);
}

void table_row(struct table *t, const char *const *cells)
{
	if (t->rows == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char **grown = realloc(t->cells, room * t->columns * sizeof(char *));

		if (!grown)
			abort();
		t->cells = grown;
		t->room = room;
	}
	for (size_t i = 0; i < t->columns; i++) {
		char *copy = strdup(cells[i] ? cells[i] : "");

		if (!copy)
			abort();
		t->cells[t->rows * t->columns + i] = copy;
	}
	t->rows++;
}

/* A column in which nothing stands is left out: its width is 0. */
static void natural_widths(const struct table *t, int *widths)
{
	for (size_t i = 0; i < t->columns; i++) {
		widths[i] = 0;
		for (size_t row = 0; row < t->rows; row++) {
			int w = text_columns(t->cells[row * t->columns + i]);

			if (w > widths[i])
				widths[i] = w;
		}
		if (widths[i] && widths[i] < text_columns(t->headers[i]))
			widths[i] = text_columns(t->headers[i]);
	}
}

/* Takes from the widest columns until the line fits. False when they are as narrow as can be read before it does. */
static bool squeeze(const struct table *t, int *widths, int width)
{
	for (;;) {
		int total = -GAP_COLUMNS;
		size_t widest = 0;

		for (size_t i = 0; i < t->columns; i++) {
			total += widths[i] ? widths[i] + GAP_COLUMNS : 0;
			/* The first column is what people look things up by; it gives way last. */
			if (i > 0 && (widest == 0 || widths[i] > widths[widest]))
				widest = i;
		}
		if (total <= width)
			return true;
		if (widest == 0 || widths[widest] <= LEAST_COLUMNS)
			return false;
		widths[widest]--;
	}
}

/* On a narrow terminal the last columns are left out, so that the others can be read. */
static void fit_widths(const struct table *t, int *widths, int width)
{
	int natural[TABLE_COLUMNS];
	size_t shown = t->columns;

	memcpy(natural, widths, sizeof natural);
	while (!squeeze(t, widths, width) && shown > 1) {
		memcpy(widths, natural, sizeof natural);
		shown--;
		for (size_t i = shown; i < t->columns; i++)
			widths[i] = 0;
	}
}

static void print_cell(FILE *to, const char *text, int width, bool last)
{
	int columns = text_columns(text);

	if (columns > width) {
		size_t n = text_fitting(text, width - 1);

		fprintf(to, "%.*s…", (int)n, text);
		return;
	}
	fputs(text, to);
	if (!last)
		fprintf(to, "%*s", width - columns, "");
}

/* The last cell of the row that isn't empty: nothing is padded behind it. */
static void print_row(FILE *to, const struct table *t, const char *const *cells, const int *widths)
{
	size_t last = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (cells[i][0] && widths[i])
			last = i;
	for (size_t i = 0; i <= last; i++) {
		if (!widths[i])
			continue;
		print_cell(to, cells[i], widths[i], i == last);
		if (i < last)
			fprintf(to, "%*s", GAP_COLUMNS, "");
	}
}

void table_print(const struct table *t, FILE *to, int width, bool colours)
{
	int widths[TABLE_COLUMNS] = { 0 };

	natural_widths(t, widths);
	if (width > 0)
		fit_widths(t, widths, width);
	if (colours)
		fputs("\033[1m", to);
	print_row(to, t, t->headers, widths);
	fputs(colours ? "\033[0m\n" : "\n", to);
	for (size_t row = 0; row < t->rows; row++) {
		print_row(to, t, (const char *const *)&t->cells[row * t->columns], widths);
		putc('\n', to);
	}
}
