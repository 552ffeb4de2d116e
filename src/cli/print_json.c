#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/print.h"
#include "cli/say.h"
#include "super/call.h"

/* An identifier that needs so many members to exist; null otherwise. */
static void
neighbour(struct json *j, const char *key, const struct msg_peer *p,
    unsigned members, uint16_t id)
{
	if (peer_is_gone(p) || p->members < members)
		json_null(j, key);
	else
		json_uint(j, key, id);
}

static void
json_peer(struct json *j, const struct msg_peer *p)
{
	json_open(j, NULL, '{');
	json_uint(j, "id", p->id);
	json_string(j, "state", peer_state_text(p->state));
	if (p->pid)
		json_uint(j, "pid", p->pid);
	else
		json_null(j, "pid");
	json_uint(j, "port", p->port);
	json_uint(j, "incarnation", p->incarnation);
	neighbour(j, "first_successor", p, 1, p->first);
	neighbour(j, "second_successor", p, 3, p->second);
	neighbour(j, "predecessor", p, 1, p->predecessor);
	json_uint(j, "files", p->files);
	json_uint(j, "bytes", p->bytes);
	json_uint(j, "short", p->missing);
	json_uint(j, "restarts", p->restarts);
	json_uint(j, "dropped", p->dropped);
	json_open(j, "faults", '[');
	if (p->faults.len)
		json_text(j, NULL, p->faults.text, p->faults.len);
	json_close(j, ']');
	json_close(j, '}');
}

static void
json_status(struct output *o)
{
	struct json *j = &o->json;

	json_open(j, NULL, '{');
	json_string(j, "ring", o->ring->ring.text);
	json_uint(j, "pid", o->ring->pid);
	json_bool(j, "whole", o->status.whole);
	json_bool(j, "ready", o->status.ready);
	json_string(j, "route",
	    o->ring->route == ROUTE_DIRECT ? "direct" : "successor");
	json_uint(j, "copies", o->ring->copies);
	json_open(j, "peers", '[');
	for (size_t i = 0; i < o->peer_count; i++)
		json_peer(j, &o->peers[i]);
	json_close(j, ']');
	json_close(j, '}');
	json_line(j);
}

static void
json_ids(struct json *j, const char *key, const struct ids *ids)
{
	json_open(j, key, '[');
	for (unsigned i = 0; i < ids->count; i++)
		json_uint(j, NULL, ids->at[i]);
	json_close(j, ']');
}

static void
json_digest(struct json *j, const struct digest *digest)
{
	char hex[2 * DIGEST_LEN + 1];

	for (int i = 0; i < DIGEST_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest->bytes[i]);
	json_string(j, "digest", hex);
}

static void
json_begin(struct output *o, const struct msg_reply *r)
{
	const struct command_info *info = command_info(r->command);

	json_open(&o->json, NULL, '{');
	json_uint(&o->json, "peer", r->peer);
	json_string(&o->json, "command", info ? info->word : "join");
}

static void
json_end(struct output *o, const struct msg_reply *r)
{
	char more[TEXT_LEN_MAX + 1];
	const char *detail;

	if (r->error != ERROR_none) {
		detail = refusal_detail(r, more, sizeof(more));
		json_string(&o->json, "error", wire_error_text(r->error));
		if (*detail)
			json_string(&o->json, "detail", detail);
	}
	json_ms(&o->json, "ms", r->us);
	json_close(&o->json, '}');
	json_line(&o->json);
}

static void
json_of_ring(struct json *j, const struct msg_reply *r)
{
	if (r->route.count > 0)
		json_uint(j, "first_successor", r->route.at[0]);
	if (r->route.count > 1)
		json_uint(j, "second_successor", r->route.at[1]);
	else
		json_null(j, "second_successor");
	json_uint(j, "predecessor", r->holder);
}

