/* core/merge/rekey: three versions of a secrets file, of which one or two have new keys. */

#include "base/buf.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/key.h"
#include "document/document.h"
#include "merge/merge.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"
#include "unit.h"

static struct key *master, *other_master, *old_key, *new_key;

static struct key *
fixed_key(int fill)
{
	unsigned char bytes[32];
	struct key *k;

	memset(bytes, fill, sizeof(bytes));
	k = key_from_bytes(bytes, sizeof(bytes), NULL);
	assert_non_null(k);
	return k;
}

static int
setup(void **state)
{
	(void)state;
	master = fixed_key(1);
	other_master = fixed_key(2);
	old_key = fixed_key(3);
	new_key = fixed_key(4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	key_free(master);
	key_free(other_master);
	key_free(old_key);
	key_free(new_key);
	return 0;
}

/* A version: text that grows. */
static void
put_wrapped(struct buf *out, const struct key *under, const struct key *data, const char *salt)
{
	buf_printf(out, "_metadata.master_key.0.salt = %s\n_metadata.symmetric_key.0.enc = ", salt);
	assert_int_equal(wrap_seal(under, data, out, NULL), 0);
	buf_append_char(out, '\n');
}

static void
put_entry(struct buf *out, const struct key *data, const char *name, const char *value, bool tag)
{
	struct cipher *c = cipher_new(data, NULL);
	struct tagger *t = tagger_new(data, NULL);
	char text[TAG_TEXT + 1];
	struct buf sealed;

	buf_init(&sealed, 4096);
	assert_int_equal(sealed_seal(c, SEALED_GCM, value, strlen(value), &sealed, NULL), 0);
	buf_printf(out, "%s = %s\n", name, buf_cstr(&sealed));
	if (tag) {
		assert_int_equal(tagger_text(t, name, strlen(name), sealed.data, sealed.len, text,
		    NULL), 0);
		buf_printf(out, TAG_PREFIX "%s = %s\n", name, text);
	}
	buf_release(&sealed);
	tagger_free(t);
	cipher_free(c);
}

/* The lines of another version's entry, as they are. */
static void
copy_entry(struct buf *out, struct buf *from, const char *name)
{
	const char *line = buf_cstr(from), *end;
	size_t n = strlen(name);

	for (; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			buf_append(out, line, (size_t)(end - line) + 1);
	}
}

struct three {
	struct buf text[MERGE_SIDES];
	struct secrets_file *s[MERGE_SIDES];
	struct rekey r;
	struct buf out;
	struct merge_result result;
};

static void
three_init(struct three *t)
{
	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < MERGE_SIDES; i++)
		buf_init(&t->text[i], 65536);
	buf_init_secret(&t->out, BUF_MAX_FILE);
}

static void
three_merge(struct three *t, const struct key *const masters[], size_t n)
{
	struct error err = { 0 };
	struct buf copy;

	for (size_t i = 0; i < MERGE_SIDES; i++) {
		buf_init_secret(&copy, BUF_MAX_FILE);
		buf_append(&copy, t->text[i].data, t->text[i].len);
		t->s[i] = secrets_file_parse("s.properties", &copy, &err);
		assert_non_null(t->s[i]);
	}
	if (rekey_prepare(t->s, masters, n, &t->r, &err) != 0 ||
	    merge_documents(&t->r.in, &t->out, &t->result, &err) != 0)
		fail_msg("no merge: %s", err.text);
}

static void
three_release(struct three *t)
{
	rekey_release(&t->r);
	for (size_t i = 0; i < MERGE_SIDES; i++) {
		secrets_file_free(t->s[i]);
		buf_release(&t->text[i]);
	}
	merge_result_release(&t->result);
	buf_release(&t->out);
}

/* Every sealed entry of the result opens; the values, `name=value` in file order. */
static void
assert_opens(struct three *t, const struct key *under, const char *expected)
{
	struct secrets_file *s;
	enum tag_state state;
	struct buf copy, seen;
	const char *key;
	size_t len;

	buf_init_secret(&copy, BUF_MAX_FILE);
	buf_append(&copy, t->out.data, t->out.len);
	assert_non_null(s = secrets_file_parse("merged", &copy, NULL));
	assert_int_equal(secrets_file_unlock(s, under, NULL), 0);
	buf_init_secret(&seen, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(secrets_file_document(s)); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		key = document_key(secrets_file_document(s), i, &len);
		buf_append(&seen, key, len);
		buf_append_char(&seen, '=');
		assert_int_equal(secrets_file_open_tagged(s, i, &seen, &state, NULL), 0);
		assert_int_equal(state, TAG_GOOD);
		buf_append_char(&seen, ' ');
	}
	assert_string_equal(buf_cstr(&seen), expected);
	buf_release(&seen);
	secrets_file_free(s);
}

