/*
 * Mutates an input that is a row of messages {1 byte, length:2 bytes, bytes}, as protocols are made: where bytes
 * are put in or taken out of a message, the lengths that counted them are set right, so that what stands behind
 * them is still read. Lengths are found by what they say: a number that reaches to the end of its message.
 */
#ifndef TESTS_FUZZ_MESSAGES_H
#define TESTS_FUZZ_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

/* As LLVMFuzzerCustomMutator(); `head` bytes stand before the first message. */
size_t messages_mutate(uint8_t *data, size_t size, size_t most, unsigned seed, size_t head);

/* Stands once in a target whose inputs are such rows. */
#define MUTATE_MESSAGES(head) \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed); \
	size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) \
	{ \
		return messages_mutate(data, size, most, seed, head); \
	}

#endif
