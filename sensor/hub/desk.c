/* One asset at a time on the desk: viewed, judged, its gaps found. */
#include "sensor/hub/hub.h"

#include <string.h>

struct subject desk_take(struct desk *d, const struct asset *a)
{
	view_fill(&d->view, d->picture, a);
	knowledge_judge(d->knowledge, &d->view, &d->judgement);
	gaps_find(&d->gaps, d->knowledge, d->picture, &d->view, &d->judgement);
	json_clear(&d->body);
	return (struct subject){ d->picture, d->knowledge, &d->view, &d->judgement, &d->gaps, &d->body };
}

void desk_free(struct desk *d)
{
	view_free(&d->view);
	json_free(&d->document.json);
	json_free(&d->body);
	memset(d, 0, sizeof *d);
}