/* Base a, b, c, d under the old key; theirs has a new one, and changed b and d. */
static void
one_side_rotated(struct three *t, bool swap)
{
	struct buf *base = &t->text[MERGE_BASE];
	struct buf *stayed = &t->text[swap ? MERGE_THEIRS : MERGE_OURS];
	struct buf *rotated = &t->text[swap ? MERGE_OURS : MERGE_THEIRS];

	three_init(t);
	put_wrapped(base, master, old_key, "s");
	put_entry(base, old_key, "a", "1", true);
	put_entry(base, old_key, "b", "1", true);
	put_entry(base, old_key, "c", "1", true);
	put_entry(base, old_key, "d", "1", true);
	buf_append(stayed, base->data, base->len);
	/* Removed c, changed a, added m. */
	buf_clear(stayed);
	copy_entry(stayed, base, "_metadata.master_key.0.salt");
	copy_entry(stayed, base, "_metadata.symmetric_key.0.enc");
	put_entry(stayed, old_key, "a", "2", true);
	copy_entry(stayed, base, "b");
	copy_entry(stayed, base, TAG_PREFIX "b");
	copy_entry(stayed, base, "d");
	copy_entry(stayed, base, TAG_PREFIX "d");
	put_entry(stayed, old_key, "m", "5", false);
	put_wrapped(rotated, master, new_key, "s");
	put_entry(rotated, new_key, "a", "1", true);
	put_entry(rotated, new_key, "b", "7", true);
	put_entry(rotated, new_key, "c", "1", true);
	put_entry(rotated, new_key, "n", "6", true);
}

static void
test_a_side_with_a_new_data_key_is_merged_by_value(void **state)
{
	const struct key *masters[] = { other_master, master };

	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		struct three t;

		one_side_rotated(&t, swap == 1);
		three_merge(&t, masters, 2);
		assert_int_equal(t.result.conflicts, 0);
		assert_false(t.r.incomplete);
		assert_true(rekey_needs_master(t.s));
		/* d went with theirs, c with ours. */
		assert_opens(&t, master, swap == 1 ? "a=2 b=7 m=5 n=6 " : "a=2 b=7 n=6 m=5 ");
		three_release(&t);
	}
}

static void
test_values_that_stay_keep_the_ciphertext_of_the_new_key(void **state)
{
	const struct key *masters[] = { master };
	struct buf line;
	struct three t;

	(void)state;
	one_side_rotated(&t, false);
	three_merge(&t, masters, 1);
	buf_init(&line, 4096);
	copy_entry(&line, &t.text[MERGE_THEIRS], "b");
	copy_entry(&line, &t.text[MERGE_THEIRS], TAG_PREFIX "b");
	assert_non_null(strstr(buf_cstr(&t.out), buf_cstr(&line)));
	/* a, b and d of ours; only a and m are not what theirs or base have. */
	assert_int_equal(t.r.resealed, 2);
	buf_release(&line);
	three_release(&t);
}

static void
test_both_changed_one_value_is_a_conflict_after_a_rotation_too(void **state)
{
	const struct key *masters[] = { master };
	struct three t;

	(void)state;
	three_init(&t);
	put_wrapped(&t.text[MERGE_BASE], master, old_key, "s");
	put_entry(&t.text[MERGE_BASE], old_key, "a", "1", true);
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], "_metadata.master_key.0.salt");
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], "_metadata.symmetric_key.0.enc");
	put_entry(&t.text[MERGE_OURS], old_key, "a", "2", true);
	put_entry(&t.text[MERGE_OURS], old_key, "b", "same", true);
	put_wrapped(&t.text[MERGE_THEIRS], master, new_key, "s");
	put_entry(&t.text[MERGE_THEIRS], new_key, "a", "3", true);
	put_entry(&t.text[MERGE_THEIRS], new_key, "b", "same", true);
	three_merge(&t, masters, 1);
	assert_int_equal(t.result.conflicts, 1);
	assert_string_equal(buf_cstr(&t.result.names), "a\n");
	assert_false(t.r.incomplete);
	three_release(&t);
}

static void
test_both_rotated_under_one_master_key(void **state)
{
	const struct key *masters[] = { master };
	struct three t;

	(void)state;
	three_init(&t);
	put_wrapped(&t.text[MERGE_BASE], master, old_key, "s");
	put_entry(&t.text[MERGE_BASE], old_key, "a", "1", true);
	put_entry(&t.text[MERGE_BASE], old_key, "b", "1", true);
	put_wrapped(&t.text[MERGE_OURS], master, new_key, "s");
	put_entry(&t.text[MERGE_OURS], new_key, "a", "1", true);
	put_entry(&t.text[MERGE_OURS], new_key, "b", "2", true);
	/* Any third key will do. */
	put_wrapped(&t.text[MERGE_THEIRS], master, other_master, "s");
	put_entry(&t.text[MERGE_THEIRS], other_master, "a", "3", true);
	put_entry(&t.text[MERGE_THEIRS], other_master, "b", "1", true);
	three_merge(&t, masters, 1);
	assert_int_equal(t.result.conflicts, 0);
	assert_opens(&t, master, "a=3 b=2 ");
	three_release(&t);
}

