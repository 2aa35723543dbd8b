/* Reads a file of probes line by line. Texts stay where they stand in a copy of the file; lists grow beside it. */
#include "classifiers/probes/service_probes.h"

#include "classifiers/files/whole_file.h"
#include "classifiers/probes/service_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char line_ending[] = "CR at the end of a line: the file has been through a system with other line ends";

static void read_lines(struct parser *p, size_t len)
{
	char *at = p->m->text, *end = at + len;

	while (at < end && !p->exhausted) {
		char *newline = memchr(at, '\n', (size_t)(end - at)), *next = newline ? newline + 1 : end;
		size_t n = (size_t)((newline ? newline : end) - at);

		p->line++;
		at[n] = 0;
		if (n > SERVICE_LINE_BYTES && at[0] != '#')
			service_refuse(p, p->line, "a line of %zu bytes; there may be %d", n, SERVICE_LINE_BYTES);
		else if (strlen(at) != n && at[0] != '#')
			service_refuse(p, p->line, "a NUL stands in the line");
		else if (n && at[0] != '#' && at[n - 1] == '\r')
			service_refuse(p, p->line, "%s", line_ending);
		else if (n && at[0] != '#')
			service_line_read(p, at);
		at = next;
	}
}

/* The names of a fallback line become indices. */
static void resolve(struct parser *p, struct service_probe *n, char *names)
{
	for (char *name = names, *end; name; name = end) {
		const struct service_probe *other;

		end = strchr(name, ',');
		if (end)
			*end++ = 0;
		name += strspn(name, " \t");
		name[strcspn(name, " \t")] = 0;
		other = service_probes_find(p->out, (enum transport)n->transport, name);
		/* A probe of TCP may name the one that asks the same over UDP, as those of DNS do. */
		if (!other)
			other = service_probes_find(p->out, n->transport == TRANSPORT_TCP ? TRANSPORT_UDP : TRANSPORT_TCP, name);
		if (!other)
			service_refuse(p, n->line, "fallback of %s: there is no probe '%.40s'", n->name, name);
		else if (n->fallback_count == SERVICE_FALLBACKS)
			service_refuse(p, n->line, "fallback of %s: more than %d names", n->name, SERVICE_FALLBACKS);
		else
			n->fallback[n->fallback_count++] = (uint32_t)(other - p->out->probes);
	}
}

/* The lists no longer move: offsets become pointers, names become indices. */
static void settle(struct parser *p)
{
	struct service_probes *s = p->out;

	if (s->exclude_count)
		s->exclude = p->m->ports + (uintptr_t)s->exclude;
	for (uint32_t i = 0; i < s->probe_count; i++) {
		struct service_probe *n = &s->probes[i];

		if (n->port_count)
			n->ports = p->m->ports + (uintptr_t)n->ports;
		if (n->ssl_port_count)
			n->ssl_ports = p->m->ports + (uintptr_t)n->ssl_ports;
		if (p->m->names[i])
			resolve(p, n, p->m->names[i]);
	}
}

static bool usable(const struct service_probes *s)
{
	for (uint32_t i = 0; i < s->probe_count; i++)
		if (s->probes[i].payload_len || s->probes[i].match_count)
			return true;
	return false;
}

struct service_probes *service_probes_read(const char *text, size_t len, const char *path, service_complain *complain, void *context)
{
	struct service_probes *s = calloc(1, sizeof *s);
	struct service_memory *m = calloc(1, sizeof *m);
	struct parser p = { .out = s, .m = m, .path = path, .complain = complain, .context = context, .probe = NO_PROBE };

	if (s)
		s->memory = m;
	/* Bytes after their escapes are fewer than before: the file's length is room for all of them. */
	if (!s || !m || len > SERVICE_FILE_BYTES_MAX || !(m->text = malloc(len + 1)) || !(m->payloads = malloc(len + 1))) {
		complain(context, path, 0, len > SERVICE_FILE_BYTES_MAX ? "is larger than 64 MiB" : "no memory");
		if (s)
			service_probes_free(s);
		else
			free(m);
		return NULL;
	}
	memcpy(m->text, text, len);
	read_lines(&p, len);
	settle(&p);
	if (usable(s) && !p.exhausted)
		return s;
	complain(context, path, 0, "holds no line of a probe that can be used");
	service_probes_free(s);
	return NULL;
}

struct service_probes *service_probes_load_fd(int fd, const char *path, service_complain *complain, void *context)
{
	struct service_probes *s = NULL;
	const char *why;
	size_t len;
	char *text = whole_file(fd, SERVICE_FILE_BYTES_MAX, &len, &why);

	if (text)
		s = service_probes_read(text, len, path, complain, context);
	else
		complain(context, path, 0, why);
	free(text);
	return s;
}

struct service_probes *service_probes_load(const char *path, service_complain *complain, void *context)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct service_probes *s;

	if (fd < 0) {
		complain(context, path, 0, strerror(errno));
		return NULL;
	}
	s = service_probes_load_fd(fd, path, complain, context);
	close(fd);
	return s;
}

void service_probes_free(struct service_probes *s)
{
	if (!s)
		return;
	if (s->memory) {
		free(s->memory->text);
		free(s->memory->payloads);
		free(s->memory->ports);
		free(s->memory->names);
	}
	free(s->memory);
	free(s->probes);
	free(s->matches);
	free(s);
}

const struct service_probe *service_probes_find(const struct service_probes *s, enum transport t, const char *name)
{
	for (uint32_t i = 0; i < s->probe_count; i++)
		if (s->probes[i].transport == t && strcmp(s->probes[i].name, name) == 0)
			return &s->probes[i];
	return NULL;
}

bool service_ports_hold(const struct service_ports *ports, uint32_t count, uint16_t port)
{
	for (uint32_t i = 0; i < count; i++)
		if (port >= ports[i].low && port <= ports[i].high)
			return true;
	return false;
}
