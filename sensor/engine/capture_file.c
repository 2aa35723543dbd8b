/*
 * Classic pcap (draft-ietf-opsawg-pcap), pcapng (draft-ietf-opsawg-pcapng) and snoop (RFC 1761).
 *
 *   pcap    magic:4 major:2 minor:2 zone:4 sigfigs:4 snaplen:4 linktype:4 { sec:4 frac:4 captured:4 length:4 bytes }
 *   snoop   "snoop\0\0\0":8 version:4 datalink:4 { length:4 captured:4 record:4 drops:4 sec:4 usec:4 bytes } RFC 1761
 *   pcapng  { type:4 total:4 body total:4 }   0x0a0d0d0a section, 1 interface, 6 packet, 3 simple packet, 2 old packet
 */
#include "sensor/engine/capture_file.h"

#include "sensor/common/time_range.h"
#include "sensor/engine/byte_source.h"
#include "sensor/engine/pcap_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECORD_MAX = CAPTURED_MAX + 4096, /* with header and options */
	PCAP_HEADER_BYTES = 24,
	PCAP_RECORD_BYTES = 16,
	AHEAD_BYTES = 4096,
	LINE_BYTES = 64,
	SNOOP_HEADER_BYTES = 16,
	SNOOP_RECORD_BYTES = 24,
	SNOOP_ETHERNET = 4,
	INTERFACES_MAX = 1024, /* described in one section; frames of further ones have an unknown link type */
	WHY_BYTES = 160,
};

struct interface {
	uint16_t linktype;
	uint32_t snap_length;
	uint64_t ticks_per_second;
	int64_t offset_s;
};

struct capture_file {
	struct byte_source *source;
	struct byte_window *window; /* of the source */
	bool pcapng;
	bool snoop;
	bool swapped; /* not in this machine's byte order, as little-endian is meant here */
	bool nanoseconds;
	uint32_t extra; /* bytes of record header beyond the usual: the "modified" pcap of old Linux */
	uint16_t linktype;
	struct capture_place place;
	struct file_index *index; /* NULL: frames are looked for here */
	bool indexed; /* the part at hand is read by the index */
	uint64_t given; /* frames up to this one were given out by the index */
	uint32_t interfaces;
	struct interface interface[INTERFACES_MAX];
	char why[WHY_BYTES];
};

static size_t left(const struct capture_file *file)
{
	return file->window->to - file->window->from;
}

static inline uint32_t read_u32(const struct capture_file *file, struct cursor *c)
{
	return once(file->swapped ? cursor_u32be(c) : cursor_u32le(c));
}

static inline uint16_t read_u16(const struct capture_file *file, struct cursor *c)
{
	return (uint16_t)once(file->swapped ? cursor_u16be(c) : cursor_u16le(c));
}

/* True when the four bytes are a magic of classic pcap. */
static bool take_pcap_magic(struct capture_file *file, uint32_t magic)
{
	switch (magic) {
	case 0xa1b2c3d4:
	case 0xd4c3b2a1:
		break;
	case 0xa1b23c4d:
	case 0x4d3cb2a1:
		file->nanoseconds = true;
		break;
	case 0xa1b2cd34:
	case 0x34cdb2a1:
		file->extra = 8;
		break;
	default:
		return false;
	}
	file->swapped = (magic & 0xff) == 0xa1;
	return true;
}

/* Solaris' own format; its registry of link types is not pcap's. */
static const char *read_snoop_header(struct capture_file *file, struct cursor c)
{
	uint32_t version, datalink;

	cursor_skip(&c, 8);
	version = cursor_u32be(&c);
	datalink = cursor_u32be(&c);
	if (!cursor_ok(&c) || version != 2)
		return "it is a snoop file of another version than 2";
	file->snoop = true;
	file->linktype = datalink == SNOOP_ETHERNET ? LINKTYPE_ETHERNET : UINT16_MAX;
	file->window->from += SNOOP_HEADER_BYTES;
	return NULL;
}

