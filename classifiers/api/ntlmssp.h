/*
 * NTLM's challenge, in which a Windows host names itself to whoever wants to log in. MS-NLMP, 2.2.1.2.
 *
 * It is carried inside HTTP, SMB, DCE/RPC and others. Of the other two messages, which are the
 * client's and hold its user and its proof, nothing is read.
 */
#ifndef CLASSIFIERS_API_NTLMSSP_H
#define CLASSIFIERS_API_NTLMSSP_H

#include "classifiers/api/classifier.h"

/* Tells host names and system of the sender from the challenge somewhere in `blob`; nothing without one. */
void ntlmssp_tell(struct reader *r, struct cursor blob);

#endif
