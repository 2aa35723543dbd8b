/*
 * What the tests of the hub share: a folder of each test's own, and in it the store with the picture that it keeps and the
 * batch that writes it. A test says in start_hub() and stop_hub() what stands beside these.
 */
#ifndef TESTS_UNIT_HUB_FIXTURE_H
#define TESTS_UNIT_HUB_FIXTURE_H

#include "make_finding.h"
#include "sensor/hub/analyst_facts.h"
#include "sensor/hub/batch.h"
#include "sensor/hub/change.h"
#include "sensor/hub/hash.h"
#include "sensor/hub/keep.h"
#include "sensor/hub/outbox.h"
#include "sensor/hub/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define PLC "00:1b:1b:00:00:01"

struct hub {
	struct store store;
	struct keeper *keeper;
	struct knowledge knowledge; /* its parts are freed with the hub */
	struct picture picture;
	struct batch batch;
	/* Where a test opens and closes them. */
	struct analyst_facts facts;
	struct proposals proposals;
	struct changes *changes;
	uv_loop_t loop;
};

static struct hub hub;
static char folder[64], path[96];

static void start_hub(void);
static void stop_hub(void);

static inline void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	fail_msg("%s:%u: %s", file, line, what);
}

static inline void open_hub(void)
{
	memset(&hub, 0, sizeof hub);
	assert_int_equal(store_open(&hub.store, path), 0);
	hub.keeper = keep_open(&hub.store);
	picture_start(&hub.picture, "plant-1", "hall", 10000);
	assert_int_equal(keep_load(&hub.store, &hub.picture), 0);
	hub.picture.telling = true;
	batch_start(&hub.batch, &hub.picture, &hub.store, hub.keeper, &hub.knowledge);
}

static inline void close_hub(void)
{
	batch_free(&hub.batch);
	picture_end(&hub.picture);
	knowledge_free(&hub.knowledge);
	keep_close(hub.keeper);
	outbox_close(&hub.store);
	store_close(&hub.store);
}

static int make_folder(void **state)
{
	(void)state;
	hash_start();
	strcpy(folder, "/tmp/askance-hub-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/askance.db", folder);
	start_hub();
	return 0;
}

static int drop_folder(void **state)
{
	char command[96];

	(void)state;
	stop_hub();
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

#endif
