/*
 * NTLM's messages, in which Windows hosts name themselves before they log in. MS-NLMP, 2.2.1.
 *
 * They are carried inside HTTP, SMB, DCE/RPC and others. Host names and versions are read; users, domains,
 * challenges and proofs never.
 */
#ifndef CLASSIFIERS_API_NTLMSSP_H
#define CLASSIFIERS_API_NTLMSSP_H

#include "classifiers/api/classifier.h"

/* Tells host names and system of the sender from the message somewhere in `blob`; nothing without one. */
void ntlmssp_tell(struct reader *r, struct cursor blob);

/* Only the names, where the message around it says more of the system. */
void ntlmssp_tell_names(struct reader *r, struct cursor blob);

#endif