static const char *read_file_header(struct capture_file *file)
{
	struct cursor c;
	uint32_t magic;

	while (left(file) < PCAP_HEADER_BYTES && byte_source_refill(file->source))
		;
	if (byte_source_fault(file->source) == BYTES_WRONG_GZIP)
		return "its gzip data are broken from the start";
	if (byte_source_fault(file->source))
		return "it can't be read";
	c = byte_window_cursor(file->window);
	if (cursor_left(&c) == 0)
		return "it is empty";
	if (cursor_starts(&c, "snoop\0\0\0", 8))
		return read_snoop_header(file, c);
	magic = cursor_u32le(&c);
	if (cursor_ok(&c) && magic == 0x0a0d0d0a) {
		file->pcapng = true;
		return NULL;
	}
	if (!cursor_ok(&c) || !take_pcap_magic(file, magic))
		return "it is not a capture: neither pcap, pcapng nor snoop begins like this";
	cursor_skip(&c, 16);
	file->linktype = (uint16_t)(read_u32(file, &c) & 0xffff);
	if (!cursor_ok(&c))
		return "it ends within its header";
	file->window->from += PCAP_HEADER_BYTES;
	return NULL;
}

struct capture_file *capture_file_open(int fd, const char **why)
{
	struct capture_file *file = calloc(1, sizeof *file);

	*why = "there is not enough memory";
	if (!file)
		return NULL;
	file->source = byte_source_open(fd, RECORD_MAX);
	if (file->source) {
		file->window = byte_source_window(file->source);
		*why = read_file_header(file);
	}
	if (*why) {
		capture_file_close(file);
		return NULL;
	}
	return file;
}

void capture_file_close(struct capture_file *file)
{
	if (file->source)
		byte_source_close(file->source);
	free(file);
}

static __attribute__((noinline)) enum capture_result cut(struct capture_file *file, const char *what, uint64_t value)
{
	snprintf(file->why, sizeof file->why, "after frame %llu: %s (%llu)", (unsigned long long)file->place.number, what,
		 (unsigned long long)value);
	return CAPTURE_CUT;
}

/* What is left is no whole record: either more can be read, or the file ends here. */
static __attribute__((noinline)) enum capture_result at_edge(struct capture_file *file)
{
	if (!byte_source_ended(file->source))
		return CAPTURE_REFILL;
	switch (byte_source_fault(file->source)) {
	case BYTES_WRONG_GZIP:
		return cut(file, "the gzip data are broken; bytes unpacked before that", byte_source_unpacked(file->source));
	case BYTES_UNREADABLE:
		return cut(file, "the file can't be read any further; bytes read before that", byte_source_read(file->source));
	case BYTES_GONE:
		return cut(file, "the file became shorter while it was read; bytes read before that", byte_source_read(file->source));
	case BYTES_WELL:
		break;
	}
	if (left(file) == 0)
		return CAPTURE_END;
	return cut(file, "the file ends within a record; bytes left over", left(file));
}

static inline struct pcap_form form_of(const struct capture_file *file)
{
	return (struct pcap_form){ .head = PCAP_RECORD_BYTES + file->extra, .unit_ns = file->nanoseconds ? 1 : 1000, .linktype = file->linktype, .swapped = file->swapped };
}

/* Why there is no further record. */
static __attribute__((noinline)) enum capture_result pcap_stops(struct capture_file *file)
{
	struct cursor c = byte_window_cursor(file->window);
	uint32_t captured;

	cursor_skip(&c, 8);
	captured = read_u32(file, &c);
	cursor_skip(&c, 4);
	if (cursor_ok(&c) && captured > CAPTURED_MAX)
		return cut(file, "a record claims an impossible length", captured);
	return at_edge(file);
}

/* What is read of a file at once, and of it kept. */
struct wish {
	unsigned most; /* frames to keep */
	uint64_t left; /* to read, >= most */
	uint32_t shares; /* to keep, where not all are */
	uint64_t given; /* not to keep, up to this one */
};

/* True for what is surely another's. */
static inline bool is_of_others(struct frame *f, uint32_t shares)
{
	f->share = share_of_frame(f->bytes, f->captured, f->linktype);
	return f->share != SHARE_UNSURE && !(shares >> f->share & 1);
}

/*
 * The file's place is kept in registers for as long as a batch is read. The next headers are fetched: a batch of them is read
 * before the first frame is. So is what is next of frames that nothing is worked on, which would give the memory time to bring it.
 */
