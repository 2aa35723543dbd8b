/* Makes JA4 fingerprints; see ja4.h for what they are made of. */
#include "classifiers/api/ja4.h"

#include "classifiers/api/sha256.h"

#include <stdio.h>

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, COUNT_MAX = 99 };

bool ja4_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void keep(struct ja4 *j, uint16_t *list, unsigned *count, unsigned max, uint16_t v)
{
	if (ja4_grease(v))
		return;
	if (*count < max)
		list[(*count)++] = v;
	else
		j->overflow = true;
}

void ja4_cipher(struct ja4 *j, uint16_t cipher)
{
	keep(j, j->ciphers, &j->cipher_count, JA4_CIPHERS_MAX, cipher);
}

void ja4_extension(struct ja4 *j, uint16_t type)
{
	j->extensions_all += !ja4_grease(type);
	if (type == EXTENSION_SERVER_NAME)
		j->server_name = true;
	else if (type != EXTENSION_ALPN)
		keep(j, j->extensions, &j->extension_count, JA4_EXTENSIONS_MAX, type);
}

void ja4_signature(struct ja4 *j, uint16_t algorithm)
{
	keep(j, j->signatures, &j->signature_count, JA4_SIGNATURES_MAX, algorithm);
}

/* Shell's sort: the library's may allocate. */
static void sort(uint16_t *list, unsigned count)
{
	for (unsigned step = count / 2; step; step /= 2)
		for (unsigned i = step; i < count; i++) {
			uint16_t v = list[i];
			unsigned at = i;

			for (; at >= step && list[at - step] > v; at -= step)
				list[at] = list[at - step];
			list[at] = v;
		}
}

static const char hex[] = "0123456789abcdef";

/* A hundred of these for each connection: printf() takes longer than all the rest. */
static void add_list(struct sha256 *s, const uint16_t *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[5] = { ',', hex[list[i] >> 12], hex[list[i] >> 8 & 15], hex[list[i] >> 4 & 15], hex[list[i] & 15] };

		sha256_add(s, text + (i == 0), sizeof text - (i == 0));
	}
}

/* The first twelve hex digits of the lists' hash; zeros when there is nothing to hash. */
static void hash_lists(char out[13], const uint16_t *sorted, unsigned count, const uint16_t *after, unsigned after_count)
{
	struct sha256 s;
	uint8_t digest[SHA256_BYTES];

	if (count == 0 && after_count == 0) {
		memcpy(out, "000000000000", 13);
		return;
	}
	sha256_start(&s);
	add_list(&s, sorted, count);
	if (after_count)
		sha256_add(&s, "_", 1);
	add_list(&s, after, after_count);
	sha256_end(&s, digest);
	for (int i = 0; i < 6; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[12] = 0;
}

static bool alphanumeric(uint8_t b)
{
	return (b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z');
}

static const char *version_name(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	case 0xfeff:
		return "d1";
	case 0xfefd:
		return "d2";
	case 0xfefc:
		return "d3";
	}
	return "00";
}

static void alpn_letters(const uint8_t alpn[2], char out[3])
{
	uint8_t first = alpn[0], last = alpn[1];

	if (first == 0 && last == 0)
		first = last = '0';
	if (!alphanumeric(first) || !alphanumeric(last)) {
		first = (uint8_t)hex[first >> 4];
		last = (uint8_t)hex[last & 15];
	}
	out[0] = (char)first;
	out[1] = (char)last;
	out[2] = 0;
}

static unsigned two_digits(unsigned n)
{
	return n < COUNT_MAX ? n : COUNT_MAX;
}

bool ja4_text(struct ja4 *j, char to[JA4_BYTES])
{
	char ciphers[13], extensions[13], alpn[3];

	if (j->overflow)
		return false;
	sort(j->ciphers, j->cipher_count);
	sort(j->extensions, j->extension_count);
	hash_lists(ciphers, j->ciphers, j->cipher_count, NULL, 0);
	hash_lists(extensions, j->extensions, j->extension_count, j->signatures, j->signature_count);
	alpn_letters(j->alpn, alpn);
	snprintf(to, JA4_BYTES, "%c%s%c%02u%02u%s_%s_%s", j->transport ? j->transport : 't', version_name(j->version), j->server_name ? 'd' : 'i',
		 two_digits(j->cipher_count), two_digits(j->extensions_all), alpn, ciphers, extensions);
	return true;
}
