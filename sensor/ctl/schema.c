/* Prints the schemas that are compiled in. */
#include "sensor/ctl/schema.h"

#include <string.h>

static void write_one(const struct schema_file *f, FILE *to)
{
	fwrite(f->bytes, 1, (size_t)(f->end - f->bytes), to);
}

/* Each keeps its $id, so that their references to one another hold. */
static void write_all(FILE *to)
{
	fputs("{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"$defs\": {\n", to);
	for (const struct schema_file *f = schema_files; f->name; f++) {
		fprintf(to, "\"%s\": ", f->name);
		write_one(f, to);
		fputs(f[1].name ? ",\n" : "}\n}\n", to);
	}
}

int schema_write(const char *name, FILE *to)
{
	if (strcmp(name, "all") == 0) {
		write_all(to);
		return 0;
	}
	for (const struct schema_file *f = schema_files; f->name; f++)
		if (strcmp(f->name, name) == 0) {
			write_one(f, to);
			return 0;
		}
	fprintf(stderr, "askance export: there is no schema '%s'; there are all", name);
	for (const struct schema_file *f = schema_files; f->name; f++)
		fprintf(stderr, ", %s", f->name);
	fputs("\n", stderr);
	return -1;
}