static inline __attribute__((always_inline)) enum capture_result read_pcap(struct capture_file *file, const struct wish *wish, bool all, struct frame *frames, unsigned *count)
{
	const struct pcap_form form = form_of(file);
	struct cursor behind = byte_window_cursor(file->window), c = behind;
	struct capture_place place = file->place;
	uint64_t end = place.number + wish->left;
	unsigned n = 0;

	while (n < wish->most && place.number < end && take_pcap_record(&c, &form, &frames[n])) {
		struct frame *f = &frames[n];

		__builtin_prefetch(c.at + AHEAD_BYTES);
		capture_place_pass(&place, f);
		behind = c;
		if (!all)
			__builtin_prefetch(c.at + AHEAD_BYTES + LINE_BYTES);
		n += all || (!is_of_others(f, wish->shares) && f->number > wish->given);
	}
	file->place = place;
	file->window->from = (size_t)(behind.at - file->window->bytes);
	*count = n;
	return n == wish->most || place.number == end ? CAPTURE_FRAME : pcap_stops(file);
}

static enum capture_result next_snoop(struct capture_file *file, struct frame *f)
{
	struct cursor c = byte_window_cursor(file->window), bytes;
	uint32_t length = once(cursor_u32be(&c)), captured = once(cursor_u32be(&c)), record = once(cursor_u32be(&c)), seconds;

	cursor_skip(&c, 4);
	seconds = cursor_u32be(&c);
	f->time_ns = (int64_t)seconds * 1000000000 + (int64_t)cursor_u32be(&c) * 1000;
	if (!cursor_ok(&c))
		return at_edge(file);
	if (record > RECORD_MAX || record < SNOOP_RECORD_BYTES || captured > record - SNOOP_RECORD_BYTES)
		return cut(file, "a record claims an impossible length", record);
	bytes = cursor_take(&c, record - SNOOP_RECORD_BYTES);
	if (!cursor_ok(&c))
		return at_edge(file);
	f->bytes = bytes.at;
	f->captured = captured;
	f->length = length < captured ? captured : length;
	f->linktype = file->linktype;
	f->has_vlan = false;
	capture_place_pass(&file->place, f);
	file->window->from += record;
	return CAPTURE_FRAME;
}

static void read_interface_options(struct capture_file *file, struct interface *i, struct cursor *c)
{
	while (cursor_left(c) >= 4) {
		uint16_t code = read_u16(file, c), len = read_u16(file, c);
		struct cursor value = cursor_take(c, len);

		cursor_skip(c, (4u - len % 4u) % 4u);
		if (code == 0 || !cursor_ok(&value))
			return;
		if (code == 9) { /* if_tsresol: a power of ten, or of two when the high bit is set */
			uint8_t power = cursor_u8(&value);

			i->ticks_per_second = 1;
			for (int n = 0; n < (power & 0x7f) && i->ticks_per_second < UINT64_MAX / 20; n++)
				i->ticks_per_second *= power & 0x80 ? 2 : 10;
		} else if (code == 14) { /* if_tsoffset, seconds */
			uint64_t low = read_u32(file, &value), high = read_u32(file, &value);

			i->offset_s = (int64_t)(file->swapped ? low << 32 | high : high << 32 | low);
		}
	}
}

static void read_interface(struct capture_file *file, struct cursor *c)
{
	struct interface *i;

	if (file->interfaces >= INTERFACES_MAX) {
		file->interfaces++;
		return;
	}
	i = &file->interface[file->interfaces];
	memset(i, 0, sizeof *i);
	i->ticks_per_second = 1000000;
	i->linktype = read_u16(file, c);
	cursor_skip(c, 2);
	i->snap_length = read_u32(file, c);
	if (!cursor_ok(c))
		return;
	file->interfaces++;
	read_interface_options(file, i, c);
}

/* Ticks of any resolution up to 2^64 a second. A time that can't be is not known. */
static int64_t ticks_ns(uint64_t ticks, const struct interface *i)
{
	uint64_t seconds = ticks / i->ticks_per_second, rest = ticks % i->ticks_per_second;
	__int128 ns = (__int128)rest * 1000000000 / i->ticks_per_second;

	ns += ((__int128)seconds + i->offset_s) * 1000000000;
	return ns >= 0 && ns <= TIME_MOST_NS ? (int64_t)ns : 0;
}

