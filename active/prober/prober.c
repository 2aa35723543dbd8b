/* Opens what the prober needs, puts up its walls, then takes orders one by one until it is ended. */
#include "active/prober/prober.h"

#include "active/prober/run.h"
#include "active/prober/walls.h"
#include "sensor/common/log.h"
#include "sensor/common/message.h"
#include "sensor/common/spawn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ENDED = 0, EXIT_WRONG = 2, FAREWELL_MS = 2000, REFUSALS_A_MINUTE = 60, MINUTE_MS = 60000, DAY_S = 86400,
       IDLE_LOOK_MS = 100 };

void prober_tell(struct prober *p, const struct outcome *out)
{
	if (write(FD_OUTCOMES, out, sizeof *out) != (ssize_t)sizeof *out)
		p->outcome_failed = true;
}

/* A hub gone wild must not fill the disk with what was not done. */
static bool refusal_is_written(struct prober *p)
{
	int64_t now_ms = clock_ms();

	if (now_ms - p->refusals_since_ms > MINUTE_MS) {
		p->refusals_since_ms = now_ms;
		p->refusals = 0;
	}
	if (++p->refusals <= REFUSALS_A_MINUTE)
		return true;
	p->refusals_unwritten++;
	return false;
}

void prober_refuse(struct prober *p, const struct order *o, enum refusal refusal, const char *why)
{
	struct outcome out = { .order = o->id, .type = OUTCOME_REFUSED, .refusal = (uint32_t)refusal };

	out.started_ns = out.ended_ns = clock_ns();
	snprintf(out.why, sizeof out.why, "%s", why);
	if (refusal_is_written(p)) {
		audit_begin(&p->audit, "refused", out.started_ns);
		audit_number(&p->audit, "run", (int64_t)o->id);
		audit_text(&p->audit, "approval_id", o->approval.id);
		audit_text(&p->audit, "rule", o->approval.rule);
		audit_text(&p->audit, "refusal", refusal_name(refusal));
		audit_text(&p->audit, "why", why);
		if (p->refusals_unwritten)
			audit_number(&p->audit, "more_refused_before", p->refusals_unwritten);
		out.audit = audit_end(&p->audit, false);
		p->refusals_unwritten = out.audit ? 0 : p->refusals_unwritten;
	}
	prober_tell(p, &out);
}

