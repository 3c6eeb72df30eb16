/*
 * Random actions, several to a batch, on a log that fails, loses answers, has
 * batches come late, is compacted at random and written to by others, with
 * restarts and rotations:
 * a simple model tells what must be answered and seen (the contract's P1-P5),
 * and any compaction must fold to the state that is live (P8).
 * STORE_SEEDS=N runs more of them; STORE_SEED=N that one alone.
 */
#include "record_support.h"
#include "store_support.h"

#define PATHS 3
#define KEYS 3
#define VERSIONS 600		/* of a key at most */
#define STEPS 150		/* of a seed */
#define BATCH 6			/* ops at once at most */

#define LATE_ONE_IN 5

/* What happened; the first are the faults of log_memory.h. */
enum {
	OPS_FAILED = LOG_MEMORY_DELAY + 1, OPS_DONE, LOSERS, RESTARTS, ROTATIONS,
	LANDED,			/* late */
	OPS_LANDED,		/* without an answer, and came about */
	COUNTS
};

enum status { NONE, LIVE, DELETED, DESTROYED };

struct model_version {
	enum status status;
	int value;
	int64_t created, expires, deleted;
	unsigned char idem, body;	/* 0: none */
};

struct model_key {
	uint32_t high;
	struct model_version v[VERSIONS];
	uint32_t max_versions, mcas;
	bool cas_required;
	int custom;		/* 0: {} */
};

struct world {
	uint64_t random;
	struct log_memory *topic;
	struct master *masters[2];
	unsigned master;	/* which one fits */
	struct store *s;
	struct log *inner;	/* what the store's log goes to */
	bool armed;
	enum log_memory_fault fault;
	unsigned fault_after;
	bool faulted;		/* a fault was met in this step */
	struct model_key k[PATHS][KEYS];
	int values;
	unsigned counts[COUNTS];	/* to know that it did happen */
};

static const char *const paths[PATHS] = { "conn-a", "conn-\"b\\", "z" };
static const char *const keys[KEYS] = { "password", "user", "K.3" };

static uint64_t
draw(struct world *w, uint64_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}

/* --- a log that meets faults when they are armed --- */

static int
faulty_append(void *self, const struct log_record *batch, size_t n, uint64_t *first,
    struct error *err)
{
	struct world *w = self;
	int result;

	if (!w->armed || w->fault_after-- > 0)
		return log_append(w->inner, batch, n, first, err);
	w->armed = false;
	w->faulted = true;
	w->counts[w->fault]++;
	if (w->fault == LOG_MEMORY_DELAY) {
		log_memory_fault_at(w->topic, 0, w->fault);
		return log_append(w->inner, batch, n, first, err);
	}
	if (w->fault == LOG_MEMORY_FAIL)
		return error_set(err, ERROR_IO, "it fails");
	if (w->fault == LOG_MEMORY_LOSE_ANSWER) {
		result = log_append(w->inner, batch, n, first, NULL);
		assert_int_equal(result, 0);
	}
	return error_set(err, ERROR_STALE, "no answer");
}

static int
faulty_read(void *self, uint64_t from, log_visit *visit, void *cookie, struct error *err)
{
	return log_read(((struct world *)self)->inner, from, visit, cookie, err);
}

static int
faulty_end(void *self, uint64_t *end, struct error *err)
{
	return log_end(((struct world *)self)->inner, end, err);
}

static int
faulty_claim(void *self, const char *node, uint64_t *epoch, struct error *err)
{
	return log_claim(((struct world *)self)->inner, node, epoch, err);
}

static void
faulty_free(void *self)
{
	struct world *w = self;

	log_free(w->inner);
	w->inner = NULL;
}

static const struct log_ops faulty_ops = {
	.append = faulty_append, .read = faulty_read, .end = faulty_end,
	.claim = faulty_claim, .free = faulty_free
};

static struct store *
try_store(struct world *w, const struct master *m, const struct master *old, struct error *err)
{
	struct log *l = malloc(sizeof(*l));
	struct store_options o = { .log = l, .master = m, .old = &old, .old_count = old != NULL,
	    .node = "test", .undelete_window_ms = STORE_WINDOW, .now = store_clock_now,
	    .no_thread = true };

	assert_non_null(l);
	l->ops = &faulty_ops;
	l->self = w;
	w->inner = log_memory_view(w->topic);
	return store_open(&o, err);
}

