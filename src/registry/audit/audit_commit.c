#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "registry/audit/audit_internal.h"

/*
 * Who commits and the writer take turns: WAITING, TAKEN (the writer writes the
 * intents), BEGUN (the changes are made), MADE or DROPPED (the writer writes the
 * outcomes, or does not), ENDED.
 */
enum turn { WAITING, TAKEN, REFUSED, BEGUN, MADE, DROPPED, ENDED };

struct audit_commit {
	struct audit *a;
	struct audit_batch intents, outcomes;	/* an entry of each for a change */

	/* under the audit's lock */
	pthread_cond_t turned;
	enum turn turn;
	bool left;			/* who commits does not wait any more */
	bool failed;			/* the outcomes were not written */
	unsigned refs;			/* who commits, and the writer */
	struct error why;

	struct audit_carry parts[AUDIT_CARRY_PARTS];
	size_t count;
};

struct audit_commit *
audit_commit_new(struct audit *a, struct error *err)
{
	struct audit_commit *c = error_alloc(sizeof(*c), err);
	pthread_condattr_t attr;

	if (c == NULL)
		return NULL;
	c->a = a;
	c->refs = 1;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->turned, &attr);
	pthread_condattr_destroy(&attr);
	audit_batch_init(&c->intents);
	audit_batch_init(&c->outcomes);
	return c;
}

/* The lock is held, and let go. */
static void
audit_commit_release(struct audit_commit *c)
{
	struct audit *a = c->a;
	bool last = --c->refs == 0;

	pthread_mutex_unlock(&a->lock);
	if (!last)
		return;
	audit_batch_release(&c->intents);
	audit_batch_release(&c->outcomes);
	pthread_cond_destroy(&c->turned);
	free(c);
}

void
audit_commit_free(struct audit_commit *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->a->lock);
	audit_commit_release(c);
}

static int
add(const struct audit *a, struct audit_batch *b, const struct audit_event *e, bool keep)
{
	static _Thread_local char body[AUDIT_EVENT_MAX];
	struct audit_line head = audit_line_of(e, audit_event_write(a->style, e, NULL, body));
	struct audit_entry *entry = audit_batch_entry(b);

	if (entry == NULL)
		return -1;
	entry->keep = keep;
	if (audit_batch_line(b, &head, body) == 0)
		return 0;
	audit_batch_undo(b);
	return -1;
}

int
audit_commit_add(struct audit_commit *c, const struct audit_event *intent,
    const struct audit_event *outcome, struct error *err)
{
	if (add(c->a, &c->intents, intent, false) != 0)
		return error_memory(err);
	if (add(c->a, &c->outcomes, outcome, true) == 0)
		return 0;
	audit_batch_undo(&c->intents);
	return error_memory(err);
}

uint64_t
audit_commit_intent(const struct audit_commit *c, size_t i)
{
	return c->intents.entries[i].seq;
}

static struct timespec
deadline(const struct audit *a)
{
	uint64_t ms = audit_now() + a->deadline_ms;

	return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 };
}

/* Wait until it is the turn of who commits: with ${busy} or ${more} it is not.
 * false: not within the deadline.  The lock is held. */
static bool
wait_turn(struct audit_commit *c, enum turn busy, enum turn more)
{
	struct timespec until = deadline(c->a);

	while (c->turn == busy || c->turn == more) {
		if (pthread_cond_timedwait(&c->turned, &c->a->lock, &until) == 0)
			continue;
		if (c->turn != busy && c->turn != more)
			break;
		c->left = true;
		c->a->counts.failures++;
		audit_set_stuck(c->a);
		/* It may be through with it by now: then it is to say so. */
		pthread_cond_signal(&c->a->work);
		return false;
	}
	return true;
}

