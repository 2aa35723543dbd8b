/* Begins a run with its records on the disk, opens the line, and ends it with FIN on every path. */
#include "active/prober/run_state.h"

#include "sensor/common/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 1000 };

static void say_abort(struct run *r, enum refusal by)
{
	if (!r->aborted)
		snprintf(r->why, sizeof r->why, "%s", by == REFUSED_NOT ? "ended by the hub" : by == REFUSED_HUB_SILENT ? "the hub fell silent" :
		         by == REFUSED_LOSS ? "the sensor loses frames" : "probing was stopped");
	r->aborted = true;
}

bool run_must_end(struct run *r)
{
	struct prober *p = r->p;
	enum refusal by;

	while (word_take(&p->word))
		if (p->word.has_order) {
			struct order other = p->word.order;

			p->word.has_order = false;
			prober_refuse(p, &other, REFUSED_BUSY, "another target is being asked");
		}
	by = word_forbids(&p->word);
	if (by != REFUSED_NOT || p->word.abort == r->o->id)
		say_abort(r, by);
	return r->aborted;
}

enum wait run_wait(struct run *r, short events, int64_t until_ms, bool abortable)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = FD_ORDERS, .events = POLLIN }, { .fd = r->line.fd, .events = events } };
		int64_t left = until_ms - clock_ms();

		if (run_must_end(r) && abortable)
			return WAIT_ABORTED;
		hold_look(&r->p->hold, clock_ms());
		if (left <= 0)
			return WAIT_LATE;
		if (r->p->word.ended || r->p->word.wrong)
			fds[0].fd = -1;
		poll(fds, events ? 2 : 1, (int)(left < WORD_LOOK_MS ? left : WORD_LOOK_MS));
		if (events && fds[1].revents)
			return WAIT_READY;
	}
}

/* Holes for our own end of the line. */
static void fill_own(struct run *r)
{
	for (size_t i = 0; i < r->rule->holes_count; i++) {
		uint32_t address;

		if (r->rule->holes[i].source != HOLE_OWN)
			continue;
		memcpy(&address, r->line.own.ip, sizeof address);
		r->fillings[i].number = r->rule->holes[i].type == VALUE_U16BE ? r->line.own_port : ntohl(address);
	}
}

static int open_line(struct run *r)
{
	struct prober *p = r->p;
	struct line *l = &r->line;
	const struct prober_config *c = &p->config;

	*l = (struct line){ .fd = -1, .transport = r->rule->transport, .reply_port = r->rule->reply_port, .own = p->own, .target = r->a->target,
	                    .port = r->a->port, .interface = p->route.interface };
	memcpy(l->own.mac, p->route.own_mac, sizeof l->own.mac);
	if (l->transport == TRANSPORT_TCP)
		return tcp_open(l, c->interface, c->port_first, c->port_last, &p->next_port);
	if (l->transport == TRANSPORT_UDP)
		return udp_open(l, c->interface, c->port_first, c->port_last, &p->next_port);
	return ethernet_open(l, &p->ethernet, r->rule, p->route.interface);
}

/* Nothing was sent over it. */
static void drop_line(struct run *r, bool held)
{
	if (r->line.fd < 0 || r->line.transport == TRANSPORT_ETHERNET)
		return;
	if (held)
		hold_close(&r->p->hold, r->line.fd);
	else
		close(r->line.fd);
	r->line.fd = -1;
}

static bool list_message(void *context, const struct plan *plan, const struct plan_message *m)
{
	static char text[PLAN_TEXT_BYTES];
	struct audit *a = context;

	plan_message_text(plan, m, text);
	audit_item(a);
	audit_number(a, "step", (int64_t)m->step + 1);
	audit_number(a, "round", m->round + 1);
	audit_text(a, "bytes", text);
	audit_item_end(a);
	return true;
}

static void put_line(struct audit *a, const struct run *r)
{
	char ip[INET6_ADDRSTRLEN] = "";
	const struct line *l = &r->line;

	audit_text(a, "transport", transport_name((enum transport)l->transport));
	if (l->transport == TRANSPORT_ETHERNET) {
		audit_number(a, "ethertype", l->ethertype);
		audit_hex(a, "destination_mac", l->destination, 6);
	} else {
		inet_ntop(l->own.family == 6 ? AF_INET6 : AF_INET, l->own.ip, ip, sizeof ip);
		audit_text(a, "source", ip);
		audit_number(a, "source_port", l->own_port);
		inet_ntop(l->target.family == 6 ? AF_INET6 : AF_INET, l->target.ip, ip, sizeof ip);
		audit_text(a, "target", ip);
		audit_number(a, "target_port", l->port);
	}
	audit_hex(a, "source_mac", l->own.mac, 6);
	audit_hex(a, "target_mac", l->target.mac, 6);
	audit_number(a, "vlan", r->a->vlan[0]);
	audit_number(a, "inner_vlan", r->a->vlan[1]);
}

static uint64_t audit_planned(struct run *r)
{
	char text[APPROVAL_TEXT_BYTES];
	struct audit *a = &r->p->audit;

	approval_text(r->a, text);
	audit_begin(a, "planned", clock_ns());
	audit_number(a, "run", (int64_t)r->o->id);
	audit_text(a, "approval_id", r->a->id);
	audit_text(a, "approval", text);
	audit_list_begin(a, "signatures");
	for (size_t i = 0; i < r->a->signatures; i++) {
		audit_item(a);
		audit_text(a, "analyst", r->a->signature[i].analyst);
		audit_hex(a, "bytes", r->a->signature[i].bytes, sizeof r->a->signature[i].bytes);
		audit_item_end(a);
	}
	audit_list_end(a);
	audit_number(a, "heard_s", r->o->heard_s);
	audit_text(a, "rule", r->rule->name);
	put_line(a, r);
	audit_list_begin(a, "messages");
	plan_messages(r->plan, list_message, a);
	audit_list_end(a);
	return audit_end(a, true);
}