static struct store *
open_store(struct world *w, const struct master *m, const struct master *old)
{
	struct error err = { 0 };
	struct store *s = try_store(w, m, old, &err);

	/* A keyring that came late, just before the claim: there is no other. */
	return s == NULL && err.code == ERROR_BUSY ? try_store(w, m, old, NULL) : s;
}

/* --- the state as text --- */

static void
dump_key(const struct state_key *k, struct buf *out)
{
	struct version_view v;
	struct key_meta m;
	uint32_t from, to;
	size_t i;

	state_key_meta(k, &m);
	buf_printf(out, "high %u max %u cas %d custom %s by %s at %lld mcas %u\n", m.high,
	    m.max_versions, m.cas_required, m.custom, m.updated_by, (long long)m.updated_ms,
	    m.mcas);
	for (i = 0; i < m.destroyed_count; i++) {
		state_key_destroyed(k, i, &from, &to);
		buf_printf(out, "  destroyed %u-%u\n", from, to);
	}
	for (i = 0; i < state_version_count(k); i++) {
		state_version_at(k, i, store_clock, &v);
		buf_printf(out, "  %u %d %lld %lld %lld %s %s @%llu ", v.number, v.status,
		    (long long)v.created_ms, (long long)v.expires_ms, (long long)v.deleted_ms,
		    v.created_by, v.deleted_by, (unsigned long long)v.offset);
		buf_append(out, v.claim, sizeof(v.claim));
		buf_append(out, v.idem, v.idem != NULL ? 64 : 0);
		buf_append(out, v.sealed, v.sealed_len);
		buf_append_char(out, '\n');
	}
}

static void
dump(const struct state *s, struct buf *out)
{
	const struct state_path *p;
	const struct state_key *k;
	const char *path = "", *key;
	size_t path_len = 0, key_len;
	struct state_counts c;

	buf_init(out, 64 << 20);
	while ((p = state_path_after(s, path, path_len)) != NULL) {
		path = state_path_name(p, &path_len);
		key = "";
		key_len = 0;
		while ((k = state_key_after(p, key, key_len)) != NULL) {
			key = state_key_name(k, &key_len);
			buf_printf(out, "%s/%s ", path, key);
			dump_key(k, out);
		}
	}
	state_count(s, &c);
	buf_printf(out, "%llu %llu %llu %llu\n", (unsigned long long)c.paths,
	    (unsigned long long)c.keys, (unsigned long long)c.versions,
	    (unsigned long long)c.deleted);
	assert_int_equal(buf_check(out, NULL), 0);
}

static int
fold(void *cookie, uint64_t offset, const struct log_record *r, struct error *err)
{
	return state_apply(cookie, offset, r, err);
}

/* P8: what is in the log now folds to what is live. */
static void
check_rebuilt(struct world *w)
{
	struct log *view = log_memory_view(w->topic);
	struct state *s = state_new();
	struct buf live, rebuilt;

	assert_int_equal(log_read(view, 0, fold, s, NULL), 0);
	dump(store_state(w->s), &live);
	dump(s, &rebuilt);
	if (live.len != rebuilt.len || memcmp(live.data, rebuilt.data, live.len) != 0)
		fail_msg("live:\n%s\nrebuilt:\n%s", buf_cstr(&live), buf_cstr(&rebuilt));
	buf_release(&live);
	buf_release(&rebuilt);
	state_free(s);
	log_free(view);
}

/* --- the model --- */

static bool
is_live(const struct model_version *v)
{
	return v->status == LIVE && (v->expires == 0 || v->expires > store_clock);
}

static bool
is_past(int64_t at)
{
	return at != 0 && store_clock - at >= STORE_WINDOW;
}

static uint32_t
latest(const struct model_key *k)
{
	uint32_t n = k->high;

	while (n > 0 && !is_live(&k->v[n]))
		n--;
	return n;
}

static uint32_t
held(const struct model_key *k, uint32_t *oldest)
{
	uint32_t n = 0, i;

	for (i = k->high; i > 0; i--) {
		if (k->v[i].status == LIVE || k->v[i].status == DELETED) {
			*oldest = i;
			n++;
		}
	}
	return n;
}