/* Nothing can be asked, for that reason; the first stands. */
static void set_broken(struct prober *p, enum refusal r, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void set_broken(struct prober *p, enum refusal r, const char *format, ...)
{
	va_list args;

	if (p->broken != REFUSED_NOT)
		return;
	p->broken = r;
	va_start(args, format);
	vsnprintf(p->why_broken, sizeof p->why_broken, format, args);
	va_end(args);
	log_warning("nothing will be asked: %s", p->why_broken);
}

static void complain(void *context, const char *file, uint32_t line, const char *what)
{
	(void)context;
	log_error("%s:%u: %s", file, line, what);
}

static bool parse_source(struct prober *p)
{
	p->own = (struct endpoint){ .family = 0 };
	if (inet_pton(AF_INET, p->config.source, p->own.ip) == 1)
		p->own.family = 4;
	else if (inet_pton(AF_INET6, p->config.source, p->own.ip) == 1)
		p->own.family = 6;
	return p->own.family != 0;
}

static void open_network(struct prober *p)
{
	if (!p->config.interface[0] || !parse_source(p)) {
		set_broken(p, REFUSED_SOCKET, "`probing:` names no interface and source to ask from");
	} else if (!route_open(&p->route, p->config.interface)) {
		set_broken(p, REFUSED_SOCKET, "the interface %s can't be used: %s%s", p->config.interface, strerror(errno),
			   errno == EAFNOSUPPORT ? "; systemd's unit takes probing.conf for that, see askance-guide(7)" : "");
	} else if (!p->route.loopback && p->rules && !ethernet_prepare(&p->ethernet, p->rules, p->route.interface)) {
		log_warning("no frames can be sent on %s (%s): rules on Ethernet itself are refused, and so is who is no neighbour yet", p->config.interface, strerror(errno));
	}
}

static void open_rules(struct prober *p)
{
	p->rules = ruleset_load(p->config.rules_dir, complain, NULL);
	if (p->rules)
		p->policy = policy_load(p->config.rules_dir, p->rules, complain, NULL);
	if (!p->policy)
		set_broken(p, REFUSED_NO_RULE, "the rules in %s can't be used", p->config.rules_dir);
}

static void open_records(struct prober *p)
{
	int64_t keep_s = APPROVAL_SECONDS, repeat_s = p->policy ? (int64_t)policy_budgets(p->policy)->repeat_days * DAY_S : 0;

	if (!audit_open(&p->audit, p->config.state_dir) ||
	    !ledger_open(&p->ledger, p->config.state_dir, &p->audit.chain, clock_ns() / 1000000000, (repeat_s > keep_s ? repeat_s : keep_s) + DAY_S)) {
		set_broken(p, REFUSED_AUDIT, "the audit in %s can't be kept", p->config.state_dir);
		return;
	}
	audit_begin(&p->audit, "started", clock_ns());
	audit_text(&p->audit, "version", ASKANCE_VERSION);
	audit_text(&p->audit, "sensor", p->config.sensor);
	audit_text(&p->audit, "zone", p->config.zone);
	if (!audit_end(&p->audit, true))
		set_broken(p, REFUSED_AUDIT, "the audit in %s can't be kept", p->config.state_dir);
}

static void open_all(struct prober *p)
{
	p->next_port = p->config.port_first;
	p->audit.fd = p->ledger.fd = p->route.fd = p->word.stopped_fd = -1;
	hold_open(&p->hold);
	if (p->config.probing == PROBING_OFF)
		return;
	open_rules(p);
	open_network(p);
	open_records(p);
	word_open(&p->word, p->config.state_dir);
	tell_open(&p->tell);
}

static void refuse_old(void *context, const struct order *o)
{
	prober_refuse(context, o, REFUSED_HUB_SILENT, "the order was meant for a prober before this one");
}

static void take_order(struct prober *p)
{
	static struct plan plan;
	struct order o = p->word.order;
	char why[OUTCOME_WHY_BYTES];
	enum refusal r;

	p->word.has_order = false;
	r = judge_order(p, &o, clock_ns(), &plan, why);
	if (r == REFUSED_NOT)
		run_order(p, &o, &plan);
	else
		prober_refuse(p, &o, r, why);
}

/* The hub is told when what it may expect of us changes. */
static void tell_state(struct prober *p, bool *told, uint32_t *stopped)
{
	enum refusal r = word_forbids(&p->word);
	uint32_t now = r != REFUSED_NOT || p->broken != REFUSED_NOT || p->config.probing == PROBING_OFF;
	struct outcome out = { .type = OUTCOME_STATE, .stopped = now };

	if (*told && now == *stopped)
		return;
	*told = true;
	*stopped = now;
	out.started_ns = out.ended_ns = clock_ns();
	out.refusal = 0;
	snprintf(out.why, sizeof out.why, "%s", p->broken != REFUSED_NOT ? p->why_broken : r != REFUSED_NOT ? refusal_name(r) : "");
	prober_tell(p, &out);
}

static int serve(struct prober *p)
{
	struct pollfd ready = { .fd = FD_ORDERS, .events = POLLIN };
	uint32_t stopped = 0;
	bool told = false;

	word_skip(&p->word, refuse_old, p);
	while (!word_ending() && !p->word.ended && !p->word.wrong && !p->outcome_failed) {
		poll(&ready, 1, IDLE_LOOK_MS);
		while (word_take(&p->word) && !p->word.has_order)
			;
		hold_look(&p->hold, clock_ms());
		tell_state(p, &told, &stopped);
		if (p->word.has_order)
			take_order(p);
	}
	return p->word.wrong || p->outcome_failed ? EXIT_WRONG : EXIT_ENDED;
}

/* Devices get a moment to close their side of what we closed; what is left stays in the hold. */
static void say_farewell(struct prober *p)
{
	int64_t until_ms = clock_ms() + FAREWELL_MS;

	while (hold_look(&p->hold, clock_ms()) && clock_ms() < until_ms)
		poll(NULL, 0, WORD_LOOK_MS);
	audit_begin(&p->audit, "stopped", clock_ns());
	audit_end(&p->audit, true);
}

int prober_run(void)
{
	static struct prober p;
	int result;

	log_open("prober");
	word_watch_signals();
	if (spawn_read_config(&p.config, sizeof p.config) < 0 || !config_prober_valid(&p.config) || sodium_init() < 0) {
		log_error("the configuration from the supervisor is not of this version or out of range");
		return EXIT_WRONG;
	}
	open_all(&p);
	if (prober_walls(&p) < 0)
		return EXIT_WRONG;
	result = serve(&p);
	say_farewell(&p);
	return result;
}
