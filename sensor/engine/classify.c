/*
 * Which classifier reads a flow, and what becomes of what it reads.
 *
 * An unknown flow is shown to all classifiers of its transport, those first whose usual port it uses;
 * the first that recognises the structure has it. When that one can't read on (a tunnel inside HTTP,
 * STARTTLS) the others are asked again. nDPI sees the first packets of flows that nobody has.
 */
#include "sensor/engine/engine.h"
#include "sensor/engine/note.h"

#include <string.h>

enum {
	LOOKS_MAX = 12,     /* payload packets until an unknown flow stays unknown */
	WAITING_LOOKS_MAX = 200,
	NDPI_LOOKS_MAX = 8, /* of these shown to nDPI */
	TAKEOVERS_MAX = 16,
	DYNAMIC_PORTS = 49152, /* from here on; RFC 6335, 6 */
};

struct reading {
	struct engine *e;
	struct flow *f;
	struct detail *d; /* NULL when there was no memory for one */
	const struct packet *p;
	const struct classifier_list *list;
	struct parties who;
	struct reader reader;
};

static enum transport transport_of(const struct flow *f)
{
	return f->key.protocol == 6 ? TRANSPORT_TCP : TRANSPORT_UDP;
}

/* As one word: it is loaded as one soon after, and a load that spans fresh narrow stores waits. */
static void put_head(struct endpoint *e, uint64_t mac, uint8_t family, uint8_t binding)
{
	uint64_t head = mac | (uint64_t)family << 48 | (uint64_t)binding << 56;

	_Static_assert(offsetof(struct endpoint, family) == 6 && offsetof(struct endpoint, binding) == 7, "an endpoint's head");
	memcpy(e, &head, sizeof head);
}

/* Where the frame came from. By which MAC an IP packet leaves says nothing of whom it is for: a router's as a rule. */
static void parties_on_link(const struct packet *p, struct parties *who)
{
	memset(who, 0, sizeof *who);
	if (!p->ethernet)
		return;
	put_head(&who->sender, packet_source_mac(p->ethernet), 0, BINDING_NONE);
	memcpy(who->receiver.mac, p->ethernet, sizeof who->receiver.mac);
}

void parties_of(const struct packet *p, struct parties *who)
{
	const struct flow_key *k = &p->key;
	/* A hop limit as systems start it has met no router. 1 is the start of link-local multicast. */
	bool direct = p->hop_limit == 64 || p->hop_limit == 128 || p->hop_limit == 255 || p->hop_limit == 32 ||
		      (p->hop_limit == 1 && p->multicast);

	if (p->kind == PACKET_ETHERNET) {
		parties_on_link(p, who);
		return;
	}
	put_head(&who->sender, p->ethernet ? packet_source_mac(p->ethernet) : 0, k->family, p->ethernet && direct ? BINDING_FRAME : BINDING_NONE);
	put_head(&who->receiver, 0, k->family, BINDING_NONE);
	memcpy(who->sender.ip, p->direction ? k->high : k->low, sizeof who->sender.ip);
	memcpy(who->receiver.ip, p->direction ? k->low : k->high, sizeof who->receiver.ip);
}

void witness_of(const struct engine *e, const struct packet *p, const char *protocol, struct witness *w)
{
	static const uint8_t transports[] = {
		[PACKET_NOTHING] = TRANSPORT_NONE, [PACKET_ETHERNET] = TRANSPORT_ETHERNET, [PACKET_IP] = TRANSPORT_IP,
		[PACKET_UDP] = TRANSPORT_UDP,      [PACKET_TCP] = TRANSPORT_TCP,
	};

	memset(w, 0, sizeof *w);
	w->packet = p;
	w->frame = p->frame;
	w->time_ns = p->time_ns;
	w->vlan[0] = e->decoder.vlan[p->zone][0];
	w->vlan[1] = e->decoder.vlan[p->zone][1];
	w->protocol = protocol;
	w->source = own_packet(e, p) ? SOURCE_PROBE : SOURCE_PASSIVE;
	w->transport = transports[p->kind];
	w->ethertype = p->kind == PACKET_ETHERNET ? p->ethertype : 0;
}