/* What the store's sweep does when nothing hinders it. */
static void
model_sweep(struct world *w)
{
	size_t i, j;
	uint32_t n;

	for (i = 0; i < PATHS; i++) {
		for (j = 0; j < KEYS; j++) {
			for (n = 1; n <= w->k[i][j].high; n++) {
				struct model_version *v = &w->k[i][j].v[n];

				if ((v->status == LIVE || v->status == DELETED) &&
				    (is_past(v->expires) ||
				    (v->status == DELETED && is_past(v->deleted))))
					v->status = DESTROYED;
			}
		}
	}
}

static enum store_result
model_create(struct world *w, struct model_key *k, const struct store_op *op)
{
	struct model_version *v;
	uint32_t n, current = latest(k);

	for (n = k->high; op->has_idem && n > 0; n--) {
		v = &k->v[n];
		if (v->idem != op->idem[0] || v->status == DESTROYED || v->status == NONE)
			continue;
		if (op->idem[32] != v->body)
			return STORE_IDEM_MISMATCH;
		assert_int_equal(op->version, n);
		assert_int_equal(op->created_ms, v->created);
		return STORE_REPEATED;
	}
	assert_true(op->result == STORE_REPEATED || op->current == current);
	if (k->cas_required && op->cas < 0)
		return STORE_CAS_MISSING;
	if (op->cas >= 0 && op->cas != current)
		return STORE_CAS_MISMATCH;
	if (op->if_none_match && current != 0)
		return STORE_PRECONDITION;
	/* P3: one higher than any number that ever was. */
	n = ++k->high;
	assert_int_equal(op->version, n);
	v = &k->v[n];
	v->status = LIVE;
	sscanf((const char *)op->value.data, "value %d", &v->value);
	v->created = op->created_ms;
	v->expires = op->expires_ms;
	v->idem = op->has_idem ? op->idem[0] : 0;
	v->body = op->has_idem ? op->idem[32] : 0;
	if (n > 1 && k->v[n - 1].created != 0)
		assert_true(v->created >= k->v[n - 1].created);
	if (op->custom.len > 0) {
		sscanf((const char *)op->custom.data, "{\"n\":\"%d\"}", &k->custom);
		k->mcas++;
	}
	while (k->max_versions > 0 && held(k, &n) > k->max_versions)
		k->v[n].status = DESTROYED;
	(void)w;
	return STORE_DONE;
}

static enum store_result
model_delete(struct model_key *k, uint32_t number, size_t *touched)
{
	uint32_t n;
	size_t before = *touched;

	for (n = 1; n <= k->high; n++) {
		if ((number == 0 || n == number) && is_live(&k->v[n])) {
			k->v[n].status = DELETED;
			k->v[n].deleted = store_clock;
			++*touched;
		}
	}
	return *touched > before ? STORE_DONE : STORE_ABSENT;
}

static enum store_result
model_one(struct world *w, size_t path, size_t key, const struct store_op *op)
{
	struct model_key *k = &w->k[path][key];
	struct model_version none = { .status = NONE };
	struct model_version *v = op->version > 0 && op->version <= k->high &&
	    op->action != STORE_CREATE ? &k->v[op->version] : &none;
	size_t touched = 0, i;
	bool any = false;

	switch (op->action) {
	case STORE_CREATE:
		return model_create(w, k, op);
	case STORE_DELETE_VERSION:
		return model_delete(k, op->version, &touched);
	case STORE_DELETE_KEY:
		return model_delete(k, 0, &touched);
	case STORE_DELETE_PATH:
		for (i = 0; i < KEYS; i++)
			any |= model_delete(&w->k[path][i], 0, &touched) == STORE_DONE;
		assert_true(op->result == STORE_UNKNOWN || op->touched_count == touched);
		return any ? STORE_DONE : STORE_ABSENT;
	case STORE_UNDELETE:
		if (v->status == DESTROYED || (v->status == DELETED && is_past(v->deleted)))
			return STORE_DESTROYED;
		if (v->status == NONE || (v->expires != 0 && v->expires <= store_clock))
			return STORE_ABSENT;
		v->status = LIVE;
		v->deleted = 0;
		return STORE_DONE;
	case STORE_DESTROY:
		if (v->status == NONE || v->status == DESTROYED)
			return STORE_ABSENT;
		v->status = DESTROYED;
		return STORE_DONE;
	case STORE_META:
		if (op->cas >= 0 && op->cas != k->mcas)
			return STORE_CAS_MISMATCH;
		k->max_versions = op->max_versions;
		k->cas_required = op->cas_required;
		k->mcas++;
		return STORE_DONE;
	default:
		return STORE_DONE;
	}
}

