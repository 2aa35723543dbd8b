/* Addresses: which name one device, and how they are written. */
#include "sensor/hub/address.h"

#include <arpa/inet.h>
#include <string.h>

bool mac_is_one(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

bool mac_is_virtual(const uint8_t mac[6])
{
	switch (mac[0] << 16 | mac[1] << 8 | mac[2]) {
	case 0x00005e: /* 01: VRRP and CARP, RFC 9568 section 7.3; 02: VRRP for IPv6 */
		return mac[3] == 0x00 && (mac[4] == 0x01 || mac[4] == 0x02);
	case 0x00000c: /* HSRP version 1, RFC 2281 section 5.2; version 2: 00:00:0c:9f:fX:XX */
		return (mac[3] == 0x07 && mac[4] == 0xac) || mac[3] == 0x9f;
	case 0x000573: /* HSRP for IPv6: 00:05:73:a0:0X:XX */
		return mac[3] == 0xa0 && mac[4] == 0x00;
	case 0x0007b4: /* GLBP */
		return mac[3] == 0x00;
	default:
		return false;
	}
}

bool ip_is_one(uint8_t family, const uint8_t ip[16])
{
	static const uint8_t zero[16], broadcast[4] = { 255, 255, 255, 255 };

	/* Class E is no group: captures that were made anonymous are full of it. */
	if (family == 4)
		return (ip[0] & 0xf0) != 0xe0 && memcmp(ip, zero, 4) != 0 && memcmp(ip, broadcast, 4) != 0;
	return family == 6 && ip[0] != 0xff && memcmp(ip, zero, 16) != 0;
}

bool ip_is_link_local(uint8_t family, const uint8_t ip[16])
{
	if (family == 4)
		return ip[0] == 169 && ip[1] == 254;
	return family == 6 && ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

bool ip_eui64_mac(uint8_t family, const uint8_t ip[16], uint8_t mac[6])
{
	if (family != 6 || !ip_is_link_local(6, ip) || ip[11] != 0xff || ip[12] != 0xfe)
		return false;
	memcpy(mac, ip + 8, 3);
	memcpy(mac + 3, ip + 13, 3);
	mac[0] ^= 2;
	return mac_is_one(mac);
}

size_t address_bytes(uint8_t family)
{
	return family == 0 ? 6 : family == 4 ? 4 : 16;
}

void mac_text(char text[MAC_TEXT_BYTES], const uint8_t mac[6], char between, const char digits[16])
{
	for (unsigned i = 0; i < 6; i++) {
		*text++ = digits[mac[i] >> 4];
		*text++ = digits[mac[i] & 15];
		*text++ = i < 5 ? between : 0;
	}
}

/* Written by hand as MACs are, because documents are full of both and printf() takes longer than the rest of a line. */
static void ipv4_text(char *to, const uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (ip[i] >= 100)
			*to++ = (char)('0' + ip[i] / 100);
		if (ip[i] >= 10)
			*to++ = (char)('0' + ip[i] / 10 % 10);
		*to++ = (char)('0' + ip[i] % 10);
		*to++ = i < 3 ? '.' : 0;
	}
}

void address_text(char text[ADDRESS_TEXT_BYTES], uint8_t family, const uint8_t *a)
{
	if (family == 0)
		mac_text(text, a, ':', "0123456789abcdef");
	else if (family == 4)
		ipv4_text(text, a);
	else if (!inet_ntop(AF_INET6, a, text, ADDRESS_TEXT_BYTES))
		text[0] = 0;
}