static enum probe_end connect_line(struct run *r)
{
	int64_t until_ms = clock_ms() + LINE_CONNECT_MS;
	int connected = tcp_connect(&r->line);

	/* Not given up for an abort: the answer to our SYN would find nobody, and get a RST. */
	while (connected == 0 && run_wait(r, POLLOUT, until_ms, false) == WAIT_READY && (connected = tcp_connected(&r->line)) == 0)
		;
	if (connected != 1) {
		snprintf(r->why, sizeof r->why, "no connection: %s", connected == 0 ? "no answer in time" : strerror(errno));
		r->line.packets = r->line.packets ? r->line.packets : 1;
		drop_line(r, true);
		return PROBE_NO_CONNECTION;
	}
	tell_start(&r->p->tell, &r->line, r->a->vlan, clock_ns());
	return PROBE_COMPLETE;
}

/* Our FIN, then everything read until theirs; who takes longer is left to the hold. */
static void finish_tcp(struct run *r)
{
	int64_t until_ms = clock_ms() + DRAIN_MS;

	tcp_finish(&r->line);
	while (!r->dead && run_wait(r, POLLIN, until_ms, false) == WAIT_READY) {
		r->have = 0;
		reply_take(r);
	}
	tcp_count(&r->line);
	hold_linger(&r->p->hold, r->line.fd);
	hold_look(&r->p->hold, clock_ms());
	tell_end(&r->p->tell, clock_ns());
}

static enum probe_end carry_out(struct run *r)
{
	enum probe_end end;

	if (run_must_end(r)) {
		drop_line(r, true);
		return PROBE_ABORTED;
	}
	end = run_find_neighbour(r);
	if (end != PROBE_COMPLETE) {
		drop_line(r, true);
		return end;
	}
	if (r->line.transport == TRANSPORT_TCP) {
		end = connect_line(r);
		if (end != PROBE_COMPLETE)
			return end;
	} else {
		tell_start(&r->p->tell, &r->line, r->a->vlan, clock_ns());
	}
	end = r->aborted ? PROBE_ABORTED : steps_run(r);
	if (r->line.transport == TRANSPORT_TCP)
		finish_tcp(r);
	else if (r->line.transport == TRANSPORT_UDP)
		hold_linger(&r->p->hold, r->line.fd);
	return end;
}

static uint64_t audit_ended(struct run *r, enum probe_end end)
{
	struct audit *a = &r->p->audit;

	audit_begin(a, "ended", clock_ns());
	audit_number(a, "run", (int64_t)r->o->id);
	audit_text(a, "end", probe_end_name(end));
	audit_text(a, "why", r->why);
	audit_number(a, "packets", r->line.packets);
	audit_number(a, "bytes_sent", r->line.bytes);
	audit_number(a, "replies", r->replies);
	audit_number(a, "bytes_received", r->reply_bytes);
	return audit_end(a, true);
}

/* All records that must stand before the first frame. Where the run stands in the ledger, or NULL: then nothing may be sent. */
static struct ledger_record *write_down(struct run *r, struct outcome *out)
{
	struct prober *p = r->p;

	out->audit = audit_planned(r);
	if (!out->audit)
		return NULL;
	return ledger_begin(&p->ledger, r->a, &p->audit.chain, clock_ns() / 1000000000, r->rule->max_packets, r->rule->max_bytes);
}

static void end_run(struct run *r, struct ledger_record *record, struct outcome *out)
{
	enum probe_end end = carry_out(r);

	out->type = OUTCOME_ENDED;
	out->end = (uint32_t)end;
	out->packets = r->line.packets;
	out->bytes = r->line.bytes;
	out->replies = r->replies;
	out->reply_bytes = r->reply_bytes;
	out->ended_ns = clock_ns();
	out->audit = audit_ended(r, end);
	memcpy(out->why, r->why, sizeof out->why);
	ledger_end(&r->p->ledger, record, &r->p->audit.chain, out->ended_ns / 1000000000, end == PROBE_COMPLETE || end == PROBE_ABORTED,
	           r->line.packets, r->line.bytes);
	prober_tell(r->p, out);
}

void run_order(struct prober *p, const struct order *o, const struct plan *plan)
{
	static struct run r;
	struct outcome out = { .order = o->id, .type = OUTCOME_PLANNED, .started_ns = clock_ns() };
	struct ledger_record *record;

	r = (struct run){ .p = p, .o = o, .a = &o->approval, .plan = plan, .rule = plan->rule };
	memcpy(r.fillings, plan->fillings, sizeof r.fillings);
	p->word.abort = p->word.abort == o->id ? p->word.abort : 0;
	if (open_line(&r) < 0) {
		snprintf(r.why, sizeof r.why, "no socket to ask with: %s", strerror(errno));
		drop_line(&r, false);
		prober_refuse(p, o, REFUSED_SOCKET, r.why);
		return;
	}
	fill_own(&r);
	if (r.line.transport != TRANSPORT_ETHERNET && !hold_keep(&p->hold, r.line.fd)) {
		drop_line(&r, false);
		prober_refuse(p, o, REFUSED_SOCKET, "the connection can't be held beyond the prober's end");
		return;
	}
	record = write_down(&r, &out);
	if (!record) {
		drop_line(&r, true);
		prober_refuse(p, o, REFUSED_AUDIT, "the audit or the ledger can't be written");
		return;
	}
	prober_tell(p, &out);
	end_run(&r, record, &out);
}
