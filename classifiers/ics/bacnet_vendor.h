/* Vendor identifiers of BACnet, as ASHRAE's list names them. */
#ifndef CLASSIFIERS_ICS_BACNET_VENDOR_H
#define CLASSIFIERS_ICS_BACNET_VENDOR_H

#include <stddef.h>
#include <stdint.h>

/* The makers met most. */
static const struct bacnet_vendor {
	uint16_t id;
	const char *name;
} bacnet_vendors[] = {
	{ 0, "ASHRAE" }, { 2, "The Trane Company" }, { 3, "Daikin Applied Americas" }, { 5, "Johnson Controls, Inc." },
	{ 7, "Siemens Schweiz AG" }, { 8, "Delta Controls" }, { 9, "Siemens Schweiz AG" }, { 10, "Schneider Electric" },
	{ 16, "United Technologies Carrier" }, { 17, "Honeywell Inc." }, { 18, "Alerton / Honeywell" }, { 19, "TAC AB" },
	{ 24, "Automated Logic Corporation" }, { 28, "KMC Controls, Inc." }, { 35, "Reliable Controls Corporation" },
	{ 36, "Tridium Inc." }, { 39, "Kieback & Peter GmbH & Co KG" }, { 77, "Carel Industries S.p.A." },
	{ 80, "Fr. Sauter AG" }, { 89, "Saia-Burgess Controls, Ltd." }, { 91, "Novar Corp./Trend Control Systems Ltd." },
	{ 127, "ABB, Inc." }, { 160, "Rockwell Automation" }, { 178, "LOYTEC Electronics GmbH" },
	{ 190, "Danfoss Drives A/S" }, { 191, "Eaton Corporation" }, { 222, "WAGO Kontakttechnik GmbH & Co. KG" },
	{ 226, "Phoenix Contact GmbH & Co. KG" }, { 227, "Grundfos Management A/S" }, { 246, "HMS Industrial Networks SLU" },
	{ 260, "BACnet Stack at SourceForge" }, { 284, "BELIMO Automation AG" }, { 313, "Siemens Industry, Inc." },
	{ 335, "Schneider Electric" }, { 364, "Distech Controls Inc." }, { 415, "Beckhoff Automation" },
};

/* NULL for one that is not in the list. */
static inline const char *bacnet_vendor(uint32_t id)
{
	for (size_t i = 0; i < sizeof bacnet_vendors / sizeof *bacnet_vendors; i++)
		if (bacnet_vendors[i].id == id)
			return bacnet_vendors[i].name;
	return NULL;
}

#endif
