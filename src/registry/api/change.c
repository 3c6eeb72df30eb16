#include "registry/api/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf_pool.h"
#include "registry/api/answer.h"
#include "registry/api/request.h"
#include "registry/api/condition.h"
#include "registry/api/exchange.h"
#include "registry/api/thread.h"
#include "registry/http/http.h"
#include "registry/store/state.h"

static void
release(void *work)
{
	struct change *c = work;

	buf_pool_give(c->x->thread->values, &c->op.value);
	store_op_release(&c->op);
	free(c);
}

struct change *
change_new(struct exchange *x, enum store_action action, int status,
    void (*stored)(struct change *c))
{
	struct change *c = exchange_work(x, sizeof(*c), release);
	const char *text;
	size_t n;

	if (c == NULL)
		return NULL;
	store_op_init(&c->op, action);
	c->x = x;
	c->stored = stored;
	c->status = status;
	c->op.by = request_principal(x);
	/* The names were checked: they fit. */
	text = request_param(x, PARAM_PATH, &n);
	if (text != NULL && n < sizeof(c->op.path)) {
		memcpy(c->op.path, text, n + 1);
		c->op.path_len = n;
	}
	text = request_param(x, PARAM_KEY, &n);
	if (text != NULL && n < sizeof(c->op.key)) {
		memcpy(c->op.key, text, n + 1);
		c->op.key_len = n;
	}
	c->op.version = x->version;
	return c;
}

/* The current version of the key that the condition is about; 0: none. */
static uint32_t
current(struct change *c)
{
	struct state *s = request_state(c->x);
	int64_t now = store_now(request_store(c->x));
	const struct state_path *path;
	const struct state_key *key;
	struct version_view v;
	uint32_t number = 0;

	state_lock(s);
	path = state_path_find(s, c->op.path, c->op.path_len);
	key = path != NULL ? state_key_find(path, c->op.key, c->op.key_len) : NULL;
	if (key != NULL && state_version_latest(key, now, &v))
		number = v.number;
	state_unlock(s);
	return number;
}

static bool
path_is_live(struct change *c)
{
	struct state *s = request_state(c->x);
	const struct state_path *path;
	bool live;

	state_lock(s);
	path = state_path_find(s, c->op.path, c->op.path_len);
	live = path != NULL && state_path_live(path, store_now(request_store(c->x)));
	state_unlock(s);
	return live;
}

/* Can the If-Match hold?  Then the store will see to it at the moment of the
 * change.  (A change of any version depends on the key's current one.) */
static bool
can_match(struct change *c, const char *match)
{
	uint32_t number;

	/* A path as a whole has no tag. */
	if (c->op.action == STORE_DELETE_PATH)
		return condition_is_any(match) && path_is_live(c);
	if (!condition_is_one(match, &number)) {
		number = current(c);
		if (!condition_names(match, number, false))
			number = 0;
	}
	c->op.if_match = number;
	return number != 0;
}

bool
change_condition(struct change *c)
{
	const char *match = http_header(c->x->r, "If-Match");
	const char *none = http_header(c->x->r, "If-None-Match");

	c->op.if_none_match = none != NULL && condition_is_any(none);
	if (match == NULL || can_match(c, match))
		return true;
	answer_fail(c->x, 412, 0, "If-Match does not hold: read the secret again");
	return false;
}

static void
back(void *arg)
{
	struct change *c = arg;
	struct exchange *x = c->x;

	x->offset = c->op.offset;
	/* What change_done foresaw has not come about, or nobody knows. */
	if (c->op.result == STORE_FAILED || c->op.result == STORE_UNKNOWN) {
		x->has_count = false;
		x->version = c->op.action == STORE_CREATE ? 0 : x->version;
	}
	c->stored(c);
}

/* On the writer's thread. */
static void
done(struct store_op *op)
{
	struct change *c = op->cookie;

	http_post(c->x->r, back, c);
}

void
change_submit(struct change *c)
{
	c->op.done = done;
	c->op.cookie = c;
	store_submit_lazily(request_store(c->x), &c->op);
	exchange_lazily(c->x, &c->x->thread->store_lazy);
}

void
change_done(struct change *c)
{
	struct exchange *x = c->x;

	x->status = c->status;
	x->offset = c->op.offset;
	switch (c->op.action) {
	case STORE_CREATE:
		x->version = c->op.version;
		return;
	case STORE_DELETE_KEY:
	case STORE_DELETE_PATH:
		x->has_count = true;
		x->count = c->op.touched_count;
		return;
	default:
		return;
	}
}

static void
fail_store(struct change *c)
{
	const struct error *err = &c->op.err;
	bool again = err->code == ERROR_IO || err->code == ERROR_BUSY || err->code == ERROR_MEMORY;

	answer_fail(c->x, again ? 503 : 500, again ? 50302 : 50001, "Nothing was written: %s",
	    err->text);
}

void
change_fail(struct change *c)
{
	struct exchange *x = c->x;

	switch (c->op.result) {
	case STORE_ABSENT:
		answer_fail(x, 404, c->op.action == STORE_DELETE_VERSION ||
		    c->op.action == STORE_UNDELETE || c->op.action == STORE_DESTROY ? 40402 : 40401,
		    "There is nothing here that could be changed");
		return;
	case STORE_CAS_MISMATCH:
		answer_fail(x, 409, 40901, "\"cas\" is %lld, but the current version is %u: read "
		    "it again", (long long)c->op.cas, (unsigned)c->op.current);
		return;
	case STORE_CAS_MISSING:
		answer_fail(x, 422, 42201, "This key takes changes only with \"cas\" (the current "
		    "version, or 0)");
		return;
	case STORE_PRECONDITION:
		answer_fail(x, 412, 0, "The condition does not hold: the current version is %u",
		    (unsigned)c->op.current);
		return;
	case STORE_IDEM_MISMATCH:
		answer_fail(x, 422, 42201, "This Idempotency-Key was used with another body");
		return;
	case STORE_DESTROYED:
		answer_fail(x, 409, 0, "This version is destroyed and cannot be brought back");
		return;
	case STORE_EXHAUSTED:
		answer_fail(x, 409, 0, "This key has no version number left");
		return;
	case STORE_UNKNOWN:
		answer_fail(x, 504, 50402, "It is not known whether this was written: repeat it "
		    "with the same Idempotency-Key");
		return;
	case STORE_DONE:
	case STORE_REPEATED:
	case STORE_FAILED:
	default:
		fail_store(c);
		return;
	}
}
