#include <assert.h>

#include "peer/drive.h"

/* The core's actions, one handler for each. */

static void
act_datagram(struct driver *d, const struct action *a)
{
	udp_seal(d, d->actions->data + a->bytes, a->len);
	udp_send_to(d, a->addr);
}

static void
act_multicast(struct driver *d, const struct action *a)
{
	udp_seal(d, d->actions->data + a->bytes, a->len);
	for (size_t i = 0; i < a->count; i++) {
		unsigned id = d->actions->ids[a->targets + i];
		const struct member *m = peer_view(d->core, id);

		if (m->addr.port != 0)
			udp_send_to(d, m->addr);
	}
}

static void
act_send(struct driver *d, const struct action *a)
{
	tcp_send(d, a, d->actions->data + a->bytes);
}

static void
act_discard(struct driver *d, const struct action *a)
{
	struct open_file *f = file_find(d, a->file);

	if (f != NULL)
		file_discard(f);
}

static void
act_reply(struct driver *d, const struct action *a)
{
	pipe_send_bytes(d, d->actions->data + a->bytes, a->len);
}

static void
act_note(struct driver *d, const struct action *a)
{
	struct message m;
	long n = message_decode(&m, d->actions->data + a->bytes, a->len);

	assert(n == (long)a->len && m.type == MSG_event);
	drive_tell(d, &m);
}

static void
act_exit(struct driver *d, const struct action *a)
{
	d->exiting = true;
	d->exit_code = a->code;
}

static void (*const handlers[])(struct driver *, const struct action *) = {
    [ACT_DATAGRAM] = act_datagram,
    [ACT_MULTICAST] = act_multicast,
    [ACT_CONNECT] = tcp_connect,
    [ACT_SEND] = act_send,
    [ACT_CLOSE] = tcp_close,
    [ACT_RAW_SEND] = tcp_raw_send,
    [ACT_RAW_RECV] = tcp_raw_receive,
    [ACT_TAKE] = files_take,
    [ACT_DELIVER] = files_open_apply,
    [ACT_OPEN_SOURCE] = files_open_apply,
    [ACT_CHECK_SOURCE] = files_open_apply,
    [ACT_OPEN_STORED] = files_open_apply,
    [ACT_CREATE_TEMP] = files_open_apply,
    [ACT_CREATE_TARGET] = files_open_apply,
    [ACT_COPY] = files_open_apply,
    [ACT_COMMIT] = files_open_apply,
    [ACT_RENAME] = files_open_apply,
    [ACT_DISCARD] = act_discard,
    [ACT_MARK] = files_open_apply,
    [ACT_VERIFY] = files_open_apply,
    [ACT_DROP] = files_open_apply,
    [ACT_PERSIST] = files_open_apply,
    [ACT_REPLY] = act_reply,
    [ACT_NOTE] = act_note,
    [ACT_EXIT] = act_exit,
};

void
drive_apply(struct driver *d, const struct action *a)
{
	assert(a->type < sizeof(handlers) / sizeof(handlers[0]));
	assert(handlers[a->type] != NULL);
	handlers[a->type](d, a);
}
