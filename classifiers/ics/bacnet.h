/* The network and application layers of BACnet, for links other than UDP that carry them. */
#ifndef CLASSIFIERS_ICS_BACNET_H
#define CLASSIFIERS_ICS_BACNET_H

#include "classifiers/api/classifier.h"

/*
 * Reads an NPDU (ASHRAE 135 clause 6.2) and tells what it says of its sender. Sub-assets are named
 * "PROTOCOL/0/...". False when it isn't one.
 */
bool bacnet_read_npdu(struct reader *r, const char *protocol, struct cursor npdu);

#endif