/* P1, P2, P4: everything live is seen with its value, and nothing else is. */
static void
check_seen(struct world *w)
{
	const struct state_key *k;
	struct version_view v;
	struct key_meta m;
	char text[64], want[64];
	size_t i, j;
	uint32_t n;

	for (i = 0; i < PATHS; i++) {
		for (j = 0; j < KEYS; j++) {
			struct model_key *model = &w->k[i][j];

			k = store_key(w->s, paths[i], keys[j]);
			assert_true((k != NULL) == (model->high > 0));
			if (k == NULL)
				continue;
			state_key_meta(k, &m);
			assert_int_equal(m.high, model->high);
			assert_int_equal(m.mcas, model->mcas);
			assert_int_equal(m.max_versions, model->max_versions);
			if (model->custom != 0) {
				snprintf(want, sizeof(want), "{\"n\":\"%d\"}", model->custom);
				assert_string_equal(m.custom, want);
			}
			for (n = 1; n <= model->high; n++) {
				const struct model_version *x = &model->v[n];
				bool there = state_version_find(k, n, store_clock, &v);

				assert_true(there == (x->status != DESTROYED));
				if (!there)
					continue;
				assert_int_equal(v.created_ms, x->created);
				assert_int_equal(v.expires_ms, x->expires);
				assert_int_equal(v.status == VERSION_DELETED,
				    x->status == DELETED);
				assert_int_equal(v.status == VERSION_LIVE, is_live(x));
				/* Opening all of them each time would take too long. */
				if (!is_live(x) || draw(w, 4) != 0)
					continue;
				assert_true(store_value(w->s, paths[i], keys[j], n, text));
				snprintf(want, sizeof(want), "value %d", x->value);
				assert_string_equal(text, want);
			}
		}
	}
}

/* --- what happens --- */

struct planned {
	struct store_op op;
	size_t path, key;
	int done;
};

static void
plan_create(struct world *w, struct planned *x)
{
	char text[64];

	snprintf(text, sizeof(text), "value %d", ++w->values);
	store_op_create(&x->op, paths[x->path], keys[x->key], text);
	buf_append_char(&x->op.value, '\0');
	buf_truncate(&x->op.value, x->op.value.len - 1);
	if (draw(w, 3) == 0)
		x->op.cas = (int64_t)latest(&w->k[x->path][x->key]) + (int64_t)draw(w, 2);
	x->op.if_none_match = draw(w, 12) == 0;
	if (draw(w, 3) == 0) {
		x->op.has_idem = true;
		memset(x->op.idem, 1 + (int)draw(w, 5), 32);
		memset(x->op.idem + 32, draw(w, 5) == 0 ? 2 : 1, 32);
	}
	if (draw(w, 4) == 0)
		x->op.ttl_ms = 1 + (int64_t)draw(w, 8000);
	if (draw(w, 8) == 0)
		buf_printf(&x->op.custom, "{\"n\":\"%d\"}", w->values);
}

static void
plan(struct world *w, struct planned *x)
{
	static const enum store_action others[] = {
		STORE_DELETE_VERSION, STORE_DELETE_VERSION, STORE_DELETE_KEY, STORE_DELETE_PATH,
		STORE_UNDELETE, STORE_UNDELETE, STORE_DESTROY, STORE_META, STORE_BARRIER
	};
	enum store_action action = others[draw(w, sizeof(others) / sizeof(others[0]))];
	const struct model_key *k;

	x->path = draw(w, PATHS);
	x->key = draw(w, KEYS);
	x->done = 0;
	k = &w->k[x->path][x->key];
	if (draw(w, 2) == 0) {
		plan_create(w, x);
	} else {
		store_op_init(&x->op, action);
		store_op_name(&x->op, paths[x->path],
		    action == STORE_DELETE_PATH ? "" : keys[x->key]);
		x->op.version = 1 + (uint32_t)draw(w, k->high + 2U);
		if (action == STORE_META) {
			x->op.set_max_versions = x->op.set_cas_required = true;
			x->op.max_versions = (uint32_t)draw(w, 4) * 2;
			x->op.cas_required = draw(w, 6) == 0;
			x->op.cas = draw(w, 3) == 0 ? (int64_t)k->mcas : -1;
		}
	}
	x->op.done = store_count_done;
	x->op.cookie = &x->done;
}

