/* Learns and compares. The limits leave room for an ordinary machine's moods: a fault is far outside of them. */
#include "sensor/hub/watch_baseline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	MEMORY = 32,         /* reports that the running means reach back */
	REPORTS_ENOUGH = 10, /* before them nothing is unusual */
	REPLIES_MANY = 4,    /* in one report: their mean is worth something */
	BURST_LEAST = 20,    /* writes in one report */
};

static const double MS = 1000;                      /* in microseconds */
static const double NOISY_SHARE = 0.5;
static const double RHYTHM_US = 60e6;               /* who asks less often than this has none */
static const double FAST_US = 2e6;                  /* programs ask so; people ask more slowly */
static const int64_t STRIKE_NS = 10LL * 1000000000; /* two odd figures within this, or five cycles, are a deviation */
static const int64_t LOSSY_NS = 5LL * 1000000000;

static void learn(struct feature *f, double value)
{
	double weight;

	f->count++;
	weight = 1.0 / (f->count < MEMORY ? f->count : MEMORY);
	if (f->count > 1)
		f->spread += (fabs(value - f->mean) - f->spread) * weight;
	f->mean += (value - f->mean) * weight;
	if (value > f->most)
		f->most = value;
}

static double mean_gap(const struct pulse *p)
{
	return p->requests ? (double)p->gap_sum_us / p->requests : 0;
}

static double mean_rtt(const struct pulse *p)
{
	return p->replies ? (double)p->rtt_sum_us / p->replies : 0;
}

static bool lossy(const struct baseline *b, const struct pulse *p)
{
	return p->unseen || (b->lossy_ns && p->time_ns - b->lossy_ns < LOSSY_NS);
}

bool baseline_is_cyclic(const struct baseline *b)
{
	return b->gap.count >= REPORTS_ENOUGH && b->gap.mean > 0 && b->gap.mean < RHYTHM_US;
}

static bool enough(const struct baseline *b)
{
	return b->reports >= REPORTS_ENOUGH;
}

static uint32_t retransmits(const struct pulse *p)
{
	return p->retransmits[0] + p->retransmits[1];
}

#define SAY(why, ...) (snprintf(why, BASELINE_WHY_BYTES, __VA_ARGS__), true)

/* Trouble that the engine saw as it happened. */
static bool in_trouble(const struct baseline *b, const struct pulse *p, char *why)
{
	if (p->resets[1] > b->resets_most[1])
		return SAY(why, "it reset or refused %u connections", p->resets[1]);
	if (p->resets[0] > b->resets_most[0])
		return SAY(why, "its client reset %u connections", p->resets[0]);
	if (p->why & PULSE_SILENT)
		return SAY(why, "nothing was heard of it and its client for %.0f ms, usual are %.0f ms between requests, at most %.0f ms",
			   (double)(p->time_ns - (p->heard_ns[0] > p->heard_ns[1] ? p->heard_ns[0] : p->heard_ns[1])) / 1e6,
			   b->gap.mean / MS, b->gap_most / MS);
	if (p->why & PULSE_OVERDUE && !lossy(b, p))
		return SAY(why, "a request is not answered; usual is an answer after %.1f ms, at most %.1f ms", b->rtt.mean / MS, b->rtt_most / MS);
	if (p->errors > 2 * b->errors_most + 2)
		return SAY(why, "%u of %u answers were errors, usual are %u at most", p->errors, p->replies, b->errors_most);
	if (retransmits(p) > 2 * b->retransmits_most + 2)
		return SAY(why, "%u segments had to be sent again, usual are %u at most", retransmits(p), b->retransmits_most);
	if (p->unanswered > b->unanswered_most + 1 && !lossy(b, p))
		return SAY(why, "%u requests were never answered, usual are %u at most", p->unanswered, b->unanswered_most);
	return false;
}

/* Figures that can have no other cause. */
static bool far_off(const struct baseline *b, const struct pulse *p, char *why)
{
	double rtt = mean_rtt(p), gap = mean_gap(p);

	if (b->rtt.count >= REPORTS_ENOUGH && p->replies >= REPLIES_MANY && rtt > 2 * b->rtt.most + MS)
		return SAY(why, "it answers after %.1f ms in the mean of %u answers, usual are %.1f ms, at most %.1f ms", rtt / MS, p->replies,
			   b->rtt.mean / MS, b->rtt.most / MS);
	if (b->rtt.count >= REPORTS_ENOUGH && p->rtt_max_us > 20 * b->rtt_most + 50 * MS && !lossy(b, p))
		return SAY(why, "an answer took %.1f ms, usual are %.1f ms, at most %.1f ms", p->rtt_max_us / MS, b->rtt.mean / MS, b->rtt_most / MS);
	if (baseline_is_cyclic(b) && !lossy(b, p) && p->requests >= REPLIES_MANY && gap > 1.6 * b->gap.most + 2 * MS)
		return SAY(why, "its cycle is %.1f ms, usual are %.1f ms, at most %.1f ms", gap / MS, b->gap.mean / MS, b->gap.most / MS);
	return false;
}

