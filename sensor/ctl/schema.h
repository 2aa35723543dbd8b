/* The JSON Schemas of everything that the sensor tells; the build compiles packaging/siem/schemas in. */
#ifndef SENSOR_CTL_SCHEMA_H
#define SENSOR_CTL_SCHEMA_H

#include <stdio.h>

struct schema_file {
	const char *name; /* "asset" of asset.schema.json */
	const unsigned char *bytes, *end;
};

/* Written by the build, in the order of their names; ended by a NULL name. */
extern const struct schema_file schema_files[];

/*
 * One of them as it is, or with the name `all` every one in one document, each under $defs. 0, or -1 after a message on
 * stderr that names those that there are.
 */
int schema_write(const char *name, FILE *to);

#endif
