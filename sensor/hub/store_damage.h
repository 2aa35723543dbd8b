/*
 * A store that is damaged: found out, kept aside, and replaced by a new one into which goes what can still be
 * read of events, positions, proposals and whatever else is no part of the picture. The picture is heard anew.
 *
 * The file FILE-suspect stands beside a store in which SQLite met damage, or that contradicts itself, until
 * the next opening has looked at all of it.
 */
#ifndef SENSOR_HUB_STORE_DAMAGE_H
#define SENSOR_HUB_STORE_DAMAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum { STORE_PATH_BYTES = 512 };

/* Before the first use of SQLite: from then on it tells of damage wherever it meets it. */
void store_damage_watch(void);
/* It has met damage since, in whatever file. */
bool store_damage_met(void);
void store_damage_forget(void);

/* `useless`: the next opening need not look, it can't be used. */
void store_suspect(const char *path, bool useless);

/* Reads what must be read to know; all of it when it is suspected. False with the cause in why[]. */
bool store_is_sound(sqlite3 *db, const char *path, char *why, size_t room);

/* Renames the closed store FILE to FILE.corrupt-TIME, with its journal, and writes that name to aside[]. 0, or -1 with the cause in the log. */
int store_set_aside(const char *path, char aside[STORE_PATH_BYTES]);

/* Copies into the new store what can be read of the old one. */
void store_salvage(sqlite3 *db, const char *aside);

#endif