static void
test_a_new_master_key_alone_needs_no_key(void **state)
{
	struct three t;

	(void)state;
	three_init(&t);
	put_wrapped(&t.text[MERGE_BASE], master, old_key, "s");
	put_entry(&t.text[MERGE_BASE], old_key, "a", "1", true);
	put_entry(&t.text[MERGE_BASE], old_key, "b", "1", true);
	put_wrapped(&t.text[MERGE_OURS], other_master, old_key, "s2");
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], "a");
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], TAG_PREFIX "a");
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], "b");
	copy_entry(&t.text[MERGE_OURS], &t.text[MERGE_BASE], TAG_PREFIX "b");
	buf_append(&t.text[MERGE_THEIRS], t.text[MERGE_BASE].data, t.text[MERGE_BASE].len);
	put_entry(&t.text[MERGE_THEIRS], old_key, "n", "5", true);
	three_merge(&t, NULL, 0);
	assert_false(rekey_needs_master(t.s));
	assert_int_equal(t.result.conflicts, 0);
	assert_false(t.r.incomplete);
	assert_opens(&t, other_master, "a=1 b=1 n=5 ");
	three_release(&t);
}

static void
test_without_the_key_nothing_is_taken_from_the_wrong_side(void **state)
{
	const struct key *wrong[] = { other_master };
	struct three t;

	(void)state;
	one_side_rotated(&t, false);
	three_merge(&t, wrong, 1);
	assert_true(t.r.incomplete);
	assert_int_equal(t.r.why.code, ERROR_KEY);
	/* All that ours touched, and what it could not know to be untouched. */
	assert_string_equal(buf_cstr(&t.result.names), "a\nc\nm\n");
	assert_int_equal(t.result.conflicts, 3);
	three_release(&t);
}

static void
test_two_new_master_keys_are_a_conflict_of_the_metadata(void **state)
{
	const struct key *masters[] = { master, other_master };
	struct three t;

	(void)state;
	three_init(&t);
	put_wrapped(&t.text[MERGE_BASE], old_key, old_key, "s");
	put_entry(&t.text[MERGE_BASE], old_key, "a", "1", true);
	for (int side = MERGE_OURS; side < MERGE_SIDES; side++) {
		put_wrapped(&t.text[side], side == MERGE_OURS ? master : other_master, old_key,
		    side == MERGE_OURS ? "s1" : "s2");
		copy_entry(&t.text[side], &t.text[MERGE_BASE], "a");
		copy_entry(&t.text[side], &t.text[MERGE_BASE], TAG_PREFIX "a");
	}
	put_entry(&t.text[MERGE_THEIRS], old_key, "n", "1", true);
	three_merge(&t, masters, 2);
	assert_true(t.r.incomplete);
	assert_string_equal(buf_cstr(&t.result.names),
	    SECRETS_MASTER_SALT "\n" SECRETS_DATA_KEY "\n");
	three_release(&t);
}

static void
test_an_entry_that_does_not_open_locks_its_side(void **state)
{
	const struct key *masters[] = { master };
	struct three t;
	char *data;

	(void)state;
	one_side_rotated(&t, false);
	data = strstr((char *)(uintptr_t)buf_cstr(&t.text[MERGE_OURS]), "m = ENC");
	assert_non_null(data);
	data = strstr(data, "data:") + 5;
	memcpy(data, memcmp(data, "AAAA", 4) == 0 ? "BBBB" : "AAAA", 4);
	three_merge(&t, masters, 1);
	assert_true(t.r.incomplete);
	assert_int_equal(t.r.why.code, ERROR_DAMAGED);
	assert_string_equal(t.r.why.key, "m");
	assert_non_null(strstr(buf_cstr(&t.result.names), "m\n"));
	three_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_side_with_a_new_data_key_is_merged_by_value),
		cmocka_unit_test(test_values_that_stay_keep_the_ciphertext_of_the_new_key),
		cmocka_unit_test(test_both_changed_one_value_is_a_conflict_after_a_rotation_too),
		cmocka_unit_test(test_both_rotated_under_one_master_key),
		cmocka_unit_test(test_a_new_master_key_alone_needs_no_key),
		cmocka_unit_test(test_without_the_key_nothing_is_taken_from_the_wrong_side),
		cmocka_unit_test(test_two_new_master_keys_are_a_conflict_of_the_metadata),
		cmocka_unit_test(test_an_entry_that_does_not_open_locks_its_side)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