static enum role handshake_role(const struct flow *f, uint8_t direction)
{
	if (!(f->flags & (FLOW_SERVER_LOW | FLOW_SERVER_HIGH)))
		return ROLE_UNKNOWN;
	return !!(f->flags & FLOW_SERVER_HIGH) == direction ? ROLE_SERVER : ROLE_CLIENT;
}

static void start_reading(struct reading *r, struct engine *e, struct flow *f, const struct packet *p)
{
	uint8_t direction = p->direction;

	r->e = e;
	r->f = f;
	r->p = p;
	r->d = f->detail ? detail_at(&e->details, f->detail) : NULL;
	r->list = &e->lists[transport_of(f)];
	parties_of(p, &r->who);
	r->reader = (struct reader){
		.transport = (uint8_t)transport_of(f),
		.direction = direction,
		.handshake = (uint8_t)handshake_role(f, direction),
		.truncated = p->payload_lost > 0,
		.multicast = p->multicast,
		.sender_port = direction ? f->key.high_port : f->key.low_port,
		.receiver_port = direction ? f->key.low_port : f->key.high_port,
		.sender = &r->who.sender,
		.receiver = &r->who.receiver,
		.time_ns = p->time_ns,
		.told = &e->told,
	};
}

/* Shows bytes to one classifier. *taken is how many it took when it said MINE or MAYBE. */
static enum verdict ask(struct reading *r, uint32_t index, void *memo, const uint8_t *bytes, size_t len, size_t *taken)
{
	struct reader *reader = &r->reader;
	struct told *told = &r->e->told;
	enum verdict v;

	told->count = 0;
	told->used = 0;
	told->lost = 0;
	reader->bytes = cursor_over(bytes, len);
	reader->memo = memo;
	reader->sender_role = ROLE_UNKNOWN;
	reader->service_port = 0;
	reader->signs = 0;
	reader->gap = r->d && r->d->half[reader->direction].gap;
	v = r->list->of[index]->read(reader);
	if (v != MINE)
		r->e->repeat.hash = 0;
	*taken = (size_t)(reader->bytes.at - bytes);
	/* A message ends somewhere; one that took nothing, or read over the end, takes all there is. */
	if (*taken == 0 || reader->bytes.bad)
		*taken = len;
	return v;
}

/* Which end serves: the handshake knows best, then what the message was. */
static enum role sender_role(const struct reading *r)
{
	if (r->reader.sender_role == ROLE_PEER || r->reader.handshake == ROLE_UNKNOWN)
		return r->reader.sender_role;
	return r->reader.handshake;
}

static void tell_conversation(struct reading *r, struct witness *w, bool sender_serves)
{
	struct statement talks = { .kind = FINDING_TALKS, .role = ROLE_CLIENT, .evidence = EVIDENCE_STRUCTURE, .confidence = 95 };

	/* A client that was heard, and is no more, is not told again by what its server sends. */
	if (r->p->multicast || (sender_serves && r->f->flags & FLOW_HEARD_LOW << !r->reader.direction && !(r->f->present >> !r->reader.direction & 1)))
		return;
	talks.subject = sender_serves ? r->who.receiver : r->who.sender;
	talks.peer = sender_serves ? r->who.sender : r->who.receiver;
	teller_tell(&r->e->teller, w, &talks, NULL, NULL);
}

static uint8_t told_flag(const struct reading *r)
{
	return r->reader.direction ? FLOW_TOLD_HIGH : FLOW_TOLD_LOW;
}

