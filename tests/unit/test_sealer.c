#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/error.h"
#include "registry/keys/keyring.h"
#include "unit.h"

#define ROOM (1 << 20)
#define MARKER "hunter2-S3cret"

struct bench {
	struct keyring *ring;
	struct sealer *s;
	struct buf sealed, out;
};

static const struct sealed_name name = { "conn-a", 6, "password", 8, 3, 1700000000123, 0 };

static struct keyring *
new_ring(void)
{
	struct keyring *k;
	struct master *m;
	struct buf b;

	buf_init_secret(&b, 100);
	buf_append_str(&b, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	m = master_from_text(&b, false, NULL);
	k = keyring_new(m, NULL);
	assert_non_null(k);
	master_free(m);
	buf_release(&b);
	return k;
}

static int
setup(void **state)
{
	struct bench *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->ring = new_ring();
	w->s = sealer_new(w->ring, NULL);
	assert_non_null(w->s);
	buf_init(&w->sealed, ROOM);
	buf_init_secret(&w->out, ROOM);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *w = *state;

	buf_release(&w->sealed);
	buf_release(&w->out);
	sealer_free(w->s);
	sealer_free(NULL);
	keyring_free(w->ring);
	free(w);
	return 0;
}

static void
seal(struct bench *w, const void *plain, size_t n)
{
	buf_clear(&w->sealed);
	assert_int_equal(sealer_seal(w->s, &name, plain, n, &w->sealed, NULL), 0);
}

static void
assert_opens_to(struct bench *w, const void *plain, size_t n)
{
	buf_clear(&w->out);
	buf_append_str(&w->out, "old");
	assert_int_equal(sealer_open(w->s, &name, w->sealed.data, w->sealed.len, &w->out, NULL), 0);
	assert_int_equal(w->out.len, 3 + n);
	assert_memory_equal(w->out.data, "old", 3);
	if (n > 0)
		assert_memory_equal(w->out.data + 3, plain, n);
}

/* It fails with this code, and nothing is added. */
static void
assert_refused(struct bench *w, const struct sealed_name *as, size_t n, enum error_code code)
{
	struct error err = { 0 };

	buf_clear(&w->out);
	buf_append_str(&w->out, "old");
	assert_int_equal(sealer_open(w->s, as, w->sealed.data, n, &w->out, &err), -1);
	assert_int_equal(err.code, code);
	assert_int_equal(w->out.len, 3);
	assert_true(unit_all_zero(w->out.data + 3, w->out.cap - 3));
	assert_null(strstr(err.text, MARKER));
	assert_non_null(strstr(err.text, "does not open"));
}

static void
test_values_of_many_lengths_go_round(void **state)
{
	struct bench *w = *state;
	unsigned char *plain = malloc(300000);

	assert_non_null(plain);
	for (size_t i = 0; i < 300000; i++)
		plain[i] = (unsigned char)(i * 31);
	for (size_t n = 0; n < 300; n++) {
		seal(w, plain, n);
		assert_opens_to(w, plain, n);
	}
	seal(w, plain, 300000);
	assert_opens_to(w, plain, 300000);
	seal(w, MARKER, strlen(MARKER));
	assert_opens_to(w, MARKER, strlen(MARKER));
	assert_null(memmem(w->sealed.data, w->sealed.len, MARKER, strlen(MARKER)));
	free(plain);
}

static void
test_the_layout(void **state)
{
	static const unsigned char kid[4] = { 0, 0, 0, 1 };
	struct bench *w = *state;

	buf_append_str(&w->sealed, "before");
	assert_int_equal(sealer_seal(w->s, &name, "x", 1, &w->sealed, NULL), 0);
	assert_int_equal(w->sealed.len, 6 + SEALED_MIN);
	assert_memory_equal(w->sealed.data, "before", 6);
	assert_memory_equal(w->sealed.data + 6, kid, 4);
	assert_int_equal(sealed_kid(w->sealed.data + 6, SEALED_MIN), 1);
	assert_int_equal(sealed_kid(w->sealed.data + 6, 3), 0);
	assert_false(unit_all_zero(w->sealed.data + 6 + SEALED_SALT, 32));
	assert_false(unit_all_zero(w->sealed.data + 6 + SEALED_IV, 12));
}

/* Lengths that differ little look the same. */
static void
test_padding_hides_lengths(void **state)
{
	static const struct {
		size_t from, to, padded;
	} steps[] = {
		{ 0, 12, 16 }, { 13, 28, 32 }, { 29, 44, 48 }, { 45, 60, 64 }, { 61, 124, 128 },
		{ 125, 188, 192 }, { 189, 252, 256 },
	};
	static const unsigned char plain[300];
	struct bench *w = *state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		for (size_t n = steps[i].from; n <= steps[i].to; n++) {
			seal(w, plain, n);
			assert_int_equal(w->sealed.len, SEALED_TEXT + steps[i].padded + 16);
		}
}

static void
test_the_same_value_twice_differs_everywhere(void **state)
{
	struct bench *w = *state;
	struct buf first;

	seal(w, MARKER, strlen(MARKER));
	buf_init(&first, ROOM);
	buf_append(&first, w->sealed.data, w->sealed.len);
	seal(w, MARKER, strlen(MARKER));
	assert_int_equal(w->sealed.len, first.len);
	assert_memory_not_equal(w->sealed.data + SEALED_SALT, first.data + SEALED_SALT, 32);
	assert_memory_not_equal(w->sealed.data + SEALED_IV, first.data + SEALED_IV, 12);
	assert_memory_not_equal(w->sealed.data + SEALED_TEXT, first.data + SEALED_TEXT, 16);
	buf_release(&first);
}

static void
test_any_flipped_bit_and_any_cut_is_found_out(void **state)
{
	struct bench *w = *state;

	seal(w, MARKER, strlen(MARKER));
	for (size_t bit = 0; bit < 8 * w->sealed.len; bit++) {
		w->sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		/* In the number of the data key: none of this number, or 0. */
		assert_refused(w, &name, w->sealed.len,
		    bit >= 32 || bit == 24 ? ERROR_DAMAGED : ERROR_KEY);
		w->sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t n = 0; n < w->sealed.len; n++)
		assert_refused(w, &name, n, ERROR_DAMAGED);
	assert_opens_to(w, MARKER, strlen(MARKER));
}

static void
test_moved_to_another_place_it_does_not_open(void **state)
{
	struct bench *w = *state;
	struct sealed_name as[8];

	seal(w, MARKER, strlen(MARKER));
	for (size_t i = 0; i < 8; i++)
		as[i] = name;
	as[0].path = "conn-b";
	as[1].key = "passwore";
	as[2].version = 4;
	as[3].created_ms++;
	as[4].expires_ms = 1;
	as[5].path_len--;
	as[6].key_len--;
	/* The same letters, cut elsewhere. */
	as[7].path = "conn-ap";
	as[7].path_len = 7;
	as[7].key = "assword";
	as[7].key_len = 7;
	for (size_t i = 0; i < 8; i++)
		assert_refused(w, &as[i], w->sealed.len, ERROR_DAMAGED);
	assert_opens_to(w, MARKER, strlen(MARKER));
}

static void
test_the_error_names_what_does_not_open(void **state)
{
	struct sealed_name odd = { "co\nn", 4, "k", 1, 12, 0, 0 };
	struct bench *w = *state;
	struct error first = { 0 }, second = { 0 };

	seal(w, MARKER, strlen(MARKER));
	assert_int_equal(sealer_open(w->s, &odd, w->sealed.data, w->sealed.len, &w->out,
	    &first), -1);
	assert_non_null(strstr(first.text, "co\\nn / k version 12 (data key 1)"));
	/* The tag does not fit, and too short: the same text. */
	assert_int_equal(sealer_open(w->s, &odd, w->sealed.data, 20, &w->out, &second), -1);
	assert_string_equal(first.text, second.text);
	assert_int_equal(sealer_open(w->s, &odd, w->sealed.data, 20, &w->out, NULL), -1);
}

static void
test_values_of_former_data_keys_open_until_they_are_dropped(void **state)
{
	struct bench *w = *state;
	struct buf first;

	seal(w, MARKER, strlen(MARKER));
	buf_init(&first, ROOM);
	buf_append(&first, w->sealed.data, w->sealed.len);
	assert_int_equal(keyring_add(w->ring, NULL), 0);
	assert_opens_to(w, MARKER, strlen(MARKER));
	seal(w, "new", 3);
	assert_int_equal(sealed_kid(w->sealed.data, w->sealed.len), 2);
	assert_opens_to(w, "new", 3);
	/* Not under the new key by its number alone. */
	buf_clear(&w->sealed);
	buf_append(&w->sealed, first.data, first.len);
	w->sealed.data[3] = 2;
	assert_refused(w, &name, w->sealed.len, ERROR_DAMAGED);
	w->sealed.data[3] = 1;
	assert_opens_to(w, MARKER, strlen(MARKER));
	assert_int_equal(keyring_drop(w->ring, 1, NULL), 0);
	assert_refused(w, &name, w->sealed.len, ERROR_KEY);
	buf_release(&first);
}

static void
test_values_open_after_the_ring_was_stored_and_moved(void **state)
{
	struct bench *w = *state;
	const struct master *old[1];
	struct master *a, *b;
	struct keyring *again;
	struct buf text, key;
	bool used_old;

	seal(w, MARKER, strlen(MARKER));
	buf_init_secret(&key, 100);
	buf_append_str(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	old[0] = a = master_from_text(&key, false, NULL);
	buf_clear(&key);
	buf_append_str(&key, "a sentence that nobody guesses");
	b = master_from_text(&key, false, NULL);
	buf_init(&text, ROOM);
	assert_int_equal(keyring_encode(w->ring, &text, NULL), 0);
	again = keyring_open((const char *)text.data, text.len, b, old, 1, &used_old, NULL);
	assert_non_null(again);
	assert_true(used_old);
	sealer_free(w->s);
	w->s = sealer_new(again, NULL);
	assert_non_null(w->s);
	assert_opens_to(w, MARKER, strlen(MARKER));
	/* Other sealers' values under another ring do not. */
	sealer_free(w->s);
	keyring_free(again);
	again = new_ring();
	w->s = sealer_new(again, NULL);
	assert_refused(w, &name, w->sealed.len, ERROR_DAMAGED);
	sealer_free(w->s);
	w->s = NULL;
	keyring_free(again);
	master_free(a);
	master_free(b);
	buf_release(&text);
	buf_release(&key);
}

static void
test_limits(void **state)
{
	struct sealed_name as = name;
	struct bench *w = *state;
	struct buf small;
	struct error err;
	char path[300];

	memset(path, 'x', sizeof(path));
	as.path = path;
	as.path_len = sizeof(path);
	assert_int_equal(sealer_seal(w->s, &as, "x", 1, &w->sealed, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(w->sealed.len, 0);
	assert_int_equal(sealer_seal(w->s, &name, "x", (size_t)1 << 40, &w->sealed, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	seal(w, MARKER, strlen(MARKER));
	assert_refused(w, &as, w->sealed.len, ERROR_DAMAGED);
	/* Room for the value is enough; no room leaves what was there. */
	buf_init_secret(&small, strlen(MARKER));
	assert_int_equal(sealer_open(w->s, &name, w->sealed.data, w->sealed.len, &small, &err), 0);
	assert_int_equal(sealer_open(w->s, &name, w->sealed.data, w->sealed.len, &small, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(small.len, strlen(MARKER));
	buf_release(&small);
	buf_init(&small, SEALED_MIN - 1);
	assert_int_equal(sealer_seal(w->s, &name, "x", 1, &small, &err), -1);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(small.len, 0);
	buf_release(&small);
	buf_init(&small, ROOM);
	assert_int_equal(sealer_open(w->s, &name, w->sealed.data, w->sealed.len, &small, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	buf_release(&small);
}

static void
in_a_child(void *arg)
{
	struct bench *w = arg;
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, ROOM);
	if (sealer_seal(w->s, &name, "x", 1, &out, &err) != -1 || err.code != ERROR_KEY)
		_exit(1);
	if (sealer_open(w->s, &name, w->sealed.data, w->sealed.len, &w->out, &err) != -1)
		_exit(2);
}

static void
test_a_child_seals_and_opens_nothing(void **state)
{
	struct bench *w = *state;

	seal(w, MARKER, strlen(MARKER));
	assert_int_equal(unit_in_child(in_a_child, w), 0);
	assert_opens_to(w, MARKER, strlen(MARKER));
}

/* --- several threads on one ring --- */

struct shared {
	struct keyring *ring;
	atomic_bool stop;
	atomic_uint wrong;
};

static void *
seal_and_open(void *arg)
{
	struct shared *sh = arg;
	struct sealer *s = sealer_new(sh->ring, NULL);
	struct buf sealed, out;

	buf_init(&sealed, ROOM);
	buf_init_secret(&out, ROOM);
	while (!atomic_load(&sh->stop)) {
		buf_clear(&sealed);
		buf_clear(&out);
		if (sealer_seal(s, &name, MARKER, strlen(MARKER), &sealed, NULL) == -1 ||
		    sealer_open(s, &name, sealed.data, sealed.len, &out, NULL) == -1 ||
		    out.len != strlen(MARKER) || memcmp(out.data, MARKER, out.len) != 0)
			atomic_fetch_add(&sh->wrong, 1);
	}
	buf_release(&sealed);
	buf_release(&out);
	sealer_free(s);
	return NULL;
}

/* Keys come while others seal and open.  None goes, as a value that was just
 * sealed might be under it. */
static void
test_threads_share_a_ring_that_changes(void **state)
{
	struct bench *w = *state;
	struct shared sh = { .ring = w->ring };
	pthread_t threads[3];
	struct buf text;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, &sh), 0);
	buf_init(&text, ROOM);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(keyring_add(w->ring, NULL), 0);
		buf_clear(&text);
		assert_int_equal(keyring_encode(w->ring, &text, NULL), 0);
		assert_int_equal(keyring_active(w->ring), i + 2);
		usleep(200);
	}
	atomic_store(&sh.stop, true);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&sh.wrong), 0);
	buf_release(&text);
}

#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RING(test_values_of_many_lengths_go_round),
		WITH_RING(test_the_layout),
		WITH_RING(test_padding_hides_lengths),
		WITH_RING(test_the_same_value_twice_differs_everywhere),
		WITH_RING(test_any_flipped_bit_and_any_cut_is_found_out),
		WITH_RING(test_moved_to_another_place_it_does_not_open),
		WITH_RING(test_the_error_names_what_does_not_open),
		WITH_RING(test_values_of_former_data_keys_open_until_they_are_dropped),
		WITH_RING(test_values_open_after_the_ring_was_stored_and_moved),
		WITH_RING(test_limits),
		WITH_RING(test_a_child_seals_and_opens_nothing),
		WITH_RING(test_threads_share_a_ring_that_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
