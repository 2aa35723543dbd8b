/* Holds sensors and witnesses. */
#include "sensor/fleet/parts.h"

#include <stdlib.h>
#include <string.h>

struct fleet *fleet_new(size_t most)
{
	struct fleet *f = calloc(1, sizeof *f);

	if (f)
		f->most = most;
	return f;
}

void fleet_free(struct fleet *f)
{
	if (!f)
		return;
	while (f->members)
		fleet_drop_member(f, f->members - 1);
	matching_clear(&f->matching);
	free(f->member);
	free(f->decision);
	free(f);
}

/* Where the name stands or belongs. */
static size_t place_of(const struct fleet *f, const char *name)
{
	size_t low = 0, high = f->members;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(f->member[middle]->sensor.name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct member *fleet_member(struct fleet *f, const char *name, size_t len, bool make)
{
	char text[FLEET_NAME_BYTES];
	struct member *m;
	size_t at;

	if (len >= sizeof text || len == 0)
		return NULL;
	memcpy(text, name, len);
	text[len] = 0;
	at = place_of(f, text);
	if (at < f->members && strcmp(f->member[at]->sensor.name, text) == 0)
		return f->member[at];
	if (!make || f->members == FLEET_SENSORS)
		return NULL;
	if (f->members == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct member **grown = realloc(f->member, room * sizeof *grown);

		if (!grown)
			return NULL;
		f->member = grown;
		f->room = room;
	}
	m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	strcpy(m->sensor.name, text);
	memmove(&f->member[at + 1], &f->member[at], (f->members - at) * sizeof *f->member);
	f->member[at] = m;
	f->members++;
	return m;
}

void fleet_forget(struct fleet *f, struct member *m)
{
	struct witness *w, *next;

	HASH_ITER(hh, m->witnesses, w, next) {
		HASH_DEL(m->witnesses, w); /* the table goes with its last. NOLINT(clang-analyzer-unix.Malloc) */
		free(w);
		f->held--;
		f->changes++;
	}
	m->read_to = 0;
}

void fleet_drop_member(struct fleet *f, size_t i)
{
	struct member *m = f->member[i];

	fleet_forget(f, m);
	f->members--;
	memmove(&f->member[i], &f->member[i + 1], (f->members - i) * sizeof *f->member);
	free(m);
}

void fleet_drop(struct fleet *f, struct member *m, const char *id)
{
	struct witness *w;

	HASH_FIND_STR(m->witnesses, id, w);
	if (!w)
		return;
	HASH_DEL(m->witnesses, w);
	free(w);
	f->held--;
	f->changes++;
}

void fleet_keep(struct fleet *f, struct member *m, struct witness *w)
{
	struct witness *old;

	HASH_FIND_STR(m->witnesses, w->id, old);
	if (!old && f->held == f->most) {
		f->refused++;
		free(w);
		return;
	}
	w->round = old && witness_same(old, w) ? old->round : f->round;
	f->changes += w->round == f->round;
	if (old) {
		HASH_DEL(m->witnesses, old);
		free(old);
		f->held--;
	}
	HASH_ADD_STR(m->witnesses, id, w);
	f->held++;
}

void fleet_add(struct fleet *f, const char *sensor, struct witness *w)
{
	struct member *m = fleet_member(f, sensor, strlen(sensor), true);

	matching_clear(&f->matching);
	if (m)
		fleet_keep(f, m, w);
	else
		free(w);
}

bool fleet_add_health(struct fleet *f, const char *sensor, const char *body, size_t len)
{
	struct member *m = fleet_member(f, sensor, strlen(sensor), true);
	bool anew;

	return m && fleet_read_health(m, body, len, &anew);
}

bool fleet_add_decisions(struct fleet *f, const struct fleet_decision *list, size_t count)
{
	struct fleet_decision *grown = realloc(f->decision, (f->decisions + count + 1) * sizeof *grown);

	if (!grown)
		return false;
	f->decision = grown;
	if (count)
		memcpy(&f->decision[f->decisions], list, count * sizeof *list);
	f->decisions += count;
	return true;
}

size_t fleet_changes(const struct fleet *f)
{
	return f->changes;
}

uint64_t fleet_bytes(const struct fleet *f)
{
	return f->bytes;
}

uint64_t fleet_unreadable(const struct fleet *f)
{
	return f->unreadable;
}

uint64_t fleet_refused(const struct fleet *f)
{
	return f->refused;
}

size_t fleet_sensors(const struct fleet *f)
{
	return f->members;
}

const struct fleet_sensor *fleet_sensor(const struct fleet *f, size_t i)
{
	return &f->member[i]->sensor;
}

const struct fleet_sensor *fleet_sensor_of(const struct fleet *f, const struct witness *w)
{
	return &f->member[w->sensor]->sensor;
}

size_t fleet_decisions(const struct fleet *f)
{
	return f->decisions;
}

const struct fleet_decision *fleet_decision(const struct fleet *f, size_t i)
{
	return &f->decision[i];
}