/* What the sender of a message that was read is: told once for each end of a flow. */
static void tell_roles(struct reading *r, const char *protocol)
{
	enum role role = sender_role(r);
	struct statement is = { .evidence = EVIDENCE_STRUCTURE, .role = (uint8_t)role, .confidence = 95, .subject = r->who.sender };
	struct witness w;

	if (role == ROLE_UNKNOWN)
		return;
	r->f->flags |= told_flag(r);
	witness_of(r->e, r->p, protocol, &w);
	if (role == ROLE_CLIENT) {
		is.kind = FINDING_SPEAKS;
		w.port = r->reader.service_port ? r->reader.service_port : r->reader.receiver_port;
	} else {
		is.kind = FINDING_SERVICE;
		w.port = r->reader.service_port ? r->reader.service_port : r->reader.sender_port;
	}
	teller_tell(&r->e->teller, &w, &is, NULL, NULL);
	if (role != ROLE_CLIENT)
		tell_conversation(r, &w, role == ROLE_SERVER);
}

/* What the receiver is: it was heard before, with messages that fitted and now turn out to be of this protocol. */
static void tell_other_end(const struct reading *r, const char *protocol)
{
	struct reading other = *r;
	enum role role = sender_role(r);

	other.who.sender = r->who.receiver;
	other.who.receiver = r->who.sender;
	other.who.sender.binding = other.who.receiver.binding = BINDING_NONE;
	other.reader.direction = !r->reader.direction;
	other.reader.sender_port = r->reader.receiver_port;
	other.reader.receiver_port = r->reader.sender_port;
	other.reader.handshake = (uint8_t)handshake_role(r->f, other.reader.direction);
	other.reader.sender_role = role == ROLE_CLIENT ? ROLE_SERVER : role == ROLE_SERVER ? ROLE_CLIENT : (uint8_t)role;
	tell_roles(&other, protocol);
}

void statement_of(const struct told_item *item, const struct parties *who, struct statement *s)
{
	*s = (struct statement){ .kind = item->kind, .confidence = item->confidence, .evidence = EVIDENCE_STRUCTURE };
	s->subject = item->side == SENDER ? who->sender : item->side == RECEIVER ? who->receiver : item->other;
	if (item->kind != FINDING_ACTIVITY) {
		s->attribute = item->attribute;
		return;
	}
	s->activity = item->attribute;
	s->peer = who->receiver;
}

static void tell_items(struct engine *e, const struct packet *p, const struct parties *who, const char *protocol, uint16_t port)
{
	const struct told *told = &e->told;
	struct witness w;

	witness_of(e, p, protocol, &w);
	w.port = port;
	for (unsigned i = 0; i < told->count; i++) {
		struct statement f;
		uint32_t told_s;

		statement_of(&told->items[i], who, &f);
		told_s = teller_tell(&e->teller, &w, &f, told->text + told->items[i].path, told->text + told->items[i].value);
		if (told_s < e->repeat.told_s)
			e->repeat.told_s = told_s;
	}
	e->counters.findings_lost += told->lost;
}

/* Who serves by the handshake, or by the message itself. */
static void join_pulse(struct reading *r, const char *protocol)
{
	enum role role = sender_role(r);

	if (role == ROLE_SERVER || role == ROLE_CLIENT)
		pulse_join(r->e, r->f, r->p, role == ROLE_SERVER ? r->reader.direction : !r->reader.direction, protocol);
}

/* Signs are counted and activities told again within a second: each is read. */
static bool is_repeatable(const struct reading *r)
{
	const struct told *told = &r->e->told;

	for (unsigned i = 0; i < told->count; i++)
		if (told->items[i].kind == FINDING_ACTIVITY)
			return false;
	return !r->reader.signs && !told->lost;
}