/* Enhanced (6) and old (2) packet blocks differ in the width of the interface's number alone. */
static bool read_packet_block(struct capture_file *file, uint32_t type, struct cursor *c, struct frame *f)
{
	uint32_t index, captured;
	uint64_t high, low;
	struct cursor bytes;

	if (type == 6) {
		index = read_u32(file, c);
	} else {
		index = read_u16(file, c);
		cursor_skip(c, 2);
	}
	high = read_u32(file, c);
	low = read_u32(file, c);
	captured = read_u32(file, c);
	f->length = read_u32(file, c);
	bytes = cursor_take(c, captured);
	if (!cursor_ok(c) || index >= file->interfaces)
		return false;
	f->bytes = bytes.at;
	f->captured = captured;
	if (index < INTERFACES_MAX) {
		f->linktype = file->interface[index].linktype;
		f->time_ns = ticks_ns(high << 32 | low, &file->interface[index]);
	} else {
		f->linktype = UINT16_MAX;
		f->time_ns = 0;
	}
	return true;
}

static bool read_simple_block(struct capture_file *file, struct cursor *c, struct frame *f)
{
	struct interface *i = &file->interface[0];
	size_t there;

	f->length = read_u32(file, c);
	there = cursor_left(c);
	if (!cursor_ok(c) || file->interfaces == 0)
		return false;
	f->captured = f->length < there ? f->length : (uint32_t)there;
	if (i->snap_length && f->captured > i->snap_length)
		f->captured = i->snap_length;
	f->bytes = cursor_rest(c).at;
	f->linktype = i->linktype;
	f->time_ns = 0;
	return true;
}

/* A new section has its own byte order and its own interfaces. */
static bool read_section(struct capture_file *file, struct cursor c)
{
	uint32_t order;

	cursor_skip(&c, 8);
	order = cursor_u32le(&c);
	if (!cursor_ok(&c) || (order != 0x1a2b3c4d && order != 0x4d3c2b1a))
		return false;
	file->swapped = order == 0x4d3c2b1a;
	file->interfaces = 0;
	return true;
}

static enum capture_result next_pcapng(struct capture_file *file, struct frame *f)
{
	for (;;) {
		struct cursor c = byte_window_cursor(file->window), body;
		uint32_t type, total;
		bool is_frame = false;

		if (cursor_left(&c) < 12)
			return at_edge(file);
		if (cursor_starts(&c, "\x0a\x0d\x0d\x0a", 4) && !read_section(file, c))
			return cut(file, "a section states no byte order; bytes left", cursor_left(&c));
		type = read_u32(file, &c);
		total = read_u32(file, &c);
		if (total < 12 || total % 4 || total > RECORD_MAX)
			return cut(file, "a block claims an impossible length", total);
		body = cursor_take(&c, total - 12);
		cursor_skip(&c, 4);
		if (!cursor_ok(&c))
			return at_edge(file);
		f->has_vlan = false;
		if (type == 1)
			read_interface(file, &body);
		else if (type == 6 || type == 2)
			is_frame = read_packet_block(file, type, &body, f);
		else if (type == 3)
			is_frame = read_simple_block(file, &body, f);
		if ((type == 6 || type == 2 || type == 3) && !is_frame)
			return cut(file, "a packet block contradicts itself; its length", total);
		file->window->from += total;
		if (is_frame) {
			if (f->length < f->captured)
				f->length = f->captured;
			capture_place_pass(&file->place, f);
			return CAPTURE_FRAME;
		}
	}
}

static enum capture_result read_others(struct capture_file *file, const struct wish *wish, bool all, struct frame *frames, unsigned *count)
{
	enum capture_result result = CAPTURE_FRAME;
	uint64_t left = wish->left;
	unsigned n = 0;

	for (; n < wish->most && left && (result = file->pcapng ? next_pcapng(file, &frames[n]) : next_snoop(file, &frames[n])) == CAPTURE_FRAME; left--)
		n += all || !is_of_others(&frames[n], wish->shares);
	*count = n;
	return result;
}

