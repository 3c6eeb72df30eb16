/* Rotation: every value, version and date stays, wherever it is interrupted. */
#include "store_support.h"

#define SECRETS 1100	/* more than two steps of a rotation */

/* Two of each hundred deleted, some expiring; the same in every run. */
static void
fill(struct store *s)
{
	struct store_op op;
	char path[16], value[32];
	int i;

	for (i = 0; i < SECRETS; i++) {
		snprintf(path, sizeof(path), "p%d", i % 7);
		snprintf(value, sizeof(value), "value %d", i);
		store_op_create(&op, path, i % 3 == 0 ? "k" : "l", value);
		op.ttl_ms = i % 50 == 0 ? 1000000 : 0;
		op.has_idem = i % 20 == 0;
		memset(op.idem, i, sizeof(op.idem));
		assert_int_equal(store_do(s, &op), STORE_DONE);
		store_op_release(&op);
		store_clock++;
	}
	assert_int_equal(store_act(s, STORE_DELETE_VERSION, "p1", "k", 3), STORE_DONE);
	assert_int_equal(store_act(s, STORE_DELETE_VERSION, "p2", "l", 2), STORE_DONE);
	assert_int_equal(store_act(s, STORE_DESTROY, "p3", "l", 5), STORE_DONE);
}

/* Walk through all the versions there are. */
static void
each_version(struct store *s, void (*visit)(void *cookie, const struct secret_name *name,
    const struct version_view *v), void *cookie)
{
	struct reader *r = store_reader(s);
	char key[NAME_KEY_MAX + 1], path[8];
	struct secret_name name;
	struct version_view v;

	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), i < 8 ? "p%d" : i == 8 ? "q" : "zz", i);
		key[0] = '\0';
		name = store_name(path, key);
		while (reader_key_after(r, path, name.path_len, key, name.key_len, key,
		    &name.key_len, NULL) == 1) {
			name.key = key;
			for (uint32_t n = 0; reader_next(r, &name, n, true, &v, NULL) == 1;
			    n = v.number)
				visit(cookie, &name, &v);
		}
	}
	store_read(r);
}

struct dump {
	struct sealer *sealer;
	struct buf plain, *out;
};

static void
dump_version(void *cookie, const struct secret_name *name, const struct version_view *v)
{
	struct dump *d = cookie;
	struct sealed_name bound = { name->path, name->path_len, name->key, name->key_len,
	    v->number, v->created_ms, v->expires_ms };

	buf_clear(&d->plain);
	assert_int_equal(sealer_open(d->sealer, &bound, v->sealed, v->sealed_len, &d->plain, NULL),
	    0);
	buf_printf(d->out, "%s/%s %u %d %lld %lld %lld %s %s %llu %s\n", name->path, name->key,
	    v->number, v->status, (long long)v->created_ms, (long long)v->expires_ms,
	    (long long)v->deleted_ms, v->created_by, v->deleted_by,
	    (unsigned long long)v->offset, buf_cstr(&d->plain));
}

/* Everything that must stay as it is, as text. */
static void
dump(struct store *s, struct buf *out)
{
	struct dump d = { .sealer = sealer_new(store_keyring(s), NULL), .out = out };

	assert_non_null(d.sealer);
	buf_init(out, 16 << 20);
	buf_init_secret(&d.plain, 1 << 20);
	each_version(s, dump_version, &d);
	assert_int_equal(buf_check(out, NULL), 0);
	buf_release(&d.plain);
	sealer_free(d.sealer);
}

static void
assert_same(struct store *s, const struct buf *before)
{
	struct buf now;

	dump(s, &now);
	assert_int_equal(now.len, before->len);
	assert_memory_equal(now.data, before->data, before->len);
	buf_release(&now);
}

static void
check_kid(void *cookie, const struct secret_name *name, const struct version_view *v)
{
	(void)name;
	assert_int_equal(sealed_kid(v->sealed, v->sealed_len), *(uint32_t *)cookie);
}

/* All under one data key, and that another than before. */
static void
assert_rotated(struct store *s, uint32_t kid)
{
	struct rotation_state r;
	uint32_t kids[8];

	store_rotation(s, &r);
	assert_false(r.running);
	assert_string_equal(r.failure, "");
	assert_int_equal(keyring_kids(store_keyring(s), kids, 8), 1);
	assert_int_equal(kids[0], kid);
	each_version(s, check_kid, &kid);
}