/* A message is the classifier's: what it told counts. */
static void accept(struct reading *r, uint32_t index)
{
	const struct classifier *c = r->list->of[index];

	r->e->counters.messages++;
	r->e->repeat.messages++;
	if (r->d) {
		r->d->half[r->reader.direction].gap = false;
		if (!r->d->pulse && r->list->plants & 1ull << index)
			join_pulse(r, c->name);
	}
	if (!is_repeatable(r))
		r->e->repeat.hash = 0;
	if (r->reader.signs)
		pulse_signs(r->e, r->f, r->p, r->reader.signs);
	if (!(r->f->flags & told_flag(r)))
		tell_roles(r, c->name);
	if (r->e->told.count || r->e->told.lost) {
		enum role role = sender_role(r);
		uint16_t port = role == ROLE_CLIENT ? r->reader.receiver_port : r->reader.sender_port;

		tell_items(r->e, r->p, &r->who, c->name, r->reader.service_port ? r->reader.service_port : port);
	}
}

static void end_look(struct engine *e, struct detail *d)
{
	if (d && d->look)
		ndpi_look_end(e->ndpi, d->look);
	if (d)
		d->look = NULL;
}

static void decide(struct reading *r, uint32_t index, const void *memo)
{
	r->f->state = FLOW_OURS;
	r->f->protocol = (uint8_t)index;
	r->f->flags &= (uint8_t)~(FLOW_TOLD_LOW | FLOW_TOLD_HIGH);
	end_look(r->e, r->d);
	if (r->d && memo != r->d->memo)
		memcpy(r->d->memo, memo, MEMO_BYTES);
}

/* What the round over all candidates came to. */
struct round {
	bool need_more;
	bool decided;
	size_t taken; /* by who decided, or else by the favourite */
};

/* One candidate's answer to the start of bytes that nobody has claimed. */
static void ask_candidate(struct reading *r, uint32_t index, const uint8_t *bytes, size_t len, struct round *round)
{
	uint64_t scratch[MEMO_BYTES / 8] = { 0 };
	struct detail *d = r->d;
	void *memo = d->favourite == index ? (void *)d->memo : (void *)scratch;
	size_t taken;

	switch (ask(r, index, memo, bytes, len, &taken)) {
	case MINE:
		decide(r, index, memo);
		accept(r, index);
		if (d->favourite == index && d->fitted & 1u << !r->reader.direction)
			tell_other_end(r, r->list->of[index]->name);
		round->decided = true;
		round->taken = taken;
		break;
	case MAYBE:
		if (d->favourite == NO_FAVOURITE) {
			d->favourite = (uint8_t)index;
			d->fitted = 0;
			memcpy(d->memo, scratch, sizeof d->memo);
		}
		if (d->favourite == index) {
			round->taken = taken;
			d->fitted |= (uint8_t)(1u << r->reader.direction);
		}
		break;
	case NEED_MORE:
		round->need_more = true;
		break;
	case NOT_MINE:
		if (d->favourite == index) {
			d->favourite = NO_FAVOURITE;
			memset(d->memo, 0, sizeof d->memo);
		}
		/* A datagram settles it. A connection may change its language (STARTTLS), or was joined in its middle. */
		if (r->reader.transport == TRANSPORT_UDP)
			d->candidates &= ~(1ull << index);
		break;
	}
}

/* Asks those of a set that are candidates, until one decides. */
static void ask_set(struct reading *r, uint64_t set, const uint8_t *bytes, size_t len, struct round *round)
{
	for (set &= r->d->candidates; set && !round->decided; set &= set - 1)
		ask_candidate(r, (uint32_t)__builtin_ctzll(set), bytes, len, round);
}

/* The favourite first, then those whose port it is, then the rest. */
static struct round ask_all(struct reading *r, const uint8_t *bytes, size_t len)
{
	uint64_t usual = classifier_list_usual(r->list, r->f->key.low_port) | classifier_list_usual(r->list, r->f->key.high_port);
	uint64_t favourite = r->d->favourite == NO_FAVOURITE ? 0 : 1ull << r->d->favourite;
	struct round round = { 0 };

	if (favourite)
		ask_candidate(r, r->d->favourite, bytes, len, &round);
	ask_set(r, usual & ~favourite, bytes, len, &round);
	ask_set(r, ~(usual | favourite), bytes, len, &round);
	return round;
}

