/*
 * What a large plant costs the hub: a picture of so many assets, then a stream of changes, and what each
 * change costs beside what it costs in a small picture. The real parts, with the store on disk.
 *
 * usage: hub_load FOLDER ASSETS CHANGES [BATCH]      (findings of one transaction, 1000)
 * Prints one line: assets, seconds of CPU to learn them, CPU microseconds a change, changes in a second of CPU and in
 * one of the clock, KiB written to the disk for each, peak memory in MiB.
 */
#include "sensor/hub/batch.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH_MOST = 1000, SLICES = 8, BLOCK_BYTES = 512, US_A_S = 1000000 };

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

	picture_hear(&hub.picture, &f);
	if (++count % batch)
		return;
	batch_draft(&hub.batch);
	if (batch_store(&hub.batch, NULL, NULL) < 0)
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

/* CPU seconds of a change in the cheapest of some slices: what other jobs do to the machine's caches only adds. */
static double change_all(uint32_t assets, uint32_t changes)
{
	uint32_t slice = changes / SLICES;
	double least = 0;

	for (uint32_t i = 0; i < SLICES; i++) {
		double start = time_of(CLOCK_PROCESS_CPUTIME_ID), taken;

		change_some(assets, i * slice, (i + 1) * slice);
		taken = time_of(CLOCK_PROCESS_CPUTIME_ID) - start;
		if (i == 0 || taken < least)
			least = taken;
	}
	return least / slice;
}

int main(int argc, char **argv)
{
	uint32_t assets = argc > 3 ? (uint32_t)atol(argv[2]) : 0, changes = argc > 3 ? (uint32_t)atol(argv[3]) : 0;
	struct rusage before, used;
	double start, learned, change;

	if (argc > 4)
		batch = (uint32_t)atol(argv[4]);
	if (!assets || !batch || changes < SLICES)
		fail("usage: hub_load FOLDER ASSETS CHANGES [BATCH]");
	start_hub(argv[1], assets);
	start = time_of(CLOCK_PROCESS_CPUTIME_ID);
	for (uint32_t i = 1; i <= assets; i++)
		learn(i);
	learned = time_of(CLOCK_PROCESS_CPUTIME_ID) - start;
	getrusage(RUSAGE_SELF, &before);
	start = time_of(CLOCK_MONOTONIC);
	change = change_all(assets, changes);
	start = time_of(CLOCK_MONOTONIC) - start;
	getrusage(RUSAGE_SELF, &used);
	printf("%u\t%.2f\t%.1f\t%.0f\t%.0f\t%.1f\t%ld\n", assets, learned, change * US_A_S, 1 / change, changes / start,
	       (double)(used.ru_oublock - before.ru_oublock) * BLOCK_BYTES / 1024 / changes, used.ru_maxrss / 1024);
	return 0;
}
