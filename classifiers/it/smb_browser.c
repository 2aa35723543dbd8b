/*
 * Browser announcements: Windows and Samba machines that tell their network who they are. MS-BRWS, 2.2,
 * in a mailslot of SMB (MS-MAIL, 2.2.1) in a NetBIOS datagram (RFC 1002, 4.4), or straight on the link as NetBEUI has it
 * (IBM LAN Technical Reference, SC30-3587, 5).
 *
 *  datagram: {type u8}{flags u8}{id u16}{IPv4}{port u16}{length u16}{offset u16}{source name}{target name}
 *  NetBEUI:  LLC f0 f0 03 | {44 u16le}{ff ef}{command 08 or 09}{7}{target name 16}{source name 16}
 *  SMB:      ff "SMB" 25 ... {word count 17}{words}{byte count u16} "\MAILSLOT\BROWSE" 0 {data}
 *  announcement 01, 0f: {count u8}{period u32}{name 16}{OS 2}{server type u32}{browser 2}{55aa}{comment}0
 *  election 08: {version u8}{criteria u32}{uptime u32}{0 u32}{name}0
 */
#include "classifiers/it/netbios.h"

#include <strings.h>

enum { PORT_DATAGRAM = 138, DIRECT_UNIQUE = 0x10, DIRECT_GROUP = 0x11, BROADCAST = 0x12 };
enum { SMB_HEADER_BYTES = 32, MAILSLOT_WORDS = 17 };
enum {
	HOST_ANNOUNCEMENT = 1, ANNOUNCEMENT_REQUEST = 2, ELECTION = 8, GET_BACKUPS = 9, BACKUPS = 10,
	BECOME_BACKUP = 11, DOMAIN_ANNOUNCEMENT = 12, MASTER_ANNOUNCEMENT = 13, RESET_STATE = 14, LOCAL_MASTER = 15,
};
enum { TYPE_UNIX = 0x800, SIGNATURE = 0xaa55 };

/* What the machine says that it does. MS-BRWS, 2.2 and MS-RAP's server types. */
static void tell_server_type(struct reader *r, uint32_t type)
{
	static const struct { uint32_t bit; const char *role; } roles[] = {
		{ 0x4, "database-server" }, { 0x8, "domain-controller" }, { 0x10, "backup-domain-controller" },
		{ 0x20, "time-server" }, { 0x200, "print-server" }, { 0x400, "dial-in-server" },
		{ 0x8000, "server" }, { 0x40000, "master-browser" }, { 0x80000, "domain-master-browser" },
		{ 0x2000000, "terminal-server" },
	};

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (type & roles[i].bit)
			tell_text(r, SENDER, NULL, ATTR_ROLE, roles[i].role);
}

static bool tell_hostname(struct reader *r, struct cursor text)
{
	ptrdiff_t end = cursor_find(&text, 0);
	struct cursor name = end < 0 ? text : cursor_take(&text, (size_t)end);

	for (const uint8_t *p = name.at; p < name.end; p++)
		if (*p < ' ' || *p == 0x7f)
			return false;
	tell(r, SENDER, NULL, ATTR_HOSTNAME, name);
	return cursor_left(&name) > 0;
}

static bool read_announcement(struct reader *r, struct cursor c)
{
	struct cursor name;
	uint8_t major, minor;
	uint32_t type;

	cursor_skip(&c, 1 + 4);
	name = cursor_take(&c, NETBIOS_NAME_BYTES + 1);
	major = cursor_u8(&c);
	minor = cursor_u8(&c);
	type = cursor_u32le(&c);
	cursor_skip(&c, 2);
	if (cursor_u16le(&c) != SIGNATURE || !cursor_ok(&c) || !tell_hostname(r, name))
		return false;
	/* Samba gives itself the version of a Windows, but says Unix too. */
	if (type & TYPE_UNIX)
		tell_text(r, SENDER, NULL, ATTR_OS, "Unix");
	else
		tell_format(r, SENDER, NULL, ATTR_OS, "Windows %u.%u", major, minor);
	tell_server_type(r, type);
	tell(r, SENDER, NULL, ATTR_DESCRIPTION, c);
	return true;
}

/* The name is that of the domain or workgroup whose master browser sends this. */
static bool read_domain(struct reader *r, struct cursor c)
{
	struct netbios_name domain;

	cursor_skip(&c, 1 + 4);
	domain = netbios_plain(cursor_take(&c, NETBIOS_NAME_BYTES + 1));
	cursor_skip(&c, 2 + 4 + 4);
	if (!cursor_ok(&c) || domain.text[0] == 0)
		return false;
	tell_text(r, SENDER, NULL, ATTR_ROLE, "master-browser");
	tell_format(r, SENDER, NULL, ATTR_DESCRIPTION, "workgroup: %s", domain.text);
	return true;
}