/* What a command that went well has to say. */
static void
json_good(struct output *o, const struct msg_reply *r)
{
	struct json *j = &o->json;

	switch ((enum command)r->command) {
	case COMMAND_STORE:
		json_ids(j, "route", &r->route);
		json_ids(j, "holders", &r->holders);
		json_uint(j, "wanted", r->wanted);
		json_uint(j, "size", r->size);
		json_digest(j, &r->digest);
		break;
	case COMMAND_REQUEST:
		json_ids(j, "route", &r->route);
		json_uint(j, "holder", r->holder);
		json_uint(j, "size", r->size);
		json_digest(j, &r->digest);
		json_string(j, "file", shown_path(o, r->file.text));
		break;
	case COMMAND_REMOVE:
		json_ids(j, "route", &r->route);
		json_ids(j, "holders", &r->holders);
		break;
	case COMMAND_OWNER:
		json_ids(j, "route", &r->route);
		json_uint(j, "owner", r->holder);
		json_uint(j, "key", r->key);
		break;
	case COMMAND_RING:
		json_of_ring(j, r);
		break;
	case COMMAND_PING:
		json_uint(j, "id", r->holder);
		break;
	case COMMAND_NONE:
		json_uint(j, "known", r->holder);
		json_ids(j, "route", &r->route);
		break;
	case COMMAND_QUIT:
	case COMMAND_FILES:
		break;
	}
}

static void
json_reply(struct output *o, const struct msg_reply *r)
{
	json_begin(o, r);
	if (o->line && o->line->name.len)
		json_text(
		    &o->json, "name", o->line->name.text, o->line->name.len);
	json_bool(&o->json, "ok", r->error == ERROR_none);
	if (r->error == ERROR_none)
		json_good(o, r);
	json_end(o, r);
}

static void
json_record(struct json *j, const struct record *r)
{
	json_open(j, NULL, '{');
	json_text(j, "name", r->name.text, r->name.len);
	json_text(j, "suffix", r->suffix.text, r->suffix.len);
	json_uint(j, "size", r->size);
	json_digest(j, &r->digest);
	json_bool(j, "acknowledged", r->acknowledged);
	json_close(j, '}');
}

static void
json_files(
    struct output *o, const struct listing *l, const struct msg_reply *last)
{
	json_begin(o, last);
	json_bool(&o->json, "ok", true);
	json_open(&o->json, "files", '[');
	for (size_t i = 0; i < l->count; i++)
		json_record(&o->json, &l->at[i]);
	json_close(&o->json, ']');
	json_end(o, last);
}

static void
json_event_fields(struct json *j, const struct msg_event *e)
{
	unsigned fields = event_kind_fields(e->kind);

	if (fields & EVENT_ABOUT)
		json_uint(j, "about", e->about);
	if (fields & EVENT_OTHER)
		json_uint(j, "other", e->other);
	if (fields & EVENT_INCARNATION)
		json_uint(j, "incarnation", e->incarnation);
	if (fields & EVENT_NAME)
		json_text(j, "name", e->name.text, e->name.len);
	if (fields & EVENT_VALUE)
		json_uint(j, event_kind_value(e->kind), e->value);
	if (fields & EVENT_REASON)
		json_text(j, "reason", e->reason.text, e->reason.len);
}

