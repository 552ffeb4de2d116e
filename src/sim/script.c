#include <inttypes.h>
#include <string.h>

#include "sim/script.h"
#include "sim/sim.h"

/*
 * Plans as text: a line each for the simulator's own settings, the ring, and
 * every step ("at 1.250 kill 8"). What is after # is for people.
 */

const struct verb_words script_verbs[VERBS] = {
    [VERB_KILL] = {"kill", "A"},
    [VERB_START] = {"start", "A"},
    [VERB_PAUSE] = {"pause", "AF"},
    [VERB_RESUME] = {"resume", "A"},
    [VERB_WIPE] = {"wipe", "A"},
    [VERB_POWER_OFF] = {"power-off", "A"},
    [VERB_CRASH] = {"crash", "AC"},
    [VERB_JOIN] = {"join", "IK"},
    [VERB_QUIT] = {"quit", "A"},
    [VERB_FREEZE] = {"freeze", "AF"},
    [VERB_PARTITION] = {"partition", "ABF"},
    [VERB_ONE_WAY] = {"one-way", "ABF"},
    [VERB_BREAK] = {"break", "AB"},
    [VERB_SLOW] = {"slow", "DF"},
    [VERB_DROP] = {"drop", "PF"},
    [VERB_FULL] = {"full", "AF"},
    [VERB_BROKEN] = {"broken", "AF"},
    [VERB_DAMAGE] = {"damage", "AN"},
    [VERB_STORE] = {"store", "NST"},
    [VERB_REQUEST] = {"request", "NT"},
    [VERB_REMOVE] = {"remove", "NT"},
    [VERB_OWNER] = {"owner", "YT"},
    [VERB_CANCEL] = {"cancel", "Y"},
};

const struct setting script_settings[SETTINGS] = {
    {"bits", offsetof(struct plan, bits), false, true},
    {"copies", offsetof(struct plan, copies), false, true},
    {"successor", offsetof(struct plan, route), false, true},
    {"ping", offsetof(struct plan, ping_ms), false, true},
    {"sync", offsetof(struct plan, sync), false, true},
    {"seed", offsetof(struct plan, seed), true, false},
    {"until", offsetof(struct plan, until_us), true, false},
    {"byte", offsetof(struct plan, byte_ps), false, false},
    {"spread", offsetof(struct plan, spread_us), false, false},
    {"skew", offsetof(struct plan, skew_us), false, false},
    {"groups", offsetof(struct plan, groups), false, false},
    {"chain", offsetof(struct plan, chain), false, false},
    {"changing", offsetof(struct plan, changing), false, false},
    {"delay", offsetof(struct plan, quality.delay_us), false, false},
    {"jitter", offsetof(struct plan, quality.jitter_us), false, false},
    {"spike", offsetof(struct plan, quality.spike_us), false, false},
    {"spikes", offsetof(struct plan, quality.spike), false, false},
    {"loss", offsetof(struct plan, quality.loss), false, false},
    {"duplicate", offsetof(struct plan, quality.duplicate), false, false},
    {"disk", offsetof(struct plan, quality.disk_us), false, false},
    {"flush", offsetof(struct plan, quality.sync_us), false, false},
};

static uint64_t
setting_get(const struct plan *p, const struct setting *t)
{
	const char *at = (const char *)p + t->at;
	uint64_t wide;
	uint32_t narrow;

	if (t->wide) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

static void
print_settings(const struct plan *p, bool up, FILE *out)
{
	for (unsigned i = 0; i < SETTINGS; i++)
		if (script_settings[i].up == up)
			fprintf(out, " %s %" PRIu64, script_settings[i].name,
			    setting_get(p, &script_settings[i]));
	fprintf(out, "\n");
}

static void
print_set(const uint8_t *set, FILE *out)
{
	const char *before = " ";

	for (unsigned id = 0; id < SIM_SPACE_MAX; id++)
		if (plan_has(set, id)) {
			fprintf(out, "%s%u", before, id);
			before = ",";
		}
}

static void
print_time(uint64_t us, FILE *out)
{
	if (us % SECOND == 0)
		fprintf(out, "%" PRIu64 "s", us / SECOND);
	else if (us % MS == 0)
		fprintf(out, "%" PRIu64 "ms", us / MS);
	else
		fprintf(out, "%" PRIu64 "us", us);
}

static void
print_word(const struct plan *p, const struct step *s, enum word w, FILE *out)
{
	switch (w) {
	case WORD_PEERS:
		print_set(s->peers, out);
		break;
	case WORD_OTHERS:
		print_set(s->others, out);
		break;
	case WORD_ID:
		fprintf(out, " %u", s->id);
		break;
	case WORD_KNOWN:
		fprintf(out, " %u", s->other);
		break;
	case WORD_NAME:
		fprintf(out, " %s", p->names[s->name].text);
		break;
	case WORD_THROUGH:
		fprintf(out, " through");
		print_set(s->peers, out);
		break;
	case WORD_FOR:
		if (s->for_us == 0)
			break;
		fprintf(out, " for ");
		print_time(s->for_us, out);
		break;
	case WORD_AFTER:
		fprintf(out, " after %" PRIu64, s->amount);
		break;
	case WORD_PERCENT:
		fprintf(out, " %.4f%%", (double)s->amount / 10000);
		break;
	case WORD_TIME:
		fprintf(out, " ");
		print_time(s->amount, out);
		break;
	case WORD_BYTES:
	case WORD_NUMBER:
		fprintf(out, " %" PRIu64, s->amount);
		break;
	}
}

void
plan_print(const struct plan *p, FILE *out)
{
	fprintf(out, "sim");
	print_settings(p, false, out);
	fprintf(out, "names");
	for (unsigned i = 0; i < p->name_count; i++)
		fprintf(out, " %s", p->names[i].text);
	fprintf(out, "\nup");
	for (unsigned i = 0; i < p->id_count; i++)
		fprintf(out, " %u", p->ids[i]);
	print_settings(p, true, out);
	for (unsigned i = 0; i < p->step_count; i++) {
		const struct step *s = &p->steps[i];

		fprintf(out, "at %" PRIu64 ".%06" PRIu64 " %s",
		    s->at_us / SECOND, s->at_us % SECOND,
		    script_verbs[s->verb].name);
		for (const char *w = script_verbs[s->verb].words; *w != '\0';
		     w++)
			print_word(p, s, (enum word) * w, out);
		fprintf(out, "\n");
	}
}