/* A name stands where the machine speaks of itself. */
static bool read_browser(struct reader *r, struct cursor c)
{
	uint8_t command = cursor_u8(&c);

	switch (command) {
	case HOST_ANNOUNCEMENT:
	case LOCAL_MASTER:
		return read_announcement(r, c);
	case ELECTION:
		cursor_skip(&c, 1 + 4 + 4 + 4);
		tell_hostname(r, c);
		return cursor_ok(&c);
	case MASTER_ANNOUNCEMENT:
		return tell_hostname(r, c);
	case ANNOUNCEMENT_REQUEST:
		cursor_skip(&c, 1);
		return cursor_ok(&c) && cursor_find(&c, 0) >= 0;
	case DOMAIN_ANNOUNCEMENT:
		return read_domain(r, c);
	case GET_BACKUPS:
	case BACKUPS:
	case BECOME_BACKUP:
	case RESET_STATE:
		return cursor_left(&c) > 0;
	}
	return false;
}

/* True and `c` at the mailslot's data when it is the browser's. */
static bool enter_mailslot(struct cursor *c)
{
	static const char browse[] = "\\MAILSLOT\\BROWSE";
	struct cursor name;
	ptrdiff_t end;
	uint8_t words;

	if (!cursor_starts(c, "\xffSMB\x25", 5))
		return false;
	cursor_skip(c, SMB_HEADER_BYTES);
	words = cursor_u8(c);
	cursor_skip(c, 2u * words + 2);
	end = cursor_find(c, 0);
	if (words != MAILSLOT_WORDS || end < 0)
		return false;
	name = cursor_take(c, (size_t)end);
	cursor_skip(c, 1);
	return cursor_left(&name) == strlen(browse) &&
	       strncasecmp((const char *)name.at, browse, strlen(browse)) == 0 && cursor_left(c) > 0;
}

/* The name that the datagram comes from, which is the sender's when nobody passed it on. */
static bool take_names(struct reader *r, struct cursor *c)
{
	struct netbios_name source, target;
	struct cursor head = cursor_take(c, 14);
	uint8_t type = cursor_u8(&head);

	cursor_skip(&head, 3);
	if (type < DIRECT_UNIQUE || type > BROADCAST || !netbios_take(c, &source) || !netbios_take(c, &target))
		return false;
	if (r->sender->family == 4 && cursor_starts(&head, r->sender->ip, 4) && netbios_machine(&source))
		tell_text(r, SENDER, NULL, ATTR_HOSTNAME, source.text);
	return true;
}

static bool take_netbeui(struct reader *r, struct cursor *c)
{
	enum { NETBEUI_BYTES = 44, DATAGRAM = 8, BROADCAST_DATAGRAM = 9 };
	static const uint8_t llc[] = { 0xf0, 0xf0, 0x03, NETBEUI_BYTES, 0x00, 0xff, 0xef };
	struct netbios_name source;
	uint8_t command;

	if (!cursor_starts(c, llc, sizeof llc))
		return false;
	cursor_skip(c, sizeof llc);
	command = cursor_u8(c);
	cursor_skip(c, 7 + 16);
	source = netbios_plain(cursor_take(c, NETBIOS_NAME_BYTES + 1));
	if (!cursor_ok(c) || (command != DATAGRAM && command != BROADCAST_DATAGRAM))
		return false;
	if (netbios_machine(&source))
		tell_text(r, SENDER, NULL, ATTR_HOSTNAME, source.text);
	return true;
}

static enum verdict read_smb_browser(struct reader *r)
{
	struct cursor c = r->bytes;
	bool link = r->transport == TRANSPORT_ETHERNET;

	if (!(link ? take_netbeui(r, &c) : take_names(r, &c)) || !enter_mailslot(&c) || !read_browser(r, c))
		return NOT_MINE;
	r->sender_role = ROLE_PEER;
	r->service_port = PORT_DATAGRAM;
	return MINE;
}

const struct classifier classifier_smb_browser = {
	.name = "smb_browser",
	.transports = 1 << TRANSPORT_UDP | 1 << TRANSPORT_ETHERNET,
	.ports = { PORT_DATAGRAM },
	.ethertypes = { ETHERTYPE_LLC },
	.read = read_smb_browser,
};