/* Another protocol inside or after ours. True when one recognised the bytes. */
static bool take_over(struct reading *r, const uint8_t *bytes, size_t len, size_t *taken)
{
	uint64_t scratch[MEMO_BYTES / 8];
	uint8_t was = r->f->protocol;

	if (r->f->takeovers >= TAKEOVERS_MAX)
		return false;
	r->f->takeovers++;
	for (uint32_t i = 0; i < r->list->count; i++) {
		if (i == was)
			continue;
		memset(scratch, 0, sizeof scratch);
		if (ask(r, i, scratch, bytes, len, taken) == MINE) {
			decide(r, i, scratch);
			accept(r, i);
			return true;
		}
	}
	return false;
}

/* Reads on with the flow's own classifier. Returns bytes taken. */
static size_t read_ours(struct reading *r, const uint8_t *bytes, size_t len, bool *need_more)
{
	uint64_t none[MEMO_BYTES / 8] = { 0 };
	size_t at = 0;

	while (at < len) {
		size_t taken;

		switch (ask(r, r->f->protocol, r->d ? r->d->memo : none, bytes + at, len - at, &taken)) {
		case MINE:
			accept(r, r->f->protocol);
			at += taken;
			break;
		case MAYBE:
			at += taken;
			break;
		case NEED_MORE:
			*need_more = true;
			return at;
		case NOT_MINE:
			r->e->counters.messages_rejected++;
			if (!take_over(r, bytes + at, len - at, &taken))
				return at;
			at += taken;
			break;
		}
		if (r->reader.transport == TRANSPORT_UDP)
			return len;
	}
	return at;
}

size_t classify_bytes(struct engine *e, struct flow *f, const struct packet *p, const uint8_t *bytes, size_t len, bool *need_more)
{
	struct reading r;
	size_t at = 0;

	*need_more = false;
	start_reading(&r, e, f, p);
	while (f->state == FLOW_UNDECIDED && at < len) {
		struct round round = ask_all(&r, bytes + at, len - at);

		if (!round.decided && (round.need_more || !round.taken)) {
			*need_more = round.need_more;
			return at;
		}
		at += round.taken;
		if (r.reader.transport == TRANSPORT_UDP)
			return len;
	}
	if (at < len && f->state == FLOW_OURS)
		at += read_ours(&r, bytes + at, len - at, need_more);
	if (e->repeat.hash)
		repeat_remember(e, r.d, p);
	e->repeat.hash = 0;
	return at;
}

/* Those of DHCP's clients: numbers as low as a server's, and the one of DHCPv6 is below its server's. */
static bool is_clients_port(uint16_t port)
{
	return port == 68 || port == 546;
}

/* The end that serves, as far as it can be known without reading: by handshake, else by the lower port. */
static bool server_is_high(const struct flow *f)
{
	if (f->flags & (FLOW_SERVER_LOW | FLOW_SERVER_HIGH))
		return f->flags & FLOW_SERVER_HIGH;
	if (is_clients_port(f->key.low_port) != is_clients_port(f->key.high_port))
		return is_clients_port(f->key.low_port);
	return f->key.high_port < f->key.low_port;
}

/* Who asks and who answers is known: a connection was accepted, or both ends of what has none were heard. */
static bool is_answered(const struct flow *f)
{
	const uint8_t both = FLOW_HEARD_LOW | FLOW_HEARD_HIGH;

	return f->flags & FLOW_ANSWERED || (f->key.protocol != 6 && (f->flags & both) == both);
}

