/* Checksums that protocols put on their messages: the guard checks them, a rule's bytes are given them. */
#ifndef ACTIVE_GUARD_CRC_H
#define ACTIVE_GUARD_CRC_H

#include <stddef.h>
#include <stdint.h>

/* DNP3's over n bytes (IEEE 1815, link layer): polynomial 0x3d65 reflected, complemented; sent low byte first. */
uint16_t crc_dnp3(const uint8_t *bytes, size_t n);

/* CRC-CCITT over n bytes (IEEE C37.118, annex B): polynomial 0x1021 from 0xffff; sent high byte first. */
uint16_t crc_ccitt(const uint8_t *bytes, size_t n);

/* All bytes added up, of which the lowest eight bits count (M-Bus). */
uint8_t sum8(const uint8_t *bytes, size_t n);

/* All bytes combined by exclusive or (HART). */
uint8_t xor8(const uint8_t *bytes, size_t n);

#endif
