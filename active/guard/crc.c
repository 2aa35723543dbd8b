/* Checksums of protocols. */
#include "active/guard/crc.h"

uint16_t crc_dnp3(const uint8_t *bytes, size_t n)
{
	unsigned int crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xa6bc : crc >> 1;
	}
	return (uint16_t)(crc ^ 0xffff);
}

uint16_t crc_ccitt(const uint8_t *bytes, size_t n)
{
	unsigned int crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned int)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
	}
	return (uint16_t)crc;
}

uint8_t sum8(const uint8_t *bytes, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += bytes[i];
	return (uint8_t)sum;
}

uint8_t xor8(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum ^= bytes[i];
	return sum;
}
