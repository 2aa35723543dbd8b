/* Judges what a device is: of the rules whose conditions hold the surest one speaks. */
#include "classifiers/host/device_class.h"

#include "classifiers/host/device_index.h"
#include "classifiers/host/device_rules.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPECTING_MAX = 64 };

static bool outranks(const struct device_rule *r, const struct device_rule *best)
{
	if (best == NULL || r->sure != best->sure)
		return best == NULL || r->sure > best->sure;
	return r->when_count > best->when_count;
}

/* The surest matching rule for each thing that can follow. */
struct winners {
	const struct device_rule *vendor;
	const struct device_rule *class;
	const struct device_rule *series;
	const struct device_rule *os;
};

static void hear_rule(struct winners *w, const struct device_rule *r)
{
	if (r->vendor != NULL && outranks(r, w->vendor))
		w->vendor = r;
	if (r->class != CLASS_NONE && outranks(r, w->class))
		w->class = r;
	if (r->series != NULL && outranks(r, w->series))
		w->series = r;
	if (r->os != NULL && outranks(r, w->os))
		w->os = r;
}

static void add_expected(struct device_verdict *v, const struct device_rule *r)
{
	for (unsigned i = 0; i < r->expects_count; i++) {
		size_t seen = 0;

		while (seen < v->expect_count && strcmp(v->expects[seen], r->expects[i]) != 0)
			seen++;
		if (seen == v->expect_count && seen < DEVICE_EXPECTS)
			v->expects[v->expect_count++] = r->expects[i];
	}
}

/* A rule that speaks of another vendor or class than the device turned out to be expects nothing of it. */
static bool agrees(const struct device_rule *r, const struct winners *w)
{
	if (r->vendor != NULL && w->vendor != NULL && strcmp(r->vendor, w->vendor->vendor) != 0)
		return false;
	return r->class == CLASS_NONE || w->class == NULL || r->class == w->class->class;
}

static const char *cpe_of(const struct device_rules *r, const char *series)
{
	for (size_t f = 0; f < r->files; f++)
		for (unsigned i = 0; i < r->file[f]->cpe_count; i++)
			if (strcmp(r->file[f]->cpe[i].series, series) == 0)
				return r->file[f]->cpe[i].cpe;
	return NULL;
}

void device_class_place(const struct device_rules *r, const char *device_class, const char **purdue, const char **attack)
{
	*purdue = *attack = NULL;
	for (unsigned i = 0; r != NULL && device_class_name(i) != NULL; i++) {
		if (strcmp(device_class_name(i), device_class) != 0 || r->of_class[i + 1] == NULL)
			continue;
		*purdue = r->of_class[i + 1]->purdue;
		*attack = r->of_class[i + 1]->attack;
	}
}

static void fill_verdict(struct device_verdict *out, const struct device_rules *r, const struct winners *w)
{
	if (w->vendor != NULL) {
		out->vendor = w->vendor->vendor;
		out->vendor_rule = w->vendor->name;
		out->vendor_sure = w->vendor->sure;
	}
	if (w->class != NULL) {
		out->device_class = device_class_name(w->class->class - 1);
		out->class_rule = w->class->name;
		out->class_sure = w->class->sure;
		if (r->of_class[w->class->class] != NULL) {
			out->purdue = r->of_class[w->class->class]->purdue;
			out->attack = r->of_class[w->class->class]->attack;
		}
	}
	out->series = w->series != NULL ? w->series->series : NULL;
	if (out->series != NULL)
		out->cpe = cpe_of(r, out->series);
	out->os = w->os != NULL ? w->os->os : NULL;
}

void device_class_of(const struct device_rules *r, const struct device_evidence *e, struct device_verdict *out)
{
	const struct device_rule *telling[EXPECTING_MAX]; /* matching rules that expect something */
	const struct device_rule *const *matched;
	size_t tellers = 0, count;
	struct winners w = { 0 };

	memset(out, 0, sizeof(*out));
	if (r == NULL)
		return;
	matched = device_index_match(r->index, e, &count);
	for (size_t i = 0; i < count; i++) {
		hear_rule(&w, matched[i]);
		if (matched[i]->expects_count > 0 && tellers < EXPECTING_MAX)
			telling[tellers++] = matched[i];
	}
	fill_verdict(out, r, &w);
	for (size_t i = 0; i < tellers; i++)
		if (agrees(telling[i], &w))
			add_expected(out, telling[i]);
}

/* "V3.2.6 (build 7)" becomes 3.2.6: its first word, without the letter that says it is a version. */
static size_t put_version(const char *version, char *out, size_t room)
{
	size_t n = 0;

	if ((version[0] == 'V' || version[0] == 'v') && isdigit((unsigned char)version[1]))
		version++;
	for (; *version > ' ' && *version < 0x7f; version++) {
		bool plain = isalnum((unsigned char)*version) || *version == '.' || *version == '-' || *version == '_';

		if (n + 2 >= room)
			return 0;
		if (!plain)
			out[n++] = '\\';
		out[n++] = (char)tolower((unsigned char)*version);
	}
	out[n] = 0;
	return n;
}

size_t device_cpe(const struct device_verdict *v, const char *version, char *out, size_t room)
{
	char text[DEVICE_TEXT_BYTES];
	int n;

	if (v->cpe == NULL)
		return 0;
	if (version == NULL || put_version(version, text, sizeof(text)) == 0 || strcmp(text, "-") == 0)
		memcpy(text, "*", 2);
	n = snprintf(out, room, "cpe:2.3:%s:%s:*:*:*:*:*:*:*", v->cpe, text);
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}