/* Another writer's record of a version that there is, past every claim. */
static void
inject_loser(struct world *w)
{
	size_t i = draw(w, PATHS), j = draw(w, KEYS);
	struct model_key *k = &w->k[i][j];
	struct record r;
	struct log_record l;
	struct buf bytes;

	if (k->high == 0)
		return;
	r = record_secret(paths[i], keys[j], 1 + (uint32_t)draw(w, k->high),
	    (unsigned char)(1 + draw(w, 3)));
	l = record_encoded(&r, &bytes);
	(void)log_memory_inject(w->topic, l.key, l.key_len, l.value, l.value_len);
	buf_release(&bytes);
	w->counts[LOSERS]++;
}

static void
inject_garbage(struct world *w)
{
	static const char *const garbage[] = {
		"x", "{\"t\":\"LATER\",\"a\":1}", "{\"t\":\"NOOP\",\"node\":\"n\"}", "[]"
	};
	const char *g = garbage[draw(w, 4)];
	bool tombstone = draw(w, 3) == 0;

	(void)log_memory_inject(w->topic, g, strlen(g), tombstone ? NULL : "y", !tombstone);
}

static void
restart(struct world *w)
{
	unsigned other = 1 - w->master;

	store_close(w->s);
	w->s = NULL;
	w->armed = false;
	log_memory_fail_claims(w->topic, 0);
	if (draw(w, 2) == 0)
		log_memory_compact(w->topic, draw(w, 3) == 0);
	if (draw(w, 4) == 0) {
		/* With another master secret, and the former one as the old. */
		w->s = open_store(w, w->masters[other], w->masters[w->master]);
		w->master = other;
	} else if (draw(w, 4) == 0) {
		assert_null(open_store(w, w->masters[other], NULL));
	}
	if (w->s == NULL)
		w->s = open_store(w, w->masters[w->master], NULL);
	assert_non_null(w->s);
	w->counts[RESTARTS]++;
}

/*
 * Actions of which the outcome is not known: let the log settle it, here or in
 * the next process.  Have they come about?
 */
static bool
settle(struct world *w, size_t landed)
{
	w->armed = false;
	if (draw(w, 3) == 0)
		restart(w);
	log_memory_fail_claims(w->topic, 0);
	store_act(w->s, STORE_BARRIER, "z", "k", 0);
	return log_memory_landed(w->topic) > landed;
}

/* Submit some at once; the model follows with what was acknowledged. */
static void
run_batch(struct world *w)
{
	struct planned x[BATCH];
	size_t landed = log_memory_landed(w->topic);
	size_t n = 1 + draw(w, BATCH), i;
	bool unknown = false;

	for (i = 0; i < n; i++) {
		plan(w, &x[i]);
		store_submit(w->s, &x[i].op);
	}
	store_step(w->s);
	for (i = 0; i < n; i++) {
		assert_int_equal(x[i].done, 1);
		unknown |= x[i].op.result == STORE_UNKNOWN;
	}
	if (unknown)
		unknown = settle(w, landed);
	for (i = 0; i < n; i++) {
		struct store_op *op = &x[i].op;

		if (op->result == STORE_UNKNOWN && unknown) {
			(void)model_one(w, x[i].path, x[i].key, op);
			w->counts[OPS_LANDED]++;
		} else if (op->result == STORE_FAILED || op->result == STORE_UNKNOWN) {
			/* P5: and then it is as if it had not been asked for. */
			assert_true(w->faulted);
			w->counts[OPS_FAILED]++;
		} else {
			assert_int_equal(model_one(w, x[i].path, x[i].key, op), op->result);
			w->counts[OPS_DONE]++;
		}
		store_op_release(op);
	}
}

