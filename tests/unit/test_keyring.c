#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "registry/keys/keyring.h"
#include "unit.h"

#define RAW_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define RAW_B "/+3cy7qpmIeGdXRjYlFAPz4tHAv67cy6qZiHdmVUQzI="
#define PHRASE_A "a sentence that nobody guesses"
#define PHRASE_B "another sentence of that kind"
#define ROOM (1 << 20)

static struct master *
master(const char *text)
{
	struct master *m;
	struct buf b;

	buf_init_secret(&b, 1000);
	buf_append_str(&b, text);
	/* Some are weaker than a registry takes: it is not about that here. */
	m = master_from_text(&b, true, NULL);
	assert_non_null(m);
	buf_release(&b);
	return m;
}

static struct keyring *
ring_under(const char *text)
{
	struct master *m = master(text);
	struct keyring *k = keyring_new(m, NULL);

	assert_non_null(k);
	master_free(m);
	return k;
}

/* The ring of ${text}; NULL and the reason when it does not open. */
static struct keyring *
open_text(const struct buf *text, const char *current, const char *first, const char *second,
    bool *used_old, struct error *err)
{
	struct master *m = master(current);
	struct master *old[2] = { NULL, NULL };
	struct keyring *k;
	size_t n = 0;

	if (first != NULL)
		old[n++] = master(first);
	if (second != NULL)
		old[n++] = master(second);
	memset(err, 0, sizeof(*err));
	k = keyring_open((const char *)text->data, text->len, m,
	    (const struct master *const *)old, n, used_old, err);
	master_free(old[0]);
	master_free(old[1]);
	master_free(m);
	return k;
}

static void
encode(const struct keyring *k, struct buf *out)
{
	buf_init(out, ROOM);
	assert_int_equal(keyring_encode(k, out, NULL), 0);
}

static bool
holds(const struct buf *text, const void *bytes, size_t n)
{
	return memmem(text->data, text->len, bytes, n) != NULL;
}

static void
test_a_new_ring(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	struct keyring *other = ring_under(RAW_A);
	struct master *a = master(RAW_A);
	struct master *b = master(RAW_B);
	uint32_t kids[4] = { 0 };

	(void)state;
	assert_int_equal(keyring_active(k), 1);
	assert_int_equal(keyring_kids(k, kids, 4), 1);
	assert_int_equal(kids[0], 1);
	assert_int_equal(kids[1], 0);
	assert_true(keyring_fits(k, a));
	assert_false(keyring_fits(k, b));
	assert_int_equal(key_length(keyring_audit_key(k)), 32);
	assert_false(key_equal(keyring_audit_key(k), keyring_audit_key(other)));
	master_free(a);
	master_free(b);
	keyring_free(k);
	keyring_free(other);
	keyring_free(NULL);
}

