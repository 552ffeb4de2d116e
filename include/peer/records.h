#ifndef PEER_RECORDS_H
#define PEER_RECORDS_H

#include "peer/catalog.h"
#include "wire/message.h"

/* Answers with what a catalog has behind the name asked for; hash is left 0. */
void records_answer(
    struct catalog *, const struct msg_records_ask *, struct msg_records *);

#endif
