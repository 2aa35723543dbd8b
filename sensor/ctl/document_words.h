/* Picks what people want to see out of an asset's document. Texts live as long as the document. */
#ifndef SENSOR_CTL_DOCUMENT_WORDS_H
#define SENSOR_CTL_DOCUMENT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The text of a member, "" when there is none. */
const char *words_text(const json_t *object, const char *key);

/* "a, b, c" of an array of texts. */
void words_join(const json_t *array, char *text, size_t room);

/* True when the word stands in a list that words_join() made. */
bool words_has(const char *list, const char *word);

/* First IP address, or first MAC; with the zone's VLAN when there is one. */
void words_address(const json_t *ot, char *text, size_t room);

/* The name people know it by: host name, or the device's own name. */
const char *words_name(const json_t *ot);

const char *words_vendor(const json_t *document);

/* Product and order code, as far as known. */
void words_model(const json_t *document, char *text, size_t room);

/* The text with what it could do to a terminal turned into "?", in to[len + 1]; may be the same place. Its length. */
size_t words_plain(char *to, const char *from, size_t len);

/*
 * Puts '?' for every control character in all texts of a document, those too that turn the direction of writing: what
 * a device calls itself must not move the cursor of who reads it.
 */
void words_disarm(json_t *document);

/*
 * A document's body as one line that does nothing to a terminal: as it is, when it is so, else made anew of the
 * document, which words_disarm() has seen. To be freed.
 */
char *words_line(const char *body, size_t len, const json_t *document);

#endif