static enum capture_result read_any(struct capture_file *file, const struct wish *wish, bool all, struct frame *frames, unsigned *count)
{
	if (file->pcapng || file->snoop)
		return read_others(file, wish, all, frames, count);
	/* Told apart here: the compiler makes a loop of each. */
	return all ? read_pcap(file, wish, true, frames, count) : read_pcap(file, wish, false, frames, count);
}

static enum capture_result read_wish(struct capture_file *file, const struct wish *wish, bool all, struct frame *frames, unsigned *count)
{
	size_t from = file->window->from;
	struct capture_place before = file->place;
	enum capture_result result = read_any(file, wish, all, frames, count);
	bool odd = result == CAPTURE_CUT || (*count && !frames[*count - 1].captured);

	if (!byte_source_lost(file->source, odd))
		return result;
	*count = 0;
	file->window->from = from;
	file->place = before;
	return CAPTURE_REFILL;
}

enum capture_result capture_file_read(struct capture_file *file, struct frame *frames, unsigned most, unsigned *count)
{
	return read_wish(file, &(struct wish){ .most = most, .left = most }, true, frames, count);
}

void capture_file_share(struct capture_file *file, struct file_index *index)
{
	struct cursor whole;

	byte_source_refill(file->source);
	if (!file->pcapng && !file->snoop && byte_source_whole(file->source, &whole))
		file->index = index;
}

/* Reads the part at hand again, without the index and but for what it gave out. */
static void leave_index(struct capture_file *file)
{
	file->given = file->place.number;
	file->place.number = file_index_part(file->index) * INDEX_PART_FRAMES;
	file->window->from = (size_t)file_index_start(file->index);
	file->index = NULL;
	file->indexed = false;
}

/* What is another's turn as much as ours. */
static void go_through_parts(struct capture_file *file)
{
	const struct pcap_form form = form_of(file);
	struct cursor whole;

	while (byte_source_whole(file->source, &whole) && file_index_begin(file->index)) {
		if (file_index_walk(file->index, &whole, &form))
			file_index_publish(file->index);
		else
			file_index_give_up(file->index);
	}
}

/* A part of the index begins here. */
static void arrive(struct capture_file *file)
{
	if (file->indexed && !byte_source_go_to(file->source, file_index_end(file->index))) {
		leave_index(file);
		return;
	}
	file_index_arrive(file->index, file->place.number / INDEX_PART_FRAMES, file->window->from);
	go_through_parts(file);
	file->indexed = file_index_enter(file->index);
}

static enum capture_result read_indexed(struct capture_file *file, struct frame *frames, unsigned most, unsigned *count)
{
	const struct pcap_form form = form_of(file);
	struct capture_place before = file->place;
	struct cursor whole;
	bool sane = byte_source_whole(file->source, &whole) && file_index_read(file->index, &whole, &form, &file->place, frames, most, count);

	if (byte_source_lost(file->source, *count && !frames[*count - 1].captured)) {
		*count = 0;
		file->place = before;
		leave_index(file);
		return CAPTURE_REFILL;
	}
	if (!sane)
		leave_index(file);
	return CAPTURE_FRAME;
}

enum capture_result capture_file_read_shares(struct capture_file *file, uint32_t shares, struct frame *frames, unsigned most, unsigned *count)
{
	struct wish wish = { .most = most, .shares = shares };

	if (file->index && file->place.number % INDEX_PART_FRAMES == 0)
		arrive(file);
	if (file->indexed)
		return read_indexed(file, frames, most, count);
	wish.left = STRIDE_FRAMES - file->place.number % STRIDE_FRAMES;
	wish.given = file->given;
	return read_wish(file, &wish, false, frames, count);
}

enum capture_result capture_file_next(struct capture_file *file, struct frame *f)
{
	unsigned count;

	return capture_file_read(file, f, 1, &count);
}

const struct capture_place *capture_file_place(const struct capture_file *file)
{
	return &file->place;
}

bool capture_file_refill(struct capture_file *file)
{
	return byte_source_refill(file->source);
}

uint64_t capture_file_bytes(const struct capture_file *file)
{
	return byte_source_read(file->source);
}

const char *capture_file_why(const struct capture_file *file)
{
	return file->why;
}