/* The lock is held. */
static int
audit_commit_refuse(const struct audit *a, struct error *err)
{
	const char *reason = atomic_load(&a->unready);

	return error_set(err, ERROR_IO, "the audit log cannot be written%s%s",
	    reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

int
audit_commit_begin(struct audit_commit *c, struct audit_carry parts[AUDIT_CARRY_PARTS],
    size_t *count, struct error *err)
{
	struct audit *a = c->a;
	bool wake;
	int rc = -1;

	*count = 0;
	pthread_mutex_lock(&a->lock);
	if (a->writer_done || a->failing || a->stuck || a->closing) {
		a->counts.failures++;
		audit_commit_refuse(a, err);
		pthread_mutex_unlock(&a->lock);
		return -1;
	}
	a->commit = c;
	wake = a->asleep;
	a->asleep = false;
	if (wake)
		pthread_cond_signal(&a->work);
	if (!wait_turn(c, WAITING, TAKEN)) {
		if (a->commit == c)
			a->commit = NULL;
		audit_commit_refuse(a, err);
	} else if (c->turn == REFUSED)
		*err = c->why;
	else {
		memcpy(parts, c->parts, c->count * sizeof(*parts));
		*count = c->count;
		rc = 0;
	}
	pthread_mutex_unlock(&a->lock);
	return rc;
}

int
audit_commit_end(struct audit_commit *c, bool done)
{
	struct audit *a = c->a;
	int rc;

	pthread_mutex_lock(&a->lock);
	c->turn = done ? MADE : DROPPED;
	pthread_cond_signal(&c->turned);
	rc = wait_turn(c, MADE, DROPPED) && !c->failed ? 0 : -1;
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* --- the writer --- */

size_t
audit_commit_bytes(const struct audit_commit *c)
{
	return c != NULL ? c->intents.len + c->outcomes.len : 0;
}

size_t
audit_commit_lines(const struct audit_commit *c)
{
	return c != NULL ? c->intents.lines + c->outcomes.lines : 0;
}

struct audit_commit *
audit_commit_take(struct audit *a)
{
	struct audit_commit *c = a->commit;

	a->commit = NULL;
	if (c != NULL) {
		c->turn = TAKEN;
		c->refs++;
	}
	return c;
}

int
audit_commit_seal(struct audit *a, struct audit_commit *c, struct audit_text *out,
    struct error *err)
{
	return audit_seal_batch(a, &c->intents, out, err);
}

static int
seal_outcomes(struct audit *a, struct audit_commit *c, size_t from, size_t *to, struct error *err)
{
	struct audit_text out = { a->out + from, a->out + a->out_cap };
	size_t i;

	for (i = 0; i < c->outcomes.count; i++)
		audit_batch_set_intent(&c->outcomes, &c->outcomes.entries[i],
		    c->intents.entries[i].seq);
	if (audit_seal_batch(a, &c->outcomes, &out, err) != 0)
		return -1;
	*to = (size_t)(out.at - a->out);
	return 0;
}

/* Make parts of whole lines; false: too many for the slots that are free. */
static bool
audit_commit_part(struct audit *a, struct audit_commit *c, size_t from, size_t to)
{
	size_t n;

	if (audit_sink_file_synced(a->sink_file))
		a->slots_used = 0;
	for (c->count = 0; from < to; from += n) {
		if (c->count == AUDIT_CARRY_PARTS ||
		    a->slots_used + c->count == AUDIT_CARRY_SLOTS)
			return false;
		n = to - from;
		if (n > AUDIT_CARRY_MAX)
			n = (size_t)((const char *)memrchr(a->out + from, '\n', AUDIT_CARRY_MAX) +
			    1 - (a->out + from));
		c->parts[c->count] = (struct audit_carry){ a->out + from, n,
		    (a->slot + (unsigned)c->count) % AUDIT_CARRY_SLOTS };
		c->count++;
	}
	return true;
}

static int
sync_file(struct audit *a, struct error *err)
{
	return a->sink_file != NULL ? audit_sink_file_sync(a->sink_file, err) : 0;
}

/* What is to be carried: all that was written now, or, when that is too much,
 * the outcomes alone. */
static int
carry(struct audit *a, struct audit_commit *c, size_t outcomes, size_t to, struct error *err)
{
	if (a->sink_file == NULL || audit_commit_part(a, c, 0, to))
		return 0;
	if (sync_file(a, err) != 0)
		return -1;
	return audit_commit_part(a, c, outcomes, to) ? 0 :
	    error_set(err, ERROR_LIMIT, "too many changes at once for the audit log");
}

/* Let the changes be made; false: nobody wants to any more. */
static bool
hand_over(struct audit *a, struct audit_commit *c)
{
	bool began;

	pthread_mutex_lock(&a->lock);
	began = !c->left;
	if (began) {
		c->turn = BEGUN;
		pthread_cond_signal(&c->turned);
	}
	while (c->turn == BEGUN)
		pthread_cond_wait(&c->turned, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return began;
}

static void
end(struct audit *a, struct audit_commit *c, enum turn turn, bool failed)
{
	pthread_mutex_lock(&a->lock);
	c->turn = turn;
	c->failed = failed;
	pthread_cond_signal(&c->turned);
	audit_commit_release(c);
}

int
audit_commit_run(struct audit *a, struct audit_commit **commit, size_t n, struct error *err)
{
	struct audit_commit *c = *commit;
	struct audit_chain intents = a->chain, behind = intents;
	struct error why = { 0 };
	size_t to = n;
	int rc;

	if (seal_outcomes(a, c, n, &to, &c->why) != 0 || carry(a, c, n, to, &c->why) != 0 ||
	    !hand_over(a, c)) {
		a->chain = intents;
		return sync_file(a, err);
	}
	if (c->turn == DROPPED) {
		a->chain = intents;
		audit_seal_track_batch(a, &c->intents);
		rc = sync_file(a, err);
		/* Those who keep the parts may find them again after a crash. */
		if (a->sink_file != NULL)
			audit_sink_file_must_sync(a->sink_file);
		end(a, c, ENDED, rc != 0);
		*commit = NULL;
		return rc;
	}
	a->slot = (a->slot + (unsigned)c->count) % AUDIT_CARRY_SLOTS;
	a->slots_used += (unsigned)c->count;
	rc = audit_write_sinks(a, n, to, AUDIT_CARRIED, &behind, &why);
	if (rc == 0) {
		end(a, c, ENDED, false);
		*commit = NULL;
		return 0;
	}
	if (rc < 0)
		a->chain = behind;
	*err = why;
	return -1;
}

/* The outcomes that do not stand there are written when that can be done. */
static void
keep_outcomes(struct audit *a, const struct audit_commit *c)
{
	const struct audit_entry *e;
	size_t i;

	for (i = 0; i < c->outcomes.count; i++) {
		e = &c->outcomes.entries[i];
		if (e->seq <= a->chain.seq)
			continue;
		audit_open_set_add(&a->open, c->intents.entries[i].seq);
		(void)audit_batch_copy(&a->own, &c->outcomes, e);
	}
}

/* Nothing was changed: each intent that stands there ends so. */
static void
abandon(struct audit *a, const struct audit_commit *c)
{
	const struct audit_entry *e;
	size_t i;

	for (i = 0; i < c->intents.count; i++) {
		e = &c->intents.entries[i];
		if (e->seq != 0 && e->seq <= a->chain.seq)
			audit_put_abandoned(a, &c->intents, e);
	}
}

void
audit_commit_settle(struct audit *a, struct audit_commit *c, const struct error *why)
{
	bool made = c->turn == MADE;

	if (made)
		keep_outcomes(a, c);
	else
		abandon(a, c);
	if (c->why.code == ERROR_NONE)
		c->why = *why;
	end(a, c, made ? ENDED : REFUSED, made);
}