static void
assert_opens_with(const char *text)
{
	struct keyring *k = ring_under(text);
	struct keyring *again;
	struct buf first, second;
	bool used_old = true;
	struct error err;

	encode(k, &first);
	assert_false(holds(&first, text, strlen(text)));
	again = open_text(&first, text, NULL, NULL, &used_old, &err);
	assert_non_null(again);
	assert_false(used_old);
	assert_true(key_equal(keyring_audit_key(k), keyring_audit_key(again)));
	encode(again, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	buf_release(&first);
	buf_release(&second);
	keyring_free(k);
	keyring_free(again);
}

static void
test_encoded_and_opened_it_is_the_same(void **state)
{
	(void)state;
	assert_opens_with(RAW_A);
	assert_opens_with(PHRASE_A);
}

static void
test_the_text_says_how_and_shows_no_key(void **state)
{
	static const char none[] = "{\"m\":1,\"kdf\":{\"name\":\"none\"},\"salt\":\"";
	static const char scrypt[] =
	    "{\"m\":1,\"kdf\":{\"name\":\"scrypt\",\"n\":32768,\"r\":8,\"p\":1},\"salt\":\"";
	struct keyring *raw = ring_under(RAW_A);
	struct keyring *phrase = ring_under(PHRASE_A);
	struct buf text, key;

	(void)state;
	encode(raw, &text);
	assert_true(holds(&text, none, strlen(none)));
	buf_init_secret(&key, 100);
	key_append_base64(keyring_audit_key(raw), &key);
	assert_false(holds(&text, key.data, key.len));
	assert_false(holds(&text, key_bytes(keyring_audit_key(raw)), 32));
	buf_release(&key);
	buf_release(&text);
	encode(phrase, &text);
	assert_true(holds(&text, scrypt, strlen(scrypt)));
	buf_release(&text);
	keyring_free(raw);
	keyring_free(phrase);
}

static void
test_a_wrong_master_secret_is_found_out(void **state)
{
	static const char *const wrong[] = { RAW_B, PHRASE_A, PHRASE_B };
	struct keyring *k = ring_under(RAW_A);
	struct buf text, after;
	bool used_old;
	struct error err;

	(void)state;
	encode(k, &text);
	for (size_t i = 0; i < 3; i++) {
		assert_null(open_text(&text, wrong[i], NULL, NULL, &used_old, &err));
		assert_int_equal(err.code, ERROR_KEY);
		assert_string_not_equal(err.hint, "");
		assert_null(open_text(&text, wrong[i], RAW_B, PHRASE_B, &used_old, &err));
		assert_int_equal(err.code, ERROR_KEY);
	}
	buf_release(&text);
	keyring_free(k);
	k = ring_under(PHRASE_A);
	encode(k, &text);
	assert_null(open_text(&text, PHRASE_B, RAW_A, NULL, &used_old, &err));
	assert_int_equal(err.code, ERROR_KEY);
	encode(k, &after);
	assert_memory_equal(text.data, after.data, text.len);
	buf_release(&text);
	buf_release(&after);
	keyring_free(k);
}

/* Under ${from}; opened with ${to} and that as an old one, stored, opened
 * with ${to} alone; the former one does not fit any more. */
static void
assert_moves(const char *from, const char *to)
{
	struct keyring *k = ring_under(from);
	struct buf first, second;
	struct keyring *moved, *again;
	bool used_old = false;
	struct error err;
	struct key *audit = key_from_bytes(key_bytes(keyring_audit_key(k)), 32, NULL);

	assert_int_equal(keyring_add(k, NULL), 0);
	encode(k, &first);
	moved = open_text(&first, to, RAW_B, from, &used_old, &err);
	assert_non_null(moved);
	assert_true(used_old);
	assert_int_equal(keyring_active(moved), 2);
	encode(moved, &second);
	assert_null(open_text(&second, from, NULL, NULL, &used_old, &err));
	assert_int_equal(err.code, ERROR_KEY);
	again = open_text(&second, to, NULL, NULL, &used_old, &err);
	assert_non_null(again);
	assert_false(used_old);
	assert_true(key_equal(keyring_audit_key(again), audit));
	keyring_free(again);
	/* Both given again: the current one fits first. */
	again = open_text(&second, to, from, NULL, &used_old, &err);
	assert_non_null(again);
	assert_false(used_old);
	keyring_free(again);
	key_free(audit);
	buf_release(&first);
	buf_release(&second);
	keyring_free(moved);
	keyring_free(k);
}

static void
test_an_old_master_secret_hands_over(void **state)
{
	(void)state;
	assert_moves(RAW_A, PHRASE_A);
	assert_moves(PHRASE_A, RAW_A);
	assert_moves(PHRASE_A, PHRASE_B);
	assert_moves(RAW_A, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
}

static void
test_rewrap(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	struct key *audit = key_from_bytes(key_bytes(keyring_audit_key(k)), 32, NULL);
	struct master *a = master(RAW_A);
	struct master *b = master(PHRASE_A);
	struct buf before, after;
	struct keyring *again;
	bool used_old;
	struct error err;

	(void)state;
	encode(k, &before);
	assert_int_equal(keyring_rewrap(k, b, NULL), 0);
	assert_true(keyring_fits(k, b));
	assert_false(keyring_fits(k, a));
	encode(k, &after);
	assert_null(open_text(&after, RAW_A, NULL, NULL, &used_old, &err));
	again = open_text(&after, PHRASE_A, NULL, NULL, &used_old, &err);
	assert_non_null(again);
	assert_true(key_equal(keyring_audit_key(again), audit));
	assert_true(key_equal(keyring_audit_key(k), audit));
	keyring_free(again);
	/* Under the same one again: another salt, so another text. */
	assert_int_equal(keyring_rewrap(k, a, NULL), 0);
	buf_release(&after);
	encode(k, &after);
	assert_int_equal(after.len, before.len);
	assert_memory_not_equal(after.data + 37, before.data + 37, 44);
	key_free(audit);
	buf_release(&before);
	buf_release(&after);
	master_free(a);
	master_free(b);
	keyring_free(k);
}

static void
test_add_and_drop(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	uint32_t kids[3] = { 0 };
	struct keyring *again;
	struct buf text;
	bool used_old;
	struct error err;

	(void)state;
	assert_int_equal(keyring_add(k, NULL), 0);
	assert_int_equal(keyring_add(k, NULL), 0);
	assert_int_equal(keyring_active(k), 3);
	assert_int_equal(keyring_drop(k, 3, &err), -1);
	assert_int_equal(err.code, ERROR_REFUSED);
	assert_int_equal(keyring_drop(k, 7, &err), -1);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_int_equal(keyring_drop(k, 2, NULL), 0);
	assert_int_equal(keyring_drop(k, 2, &err), -1);
	assert_int_equal(keyring_kids(k, kids, 3), 2);
	assert_int_equal(kids[0], 1);
	assert_int_equal(kids[1], 3);
	assert_int_equal(kids[2], 0);
	assert_int_equal(keyring_drop(k, 1, NULL), 0);
	encode(k, &text);
	again = open_text(&text, RAW_A, NULL, NULL, &used_old, &err);
	assert_non_null(again);
	/* A number that was used never comes again. */
	assert_int_equal(keyring_add(again, NULL), 0);
	assert_int_equal(keyring_kids(again, kids, 1), 2);
	assert_int_equal(kids[0], 3);
	assert_int_equal(keyring_active(again), 4);
	buf_release(&text);
	keyring_free(again);
	keyring_free(k);
}

static void
test_a_full_ring(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	struct keyring *again;
	struct buf text, after;
	struct error err;
	bool used_old;
	uint32_t n = 1;

	(void)state;
	while (keyring_add(k, &err) == 0)
		n++;
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(n, 64);
	assert_int_equal(keyring_active(k), 64);
	encode(k, &text);
	again = open_text(&text, RAW_A, NULL, NULL, &used_old, &err);
	assert_non_null(again);
	encode(again, &after);
	assert_memory_equal(text.data, after.data, text.len);
	buf_release(&text);
	buf_release(&after);
	keyring_free(again);
	keyring_free(k);
}

static void
test_any_changed_byte_of_the_text_is_found_out(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	bool used_old;
	struct error err;
	struct buf text;

	(void)state;
	assert_int_equal(keyring_add(k, NULL), 0);
	encode(k, &text);
	for (size_t i = 0; i < text.len; i++)
		for (unsigned int flip = 1; flip < 0x100; flip <<= i % 7 == 0 ? 1 : 3) {
			text.data[i] ^= (unsigned char)flip;
			if (open_text(&text, RAW_A, NULL, NULL, &used_old, &err) != NULL)
				fail_msg("byte %zu: %.*s", i, (int)text.len, (char *)text.data);
			assert_true(err.code == ERROR_DAMAGED || err.code == ERROR_KEY);
			text.data[i] ^= (unsigned char)flip;
		}
	for (size_t n = 0; n < text.len; n++) {
		struct buf cut = text;

		cut.len = n;
		assert_null(open_text(&cut, RAW_A, NULL, NULL, &used_old, &err));
		assert_int_equal(err.code, ERROR_DAMAGED);
	}
	buf_release(&text);
	keyring_free(k);
}

static void
assert_damaged(const struct buf *text, const char *from, const char *to, const char *m)
{
	const unsigned char *at = memmem(text->data, text->len, from, strlen(from));
	struct buf changed;
	bool used_old;
	struct error err;

	assert_non_null(at);
	buf_init(&changed, ROOM);
	buf_append(&changed, text->data, (size_t)(at - text->data));
	buf_append_str(&changed, to);
	at += strlen(from);
	buf_append(&changed, at, (size_t)(text->data + text->len - at));
	assert_null(open_text(&changed, m, NULL, NULL, &used_old, &err));
	assert_int_equal(err.code, ERROR_DAMAGED);
	buf_release(&changed);
}

static void
test_edits_that_are_well_formed_are_found_out(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	struct buf text, before;

	(void)state;
	encode(k, &before);
	assert_int_equal(keyring_add(k, NULL), 0);
	encode(k, &text);
	/* Back to the key before, other numbers, unknown formats, costs. */
	assert_damaged(&text, "\"active\":2", "\"active\":1", RAW_A);
	assert_damaged(&text, "\"active\":2", "\"active\":3", RAW_A);
	assert_damaged(&text, "\"active\":2", "\"active\":\"2\"", RAW_A);
	assert_damaged(&text, "\"kid\":2", "\"kid\":3", RAW_A);
	assert_damaged(&text, "\"kid\":1", "\"kid\":2", RAW_A);
	assert_damaged(&text, "\"kid\":1", "\"kid\":0", RAW_A);
	assert_damaged(&text, "\"kid\":1", "\"kid\":-1", RAW_A);
	assert_damaged(&text, "\"kid\":2", "\"kid\":4294967298", RAW_A);
	assert_damaged(&text, "\"m\":1", "\"m\":2", RAW_A);
	assert_damaged(&text, "\"m\":1", "\"m\":1,\"m\":1", RAW_A);
	assert_damaged(&text, "\"none\"", "\"unknown\"", RAW_A);
	assert_damaged(&text, "\"none\"", "\"scrypt\"", RAW_A);
	/* A ring of one key, with the second one's number as the active one. */
	assert_damaged(&before, "\"active\":1", "\"active\":2", RAW_A);
	buf_release(&text);
	buf_release(&before);
	keyring_free(k);
	k = ring_under(PHRASE_A);
	encode(k, &text);
	assert_damaged(&text, "\"n\":32768", "\"n\":2147483647", PHRASE_A);
	assert_damaged(&text, "\"n\":32768", "\"n\":32767", PHRASE_A);
	assert_damaged(&text, "\"n\":32768", "\"n\":1073741824", PHRASE_A);
	assert_damaged(&text, "\"r\":8", "\"r\":1000000", PHRASE_A);
	assert_damaged(&text, "\"p\":1", "\"p\":0", PHRASE_A);
	buf_release(&text);
	keyring_free(k);
}

/* A data key may not be taken out either, for a ring that looks whole. */
static void
test_a_removed_data_key_is_found_out(void **state)
{
	struct keyring *k = ring_under(RAW_A);
	char first[400];
	const char *from;
	struct buf text;

	(void)state;
	assert_int_equal(keyring_add(k, NULL), 0);
	encode(k, &text);
	from = strstr(buf_cstr(&text), "{\"kid\":1");
	assert_non_null(from);
	snprintf(first, sizeof(first), "%.*s", (int)(strstr(from, "{\"kid\":2") - from), from);
	assert_damaged(&text, first, "", RAW_A);
	buf_release(&text);
	keyring_free(k);
}

/* A forked child finds no keys, and makes no ring out of that. */
static void
in_a_child(void *arg)
{
	struct keyring *k = arg;
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, ROOM);
	if (keyring_encode(k, &out, &err) != -1 || err.code != ERROR_KEY || out.len != 0)
		_exit(1);
	if (keyring_add(k, &err) != -1 || err.code != ERROR_KEY)
		_exit(2);
	if (key_length(keyring_audit_key(k)) != 0)
		_exit(3);
}

static void
test_a_child_has_no_keys(void **state)
{
	struct keyring *k = ring_under(RAW_A);

	(void)state;
	assert_int_equal(unit_in_child(in_a_child, k), 0);
	keyring_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_ring),
		cmocka_unit_test(test_encoded_and_opened_it_is_the_same),
		cmocka_unit_test(test_the_text_says_how_and_shows_no_key),
		cmocka_unit_test(test_a_wrong_master_secret_is_found_out),
		cmocka_unit_test(test_an_old_master_secret_hands_over),
		cmocka_unit_test(test_rewrap),
		cmocka_unit_test(test_add_and_drop),
		cmocka_unit_test(test_a_full_ring),
		cmocka_unit_test(test_any_changed_byte_of_the_text_is_found_out),
		cmocka_unit_test(test_edits_that_are_well_formed_are_found_out),
		cmocka_unit_test(test_a_removed_data_key_is_found_out),
		cmocka_unit_test(test_a_child_has_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
