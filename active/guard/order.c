/* The words for what became of an order. */
#include "active/guard/order.h"

static const char *const refusals[REFUSALS] = {
	[REFUSED_NOT] = "none", [REFUSED_PROBING_OFF] = "probing-off", [REFUSED_STOPPED] = "stopped", [REFUSED_HUB_SILENT] = "hub-silent",
	[REFUSED_NO_RULE] = "no-rule", [REFUSED_RULE_CHANGED] = "rule-changed", [REFUSED_PARAMETERS] = "parameters",
	[REFUSED_BYTES] = "bytes", [REFUSED_GUARD] = "guard", [REFUSED_SIGNATURE] = "signature", [REFUSED_SIGNERS] = "signers",
	[REFUSED_USED] = "used", [REFUSED_TIME] = "time", [REFUSED_WINDOW] = "window", [REFUSED_POLICY] = "policy",
	[REFUSED_TARGET] = "target", [REFUSED_NOT_HEARD] = "not-heard", [REFUSED_CONFLICT] = "conflict", [REFUSED_NOT_SEEN] = "not-seen",
	[REFUSED_BUDGET] = "budget", [REFUSED_COOL_DOWN] = "cool-down", [REFUSED_BUSY] = "busy", [REFUSED_FAILURES] = "failures",
	[REFUSED_AUDIT] = "audit", [REFUSED_CLOCK] = "clock", [REFUSED_SOCKET] = "socket", [REFUSED_LOSS] = "loss",
};

static const char *const ends[PROBE_ENDS] = {
	[PROBE_COMPLETE] = "complete", [PROBE_SILENT] = "silent", [PROBE_NO_CONNECTION] = "no-connection",
	[PROBE_UNEXPECTED] = "unexpected", [PROBE_CLOSED] = "closed", [PROBE_ABORTED] = "aborted",
};

const char *refusal_name(enum refusal r)
{
	return r < REFUSALS ? refusals[r] : "unknown";
}

const char *probe_end_name(enum probe_end e)
{
	return e < PROBE_ENDS ? ends[e] : "unknown";
}
