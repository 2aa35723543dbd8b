/*
 * What a large plant costs the hub: a picture of so many assets, then a stream of changes, and what each
 * change costs beside what it costs in a small picture. The real parts, with the store on disk.
 *
 * usage: hub_load FOLDER ASSETS CHANGES [BATCH]      (findings of one transaction, 1000)
 * Prints one line: assets, seconds of CPU to learn them, CPU microseconds a change, changes in a second of CPU, in one of
 * the clock, and in one of the clock without what other programs took of the CPU meanwhile; the share of this last time
 * that was waiting for the disk or for the store's threads, KiB written to the disk for each change, peak memory in MiB.
 */
#include "sensor/hub/batch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/store_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH_MOST = 1000, SLICES_MOST = 8, BLOCK_BYTES = 512, US_A_S = 1000000 };

static struct {
	struct store store;
	struct keeper *keeper;
	struct knowledge knowledge;
	struct picture picture;
	struct batch batch;
} hub;

static uint32_t batch = BATCH_MOST;

static double time_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds that this process could have run and was not let; 0 where the kernel does not say. */
static double time_kept_waiting(void)
{
	FILE *f = fopen("/proc/self/schedstat", "r");
	unsigned long long ran, waited = 0;

	if (f) {
		if (fscanf(f, "%llu %llu", &ran, &waited) != 2)
			waited = 0;
		fclose(f);
	}
	return (double)waited / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "hub_load: %s\n", what);
	exit(1);
}

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
}

static void start_hub(const char *folder, uint32_t assets)
{
	char path[512], error[512];

	hash_start();
	snprintf(path, sizeof path, "%s/askance.db", folder);
	remove(path);
	if (store_open(&hub.store, path) < 0)
		fail("no store");
	if (store_threads_open(&hub.store, NULL, NULL) < 0)
		fail("no threads of the store");
	hub.keeper = keep_open(&hub.store);
	hub.knowledge.devices = device_rules_load(SOURCE_DIR "/rules/devices", error, sizeof error);
	hub.knowledge.rules = ruleset_load(SOURCE_DIR "/rules", complain, NULL);
	hub.knowledge.policy = policy_load(SOURCE_DIR "/rules", hub.knowledge.rules, complain, NULL);
	if (!hub.knowledge.devices || !hub.knowledge.rules || !hub.knowledge.policy)
		fail("the rules do not load");
	picture_start(&hub.picture, "plant-1", "hall", assets + 1);
	hub.picture.telling = true;
	batch_start(&hub.batch, &hub.picture, &hub.store, hub.keeper, &hub.knowledge);
}

static struct finding finding_of(uint32_t device, enum finding_kind kind)
{
	static int64_t time_ns = 1700000000000000000;
	struct finding f = { .kind = (uint8_t)kind, .time_ns = time_ns += 1000, .frame = 1, .confidence = 90, .transport = TRANSPORT_TCP,
			     .protocol = "modbus" };

	f.subject = (struct endpoint){ .family = 4, .binding = BINDING_STATED, .ip = { 10, (uint8_t)(device >> 16), (uint8_t)(device >> 8), (uint8_t)device },
				       .mac = { 0x02, 0x1b, 0x1b, (uint8_t)(device >> 16), (uint8_t)(device >> 8), (uint8_t)device } };
	return f;
}

static void hear(struct finding f)
{
	static unsigned count;

	picture_hear(&hub.picture, &f, SENT_FROM_BOTH);
	if (++count % batch)
		return;
	batch_draft(&hub.batch);
	if (batch_store_begin(&hub.batch, NULL, NULL) < 0)
		fail("the store refuses");
}

static void finish(void)
{
	if (batch_store_end(&hub.batch) < 0)
		fail("the store refuses");
}

