/* Markup with texts of strangers in it: whatever stands for a % is escaped. */
#ifndef SENSOR_CTL_HTML_H
#define SENSOR_CTL_HTML_H

#include <stddef.h>
#include <stdio.h>

/* A text as it may stand in an element or in an attribute's quotes. */
void html_text(const char *text, FILE *to);

/* Prints the first text, markup; the others take the places of its % signs, in order. There are as many as signs, and a NULL. */
void html_put(FILE *to, const char *const *texts);
#define HTML(to, ...) html_put(to, (const char *const[]){ __VA_ARGS__, NULL })

struct html_number {
	char text[24];
};
/* A number as one of the texts; `decimals` 0 or 1. */
struct html_number html_number(double n, int decimals);
#define NUMBER(n) (html_number((double)(n), 0).text)
#define TENTHS(n) (html_number((double)(n), 1).text)

#endif