/* Figures that may be a mood once, and are none when they come again. */
static bool odd(const struct baseline *b, const struct pulse *p, char *why)
{
	double jitter = p->requests ? (double)p->gap_jitter_us / p->requests : 0;

	if (p->why & PULSE_RETRANSMIT && b->retransmits_most == 0)
		return SAY(why, "requests had to be sent again");
	if (b->rtt.count >= REPORTS_ENOUGH && p->rtt_max_us > 3 * b->rtt_most + 5 * MS)
		return SAY(why, "answers took up to %.1f ms, usual are %.1f ms, at most %.1f ms", p->rtt_max_us / MS, b->rtt.mean / MS,
			   b->rtt_most / MS);
	if (!baseline_is_cyclic(b) || lossy(b, p))
		return false;
	if (p->gap_max_us > 2.5 * b->gap_most + 5 * MS)
		return SAY(why, "%.1f ms lay between two requests, usual are %.1f ms, at most %.1f ms", p->gap_max_us / MS, b->gap.mean / MS,
			   b->gap_most / MS);
	if (p->requests >= REPLIES_MANY && jitter > 4 * b->jitter.most + 5 * MS)
		return SAY(why, "its cycle varies by %.1f ms, usual are %.1f ms, at most %.1f ms", jitter / MS, b->jitter.mean / MS,
			   b->jitter.most / MS);
	return false;
}

static bool struck_twice(struct baseline *b, const struct pulse *p)
{
	int64_t cycles_ns = (int64_t)(b->gap.mean * 5000), within_ns = cycles_ns > STRIKE_NS ? cycles_ns : STRIKE_NS;
	bool twice = b->strike_ns && p->time_ns - b->strike_ns <= within_ns;

	b->strike_ns = p->time_ns;
	return twice;
}

static void most(uint32_t *so_far, uint32_t value)
{
	if (value > *so_far)
		*so_far = value;
}

static void take_in(struct baseline *b, const struct pulse *p)
{
	b->reports++;
	b->last_ns = p->time_ns;
	b->requests += p->requests;
	if (p->unseen)
		b->lossy_ns = p->time_ns;
	most(&b->errors_most, p->errors);
	most(&b->writes_most, p->writes);
	most(&b->retransmits_most, retransmits(p));
	most(&b->unanswered_most, p->unanswered);
	most(&b->resets_most[0], p->resets[0]);
	most(&b->resets_most[1], p->resets[1]);
	if (p->replies) {
		learn(&b->rtt, mean_rtt(p));
		if (p->rtt_max_us > b->rtt_most)
			b->rtt_most = p->rtt_max_us;
	}
	if (!p->requests || !p->gap_sum_us || p->unseen)
		return;
	learn(&b->gap, mean_gap(p));
	learn(&b->jitter, (double)p->gap_jitter_us / p->requests);
	if (p->gap_max_us > b->gap_most)
		b->gap_most = p->gap_max_us;
}

/* What happened once is known from now on; everything else begins again. */
static void start_again(struct baseline *b, const struct pulse *p)
{
	int64_t first_ns = b->first_ns, lossy_ns = b->lossy_ns;

	memset(b, 0, sizeof *b);
	b->first_ns = first_ns;
	b->lossy_ns = p->unseen ? p->time_ns : lossy_ns;
	b->steady_ns = b->last_ns = p->time_ns;
	b->errors_most = p->errors;
	b->retransmits_most = retransmits(p);
	b->unanswered_most = p->unanswered;
	b->resets_most[0] = p->resets[0];
	b->resets_most[1] = p->resets[1];
}

bool baseline_hear(struct baseline *b, const struct pulse *p, bool learning, char why[BASELINE_WHY_BYTES])
{
	if (b->reports == 0 && !b->first_ns) {
		b->first_ns = p->since_ns;
		b->steady_ns = p->since_ns;
	}
	if (enough(b) && (in_trouble(b, p, why) || far_off(b, p, why) || (odd(b, p, why) && struck_twice(b, p)))) {
		start_again(b, p);
		return true;
	}
	if (learning || !enough(b)) {
		take_in(b, p);
		return false;
	}
	b->last_ns = p->time_ns;
	b->requests += p->requests;
	if (p->unseen)
		b->lossy_ns = p->time_ns;
	return false;
}

static double below(const struct feature *f)
{
	return f->mean > f->spread ? f->mean - f->spread : 0;
}

bool baseline_is_noisy(const struct baseline *b, char why[BASELINE_WHY_BYTES])
{
	if (b->rtt.count >= REPORTS_ENOUGH && b->rtt.spread > NOISY_SHARE * b->rtt.mean + 0.5 * MS)
		return SAY(why, "its answers take now %.1f ms, now %.1f ms", below(&b->rtt) / MS, (b->rtt.mean + b->rtt.spread) / MS);
	if (b->gap.count >= REPORTS_ENOUGH && b->gap.mean < FAST_US && b->gap.spread > NOISY_SHARE * b->gap.mean)
		return SAY(why, "it is asked now every %.1f ms, now every %.1f ms", below(&b->gap) / MS,
			   (b->gap.mean + b->gap.spread) / MS);
	if (b->reports >= REPORTS_ENOUGH && b->retransmits_most > 8)
		return SAY(why, "up to %u segments a second are sent again", b->retransmits_most);
	return false;
}

bool baseline_is_write_burst(const struct baseline *b, const struct pulse *p)
{
	return enough(b) && p->writes >= BURST_LEAST && p->writes > 5 * b->writes_most;
}