static void
json_event(struct output *o, const struct msg_event *e)
{
	time_t second = (time_t)(e->wall_us / 1000000);
	struct json *j = &o->json;
	char day[32], wall[48];
	struct tm tm;

	if (!gmtime_r(&second, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	snprintf(wall, sizeof(wall), "%s.%06uZ", day,
	    (unsigned)(e->wall_us % 1000000));
	json_open(j, NULL, '{');
	json_seconds(j, "t", e->t_us);
	json_string(j, "wall", wall);
	if (e->peer == PEER_NOBODY)
		json_null(j, "peer");
	else
		json_uint(j, "peer", e->peer);
	json_string(j, "event", event_kind_name(e->kind));
	json_event_fields(j, e);
	json_close(j, '}');
	json_line(j);
}

static void
json_log_line(struct output *o, const struct msg_line *l)
{
	json_open(&o->json, NULL, '{');
	json_seconds(&o->json, "t", l->t_us);
	json_uint(&o->json, "peer", l->peer);
	json_text(&o->json, "line", l->text.text, l->text.len);
	json_close(&o->json, '}');
	json_line(&o->json);
}

/* A time, or null: it did not come to that. */
static void
json_ms_or_null(struct json *j, const char *key, uint64_t us)
{
	if (us > 0)
		json_ms(j, key, us);
	else
		json_null(j, key);
}

static void
json_cost(struct json *j, const struct msg_cost *cost)
{
	json_ms_or_null(j, "whole_ms", cost->whole_us);
	json_ms_or_null(j, "copies_ms", cost->copies_us);
	json_uint(j, "lost_copy", cost->files);
	json_uint(j, "short", cost->missing);
	json_uint(j, "too_few", cost->few);
	json_uint(j, "no_holder", cost->orphans);
}

static void
json_finding(struct output *o, const struct msg_finding *f)
{
	struct json *j = &o->json;
	bool unknown = f->kind == FINDING_unknown;

	json_open(j, NULL, '{');
	if (!unknown)
		json_string(j, "violation", finding_name(f->kind));
	if (f->name.len > 0) {
		json_text(j, "name", f->name.text, f->name.len);
		json_ids(j, "peers", &f->peers);
		json_ids(j, "holders", &f->holders);
	} else {
		json_uint(j, "peer", f->peer);
	}
	json_text(j, unknown ? "unknown" : "text", f->text.text, f->text.len);
	json_close(j, '}');
	json_line(j);
}

static void
json_verdict(struct json *j, const struct msg_verdict *v)
{
	json_uint(j, "asked", v->peers);
	json_uint(j, "disks", v->disks);
	json_uint(j, "files", v->files);
	json_uint(j, "copies", v->copies);
	json_uint(j, "violations", v->violations);
	json_uint(j, "unknown", v->unknown);
}

static void
json_outcome(struct output *o, const struct outcome *outcome, uint64_t total_us)
{
	struct json *j = &o->json;

	json_open(j, NULL, '{');
	json_uint(j, "peer", outcome->peer);
	json_string(j, "verb", o->options->verb->word);
	json_bool(j, "ok", outcome->ok);
	json_text(j, outcome->ok ? "text" : "error", outcome->text.text,
	    outcome->text.len);
	if (outcome->ok && o->route.count > 0)
		json_ids(j, "route", &o->route);
	if (outcome->ok && o->has_cost)
		json_cost(j, &o->cost);
	json_ms(j, "ms", outcome->us);
	json_ms(j, "total_ms", total_us);
	json_close(j, '}');
	json_line(j);
}

static void
json_result(struct output *o, const struct msg_result *r)
{
	struct json *j = &o->json;
	bool ok = r->exit == EXIT_DONE, told = ok && o->outcome_count > 0;

	for (size_t i = 0; i < o->outcome_count; i++) {
		json_outcome(o, &o->outcomes[i], r->us);
		told = told || !o->outcomes[i].ok;
	}
	if (told)
		return;
	json_open(j, NULL, '{');
	if (o->ring->ring.len)
		json_string(j, "ring", o->ring->ring.text);
	json_string(j, "verb", o->options->verb->word);
	json_bool(j, "ok", ok);
	json_uint(j, "exit", r->exit);
	if (o->has_verdict)
		json_verdict(j, &o->verdict);
	else
		json_ids(j, "peers", &r->ids);
	if (r->text.len)
		json_text(j, ok ? "text" : "error", r->text.text, r->text.len);
	json_ms(j, "ms", r->us);
	json_close(j, '}');
	json_line(j);
}

const struct printer print_json = {
    .status = json_status,
    .reply = json_reply,
    .files = json_files,
    .event = json_event,
    .line = json_log_line,
    .finding = json_finding,
    .result = json_result,
};
