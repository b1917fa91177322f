/*
 * tour_call.h - what uma_tour and its framework twin kmdf_uma share: a request of tour.h, carried out.
 */
#pragma once
#include "tour.h"

/* UserRequest and UserReply are user addresses, unchecked, and belong to the thread that calls. Returns the reply's
 * status, or why there is none; *Information: bytes written to UserReply. PASSIVE_LEVEL. */
NTSTATUS Tour(ULONG Family, const struct tour_request *UserRequest, struct tour_reply *UserReply, ULONG ReplyLength,
              PULONG_PTR Information);