static void hear_attribute(uint32_t device, enum attribute a, const char *format, uint32_t number)
{
	struct finding f = finding_of(device, FINDING_ATTRIBUTE);

	f.attribute = (uint8_t)a;
	snprintf(f.path, sizeof f.path, "modbus/502/unit:1");
	snprintf(f.value, sizeof f.value, format, number);
	hear(f);
}

static void learn(uint32_t device)
{
	struct finding f = finding_of(device, FINDING_SERVICE);

	f.port = 502;
	f.evidence = EVIDENCE_STRUCTURE;
	hear(f);
	hear_attribute(device, ATTR_VENDOR, "Northfield Controls", 0);
	hear_attribute(device, ATTR_PRODUCT, "NC-%u", device % 40);
	hear_attribute(device, ATTR_FIRMWARE, "V1.%u", device % 9);
}

/* A change that every device may tell at any time; a function of its own, so that a profiler can be told to look at it alone. */
__attribute__((noinline)) static void change_some(uint32_t assets, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		hear_attribute((uint32_t)(((uint64_t)i * 7919) % assets) + 1, ATTR_FIRMWARE, "V2.%u", i);
}

/*
 * CPU seconds of a change in the cheapest of some slices: what other jobs do to the machine's caches only adds. Slices are
 * whole transactions.
 */
static double change_all(uint32_t assets, uint32_t changes)
{
	uint32_t transactions = changes / batch, slices = transactions < SLICES_MOST ? transactions : SLICES_MOST;
	uint32_t slice = transactions / slices * batch;
	double least = 0;

	for (uint32_t i = 0; i < slices; i++) {
		double start = time_of(CLOCK_PROCESS_CPUTIME_ID), taken;

		change_some(assets, i * slice, (i + 1) * slice);
		taken = time_of(CLOCK_PROCESS_CPUTIME_ID) - start;
		if (i == 0 || taken < least)
			least = taken;
	}
	change_some(assets, slices * slice, changes);
	return least / slice;
}

struct moment {
	double clock, cpu, own_cpu, kept_waiting; /* cpu: with the store's threads */
	struct rusage used;
};

static struct moment now(void)
{
	struct moment m = { .clock = time_of(CLOCK_MONOTONIC), .cpu = time_of(CLOCK_PROCESS_CPUTIME_ID),
			    .own_cpu = time_of(CLOCK_THREAD_CPUTIME_ID), .kept_waiting = time_kept_waiting() };

	getrusage(RUSAGE_SELF, &m.used);
	return m;
}

int main(int argc, char **argv)
{
	uint32_t assets = argc > 3 ? (uint32_t)atol(argv[2]) : 0, changes = argc > 3 ? (uint32_t)atol(argv[3]) : 0;
	struct moment start, learned, end;
	double change, clock, alone, disk;

	if (argc > 4)
		batch = (uint32_t)atol(argv[4]);
	if (!assets || !batch || changes < batch)
		fail("usage: hub_load FOLDER ASSETS CHANGES [BATCH]      (CHANGES: one batch at least)");
	start_hub(argv[1], assets);
	start = now();
	for (uint32_t i = 1; i <= assets; i++)
		learn(i);
	finish();
	learned = now();
	change = change_all(assets, changes);
	finish();
	end = now();
	clock = end.clock - learned.clock;
	alone = clock - (end.kept_waiting - learned.kept_waiting);
	disk = alone - (end.own_cpu - learned.own_cpu);
	printf("%u\t%.2f\t%.1f\t%.0f\t%.0f\t%.0f\t%.2f\t%.1f\t%ld\n", assets, learned.cpu - start.cpu, change * US_A_S, 1 / change, changes / clock,
	       changes / alone, disk > 0 ? disk / alone : 0,
	       (double)(end.used.ru_oublock - learned.used.ru_oublock) * BLOCK_BYTES / 1024 / changes, end.used.ru_maxrss / 1024);
	batch_free(&hub.batch);
	keep_close(hub.keeper);
	outbox_close(&hub.store);
	store_close(&hub.store);
	return 0;
}