static void
rotate(struct world *w)
{
	unsigned to = (unsigned)draw(w, 2), from = w->master;
	struct rotation_state r;

	if (store_rotate(w->s, w->masters[to], NULL) == -1)
		return;
	store_rotation(w->s, &r);
	/* If its record met a fault, it is only in the log after the next append. */
	if (r.failure[0] != '\0')
		w->armed = false;
	w->master = to;
	if (r.failure[0] != '\0' && draw(w, 3) == 0) {
		/* The process ends before that: either master secret may fit. */
		store_close(w->s);
		log_memory_fail_claims(w->topic, 0);
		w->s = open_store(w, w->masters[to], w->masters[from]);
		assert_non_null(w->s);
	}
	log_memory_fail_claims(w->topic, 0);
	store_step(w->s);
	w->counts[ROTATIONS]++;
	/* Half way perhaps. */
	if (w->faulted && draw(w, 2) == 0)
		restart(w);
}

static void
one_step(struct world *w)
{
	w->faulted = false;
	if (draw(w, 5) == 0) {
		w->armed = true;
		w->fault = (enum log_memory_fault)draw(w, LOG_MEMORY_DELAY + 1);
		w->fault_after = (unsigned)draw(w, 3);
		if (draw(w, 2) == 0)
			log_memory_fail_claims(w->topic, 1 + draw(w, 3));
	}
	switch (draw(w, 14)) {
	case 0:
		restart(w);
		break;
	case 1:
		rotate(w);
		break;
	case 2:
		inject_loser(w);
		break;
	case 3:
		inject_garbage(w);
		break;
	case 4:
		log_memory_compact(w->topic, draw(w, 3) == 0);
		break;
	case 5:
		store_clock += (int64_t)draw(w, STORE_WINDOW);
		break;
	default:
		run_batch(w);
	}
	/* The rest of what is due, undisturbed; and the end is looked at. */
	w->armed = false;
	log_memory_fail_claims(w->topic, 0);
	store_act(w->s, STORE_BARRIER, "z", "k", 0);
	model_sweep(w);
	check_seen(w);
	check_rebuilt(w);
}

static void
run_seed(uint64_t seed, unsigned counts[COUNTS])
{
	struct world *w = calloc(1, sizeof(*w));
	size_t i;

	assert_non_null(w);
	store_clock = 1000000;
	w->random = seed;
	w->topic = log_memory_new(seed);
	log_memory_late(w->topic, LATE_ONE_IN);
	w->masters[0] = store_master('a');
	w->masters[1] = store_master('b');
	w->s = open_store(w, w->masters[0], NULL);
	assert_non_null(w->s);
	for (i = 0; i < STEPS; i++)
		one_step(w);
	/* At last: everything from what the fullest compaction leaves. */
	log_memory_compact(w->topic, true);
	restart(w);
	store_step(w->s);
	model_sweep(w);
	check_seen(w);
	check_rebuilt(w);
	w->counts[LANDED] = (unsigned)log_memory_landed(w->topic);
	for (i = 0; i < COUNTS; i++)
		counts[i] += w->counts[i];
	store_close(w->s);
	master_free(w->masters[0]);
	master_free(w->masters[1]);
	log_memory_free(w->topic);
	free(w);
}

static void
test_random_histories(void **state)
{
	const char *one = getenv("STORE_SEED"), *many = getenv("STORE_SEEDS");
	uint64_t from = one != NULL ? strtoull(one, NULL, 10) : 1;
	uint64_t n = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : 12;
	unsigned counts[COUNTS] = { 0 };
	uint64_t seed;
	size_t i;

	(void)state;
	for (seed = from; seed < from + n; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run_seed(seed, counts);
	}
	print_message("failed %u, answer lost %u, batch lost %u, delayed %u (landed %u); "
	    "ops failed %u, done %u, landed %u; losers %u, restarts %u, rotations %u\n",
	    counts[LOG_MEMORY_FAIL], counts[LOG_MEMORY_LOSE_ANSWER],
	    counts[LOG_MEMORY_LOSE_BATCH], counts[LOG_MEMORY_DELAY], counts[LANDED],
	    counts[OPS_FAILED], counts[OPS_DONE], counts[OPS_LANDED], counts[LOSERS],
	    counts[RESTARTS], counts[ROTATIONS]);
	for (i = 0; n > 5 && i < COUNTS; i++)
		assert_true(counts[i] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