struct steps {
	char text[256];
};

static void
note(void *cookie, const char *step, const struct rotation_state *r)
{
	struct steps *x = cookie;
	size_t n = strlen(x->text);

	snprintf(x->text + n, sizeof(x->text) - n, "%s %u-%u;", step, r->from_kid, r->to_kid);
}

static void
test_an_online_rotation_keeps_everything(void **state)
{
	struct master *m = store_master('a'), *fresh = store_master('b');
	struct store *s = store_on(m);
	struct error err = { 0 };
	struct rotation_state r;
	struct steps x = { "" };
	struct buf before;
	char v[64];

	(void)state;
	fill(s);
	dump(s, &before);
	store_on_rotation(s, note, &x);
	assert_int_equal(store_rotate(s, fresh, &err), 0);
	assert_int_equal(store_rotate(s, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_BUSY);
	store_rotation(s, &r);
	assert_true(r.running);
	assert_int_equal(r.total, SECRETS - 1);
	store_step(s);
	store_rotation(s, &r);
	assert_int_equal(r.done, SECRETS - 1);
	assert_rotated(s, 2);
	assert_same(s, &before);
	assert_string_equal(x.text, "started 1-2;finished 1-2;");
	/* Once more, under the same master secret. */
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	assert_rotated(s, 3);
	assert_same(s, &before);
	store_end(s);
	assert_null(store_try(m, NULL, false, &err));
	assert_int_equal(err.code, ERROR_KEY);
	s = store_on(fresh);
	assert_same(s, &before);
	assert_true(store_create(s, "p1", "k", "new") > 0);
	assert_true(store_value(s, "p1", "k", 0, v));
	assert_string_equal(v, "new");
	store_end(s);
	buf_release(&before);
	master_free(m);
	master_free(fresh);
}

/* The commits from the ${at}th on fail, as they do not with ${at} -1. */
static struct {
	int at, seen;
} failing;

static int
fail_write(void *cookie, struct store_op *const *ops, size_t n, struct error *err)
{
	(void)cookie;
	(void)ops;
	(void)n;
	return failing.at >= 0 && failing.seen++ >= failing.at ?
	    error_set(err, ERROR_IO, "no more commits") : 0;
}

static void
fail_after(void *cookie, struct store_op *const *ops, size_t n, bool written)
{
	(void)cookie;
	for (size_t i = 0; i < n && written; i++)
		ops[i]->done(ops[i]);
}

static void
fail_from(struct store *s, int at)
{
	struct store_commit_hook w = { .write = fail_write, .after = fail_after };

	failing.at = at;
	failing.seen = 0;
	store_set_commit_hook(s, &w);
}

/* Stop at the ${at}th commit of a rotation, and start again.  false: it has fewer. */
static bool
stop_at(int at, bool with_old)
{
	struct master *m = store_master('a'), *fresh = store_master('b');
	struct store *s = store_on(m);
	struct rotation_state r;
	struct buf before;
	bool interrupted;

	fill(s);
	dump(s, &before);
	if (with_old) {
		store_end(s);
		s = store_try(fresh, m, false, NULL);
		assert_non_null(s);
		fail_from(s, at);
	} else {
		fail_from(s, at);
		assert_int_equal(store_rotate(s, fresh, NULL), 0);
	}
	store_step(s);
	store_rotation(s, &r);
	interrupted = r.running;
	store_end(s);
	/* With the old one as well: the new keyring may not have been stored. */
	s = store_try(fresh, m, false, NULL);
	assert_non_null(s);
	store_step(s);
	assert_rotated(s, 2);
	assert_same(s, &before);
	store_end(s);
	assert_null(store_try(m, NULL, false, NULL));
	s = store_on(fresh);
	assert_same(s, &before);
	store_end(s);
	assert_int_equal(unlink(STORE_FILE), 0);
	buf_release(&before);
	master_free(m);
	master_free(fresh);
	return interrupted;
}

/* The keyring, two full steps and a rest, a look, the keyring. */
static void
test_a_rotation_goes_on_after_any_failed_commit(void **state)
{
	int at;

	(void)state;
	for (at = 0; stop_at(at, false); at++)
		continue;
	assert_in_range(at, 5, 7);
}

static void
test_a_restart_with_the_former_key_seals_everything_again(void **state)
{
	int at;

	(void)state;
	for (at = 0; stop_at(at, true); at++)
		continue;
	assert_in_range(at, 4, 6);
}

/* The new data key could not be stored, so nothing is sealed under it. */
static void
test_nothing_is_sealed_under_a_key_that_is_not_stored(void **state)
{
	struct master *m = store_master('a');
	struct store *s = store_on(m);
	struct buf before;
	char v[64];

	(void)state;
	fill(s);
	dump(s, &before);
	fail_from(s, 0);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	assert_int_equal(store_create(s, "zz", "k", "x"), 0);
	store_end(s);
	s = store_on(m);
	assert_same(s, &before);
	fail_from(s, 1);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	fail_from(s, -1);
	/* It is stored with the next that is. */
	assert_int_equal(store_create(s, "zz", "k", "x"), 1);
	store_end(s);
	s = store_on(m);
	assert_true(store_value(s, "zz", "k", 1, v));
	store_step(s);
	assert_rotated(s, 2);
	store_end(s);
	buf_release(&before);
	master_free(m);
}

/* A record that does not open stays, and keeps its data key. */
static void
test_what_cannot_be_opened_is_kept_with_its_key(void **state)
{
	struct master *m = store_master('a');
	struct store *s = store_on(m);
	struct steps x = { "" };
	struct rotation_state r;
	struct version_view v;
	uint32_t kids[4];
	char value[64];

	(void)state;
	store_create(s, "p0", "k", "x");
	store_create(s, "q", "k", "x");
	store_end(s);
	store_sql("UPDATE secret SET created=created+1 WHERE path='q'");
	s = store_on(m);
	store_on_rotation(s, note, &x);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	store_rotation(s, &r);
	assert_false(r.running);
	assert_true(strlen(r.failure) > 0);
	assert_string_equal(x.text, "started 1-2;failed 1-2;");
	assert_int_equal(keyring_kids(store_keyring(s), kids, 4), 2);
	assert_true(store_value(s, "p0", "k", 0, value));
	assert_true(store_there(s, "q", "k", 1, &v));
	/* Destroyed by whom it belongs to, the next start can finish. */
	assert_int_equal(store_act(s, STORE_DESTROY, "q", "k", 1), STORE_DONE);
	store_end(s);
	s = store_on(m);
	x.text[0] = '\0';
	store_on_rotation(s, note, &x);
	store_step(s);
	assert_string_equal(x.text, "resumed 1-2;finished 1-2;");
	assert_rotated(s, 2);
	store_end(s);
	master_free(m);
}

/* New versions are made all the while, under the new data key. */
static void
test_writes_go_on_during_a_rotation(void **state)
{
	struct master *m = store_master('a');
	struct store *s = store_on(m);
	char text[64];

	(void)state;
	fill(s);
	fail_from(s, 2);
	assert_int_equal(store_rotate(s, NULL, NULL), 0);
	store_step(s);
	fail_from(s, -1);
	/* Half way: both data keys are in use. */
	assert_true(store_value(s, "p0", "k", 1, text));
	assert_true(store_value(s, "p6", "k", 1, text));
	assert_int_equal(store_create(s, "zz", "k", "during"), 1);
	store_step(s);
	assert_rotated(s, 2);
	assert_true(store_value(s, "zz", "k", 1, text));
	assert_string_equal(text, "during");
	store_end(s);
	master_free(m);
}

static int
reset_clock(void **state)
{
	store_clock = 1000000;
	return files_setup(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, reset_clock, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_an_online_rotation_keeps_everything),
		CASE(test_a_rotation_goes_on_after_any_failed_commit),
		CASE(test_a_restart_with_the_former_key_seals_everything_again),
		CASE(test_nothing_is_sealed_under_a_key_that_is_not_stored),
		CASE(test_what_cannot_be_opened_is_kept_with_its_key),
		CASE(test_writes_go_on_during_a_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
