/*
 * Makers in PROFINET: the number that stands in DCP, in the object UUID of PNIO-CM and in I&M records.
 *
 * PROFIBUS & PROFINET International, registry of manufacturer ids: those met most in plants.
 */
#ifndef CLASSIFIERS_ICS_PROFINET_VENDOR_H
#define CLASSIFIERS_ICS_PROFINET_VENDOR_H

#include "classifiers/api/classifier.h"

struct profinet_vendor {
	uint16_t id;
	const char *name;
};

static const struct profinet_vendor profinet_vendors[] = {
	{ 0x001a, "ABB" }, { 0x002a, "Siemens" }, { 0x005d, "Pepperl+Fuchs" }, { 0x0080, "Danfoss" },
	{ 0x0083, "SMC" }, { 0x00b0, "Phoenix Contact" }, { 0x0101, "SICK" }, { 0x0105, "Kollmorgen" },
	{ 0x0106, "Lenze" }, { 0x010a, "SEW-EURODRIVE" }, { 0x010c, "HMS Industrial Networks" },
	{ 0x011e, "Hilscher" }, { 0x011f, "Bosch Rexroth" }, { 0x0120, "Beckhoff" },
	{ 0x012f, "Murrelektronik" }, { 0x0134, "Weidmueller" }, { 0x0135, "Euchner" }, { 0x0136, "ifm" },
	{ 0x0137, "Cognex" }, { 0x014d, "Festo" }, { 0x0152, "Leuze" }, { 0x0153, "TR-Electronic" },
	{ 0x015a, "GE Fanuc" }, { 0x015d, "esd" }, { 0x0174, "ABB Robotics" }, { 0x0193, "Harting" },
	{ 0x019b, "KUKA" }, { 0x019c, "Datalogic" }, { 0x01b0, "Fronius" }, { 0x01b7, "FANUC" },
	{ 0x01fd, "Keyence" }, { 0x01fe, "KW-Software" }, { 0x0201, "MTS" }, { 0x023f, "Kistler" },
	{ 0x0377, "B&R" }, { 0x0378, "Balluff" }, { 0x03b0, "ABB Robotics" }, { 0x092f, "Pilz" },
};

/* The number, and the name when it is known. Zero is nobody's. */
static inline void profinet_tell_vendor(struct reader *r, enum side side, const char *path, uint16_t id)
{
	if (id == 0)
		return;
	tell_format(r, side, path, ATTR_VENDOR_ID, "0x%04x", id);
	for (size_t i = 0; i < sizeof profinet_vendors / sizeof profinet_vendors[0]; i++)
		if (profinet_vendors[i].id == id)
			tell_text(r, side, path, ATTR_VENDOR, profinet_vendors[i].name);
}

#endif
