/*
 * findings FILE: runs the engine over a capture and prints what it tells the hub, one finding a line.
 * For people who write classifiers.
 */
#include "sensor/common/config.h"
#include "sensor/common/message.h"
#include "sensor/common/ring.h"
#include "sensor/common/spawn.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const kinds[FINDING_KINDS] = { "", "host", "service", "speaks", "attribute", "subasset", "talks", "activity" };

static void print_endpoint(const struct endpoint *e)
{
	char ip[INET6_ADDRSTRLEN] = "-";

	if (e->family)
		inet_ntop(e->family == 4 ? AF_INET : AF_INET6, e->ip, ip, sizeof ip);
	printf("%s/%02x:%02x:%02x:%02x:%02x:%02x/%u", ip, e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4], e->mac[5], e->binding);
}

static void print_finding(const struct finding *f)
{
	printf("%llu\t%s\t", (unsigned long long)f->frame, kinds[f->kind % FINDING_KINDS]);
	print_endpoint(&f->subject);
	printf("\t%s %s/%u\t%s %s\tvlan %u.%u\t%s\t%s=%s", f->protocol, transport_name(f->transport), f->port, role_name(f->role),
	       evidence_name(f->evidence), f->vlan[0], f->vlan[1], f->path,
	       f->activity ? activity_name(f->activity) : attribute_name(f->attribute), f->value);
	if (f->peer.family) {
		printf("\tpeer ");
		print_endpoint(&f->peer);
	}
	puts(finding_valid(f) ? "" : "\tINVALID");
}

static void print_report(const struct report *r)
{
	if (r->type == REPORT_FINDING)
		print_finding(&r->finding);
	else if (r->type == REPORT_END)
		fprintf(stderr, "end: status %u frames %llu %s\n", r->progress.status, (unsigned long long)r->progress.frames, r->progress.why);
	else if (r->type == REPORT_COUNTERS)
		fprintf(stderr, "frames %llu undecoded %llu malformed %llu truncated %llu flows %llu messages %llu rejected %llu gaps %llu findings %llu lost %llu ndpi %llu\n",
			(unsigned long long)r->counters.frames, (unsigned long long)r->counters.undecoded,
			(unsigned long long)r->counters.malformed, (unsigned long long)r->counters.truncated,
			(unsigned long long)r->counters.flows, (unsigned long long)r->counters.messages,
			(unsigned long long)r->counters.messages_rejected, (unsigned long long)r->counters.stream_gaps,
			(unsigned long long)r->counters.findings, (unsigned long long)r->counters.findings_lost,
			(unsigned long long)r->counters.ndpi_packets);
}

static void drain(struct ring *ring)
{
	const void *record;
	size_t len;

	while (ring_next(ring, &record, &len) == RING_OK)
		print_report(record);
	ring_release(ring);
}

int main(int argc, char **argv)
{
	struct engine_config config = { .version = CONFIG_VERSION, .source = ENGINE_FILE, .flows = 1 << 20, .details = 1 << 18,
					.stream_bytes = 64 << 20, .ndpi_flows = 65536, .retell_ms = 3600000, .walls = 0 };
	struct ring_fds fds;
	struct ring ring;
	int file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, status = 0;
	char *const engine_argv[] = { "askance-engine", NULL };
	pid_t pid;

	if (file < 0 || ring_create(&fds, "findings", 16 << 20) < 0 ||
	    ring_attach_consumer(&ring, fds.records_ro, fds.tail_rw, fds.wake) < 0) {
		fprintf(stderr, "usage: findings FILE\n");
		return 2;
	}
	struct spawn_fd to[] = { { spawn_config(&config, sizeof config), FD_CONFIG }, { fds.records_rw, FD_RECORDS_OUT },
				 { fds.tail_ro, FD_TAIL_OUT }, { fds.wake, FD_WAKE_OUT }, { file, FD_CAPTURE_FILE } };
	pid = spawn("askance-engine", engine_argv, to, sizeof to / sizeof *to);
	if (pid < 0) {
		perror("askance-engine");
		return 2;
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		drain(&ring);
		poll(NULL, 0, 1);
	}
	drain(&ring);
	if (WIFSIGNALED(status))
		fprintf(stderr, "engine died by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