void classify_tell_unread(struct engine *e, struct flow *f, const struct packet *p)
{
	bool high = server_is_high(f);
	struct packet from_server = *p;
	char label[LABEL_BYTES] = "";
	struct statement is = { .kind = FINDING_SERVICE, .role = ROLE_SERVER, .evidence = EVIDENCE_PORT, .confidence = 20 };
	struct parties who;
	struct witness w;

	if (!(f->flags & (high ? FLOW_HEARD_HIGH : FLOW_HEARD_LOW)) || f->flags & FLOW_TOLD_HIGH)
		return;
	/* A port that systems draw for their own questions says nothing of who serves. */
	if (!is_answered(f) && (high ? f->key.high_port : f->key.low_port) >= DYNAMIC_PORTS)
		return;
	if (f->state == FLOW_LABELLED) {
		ndpi_label(e->ndpi, f->label, label, sizeof label);
		is.evidence = EVIDENCE_NDPI;
		is.confidence = 50;
	} else if (!is_answered(f)) {
		return;
	}
	f->flags |= FLOW_TOLD_HIGH | FLOW_TOLD_LOW;
	from_server.direction = high;
	parties_of(&from_server, &who);
	/* The packet at hand may be of the other end, or of none: its MACs say nothing here. */
	memset(who.sender.mac, 0, sizeof who.sender.mac);
	who.sender.binding = BINDING_NONE;
	witness_of(e, p, label, &w);
	w.transport = (uint8_t)transport_of(f);
	w.port = high ? f->key.high_port : f->key.low_port;
	is.subject = who.sender;
	teller_tell(&e->teller, &w, &is, NULL, NULL);
	is.kind = FINDING_TALKS;
	is.role = ROLE_CLIENT;
	is.subject = who.receiver;
	is.peer = who.sender;
	memset(is.subject.mac, 0, sizeof is.subject.mac);
	if (!p->multicast)
		teller_tell(&e->teller, &w, &is, NULL, NULL);
}

/* Nobody reads this flow: what nDPI said of it stays, and its memory goes. */
static void give_up(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = f->detail ? detail_at(&e->details, f->detail) : NULL;

	f->label = d ? d->label : 0;
	f->state = f->label ? FLOW_LABELLED : FLOW_UNKNOWN;
	f->flags &= (uint8_t)~(FLOW_TOLD_LOW | FLOW_TOLD_HIGH);
	/* A service that has a name needs none from its port. */
	if (ears_end(e, f, p) && !f->label)
		f->flags |= FLOW_TOLD_HIGH;
	classify_tell_unread(e, f, p);
	end_look(e, d);
	if (d)
		detail_give(&e->details, f->detail);
	f->detail = 0;
}

void classify_look(struct engine *e, struct flow *f, const struct packet *p)
{
	struct detail *d = f->detail ? detail_at(&e->details, f->detail) : NULL;
	bool waiting;

	if (!d) {
		give_up(e, f, p);
		return;
	}
	if (!d->ndpi_done && e->ndpi && p->network && !p->reassembled) {
		if (!d->look)
			d->look = ndpi_look_start(e->ndpi, p->share);
		if (d->look && note_ndpi(e, f)) {
			e->counters.ndpi_packets++;
			d->label = ndpi_look_at(e->ndpi, d->look, p->network,
						p->network_len > UINT16_MAX ? UINT16_MAX : (uint16_t)p->network_len, p->time_ns);
			note_nothing(e);
		}
		d->ndpi_done = !d->look || d->label || f->looks + 1 >= NDPI_LOOKS_MAX;
		if (d->ndpi_done)
			end_look(e, d);
	}
	if (f->looks < UINT8_MAX)
		f->looks++;
	/* Whoever waits for the rest of a message may get it byte by byte, as people type. */
	waiting = d->half[p->direction].held;
	if (f->looks >= (waiting ? WAITING_LOOKS_MAX : LOOKS_MAX) || (d->candidates == 0 && (d->ndpi_done || !e->ndpi) && !ears_wait(e, f)))
		give_up(e, f, p);
}

void classify_end(struct engine *e, struct flow *f, const struct packet *p)
{
	if (f->state == FLOW_NEW || f->state == FLOW_UNDECIDED) {
		give_up(e, f, p);
	} else if (f->detail) {
		ears_end(e, f, p);
		end_look(e, detail_at(&e->details, f->detail));
		detail_give(&e->details, f->detail);
		f->detail = 0;
	}
}
