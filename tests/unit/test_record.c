/* The records of the Kafka log: their keys' bytes, and what a value is bound to. */
#include "unit.h"

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "registry/store/record.h"

static struct record_seal *
sealer(unsigned char fill)
{
	unsigned char bytes[32];
	struct record_seal *r;
	struct key *k;

	memset(bytes, fill, sizeof(bytes));
	k = key_from_bytes(bytes, sizeof(bytes), NULL);
	r = record_seal_new(k, NULL);
	assert_non_null(r);
	key_free(k);
	return r;
}

static void
key_is(const struct record_name *name, const char *text)
{
	struct record_name back;
	struct buf key;

	buf_init(&key, 4096);
	record_name_write(name, &key);
	assert_string_equal(buf_cstr(&key), text);
	assert_true(record_name_read(key.data, key.len, &back));
	assert_int_equal(back.type, name->type);
	assert_string_equal(back.path, name->path);
	assert_string_equal(back.key, name->key);
	assert_int_equal(back.number, name->number);
	buf_release(&key);
}

/* Compaction compares bytes: another form of a key would leave the old one behind. */
static void
test_keys(void **state)
{
	struct record_name n = { .type = RECORD_SECRET, .path = "a\"b\\\xc3\xa4", .path_len = 6,
	    .key = "k.1", .key_len = 3, .number = 4294967 };

	(void)state;
	key_is(&n, "{\"t\":\"SECRET\",\"path\":\"a\\\"b\\\\\xc3\xa4\",\"key\":\"k.1\","
	    "\"version\":4294967}");
	n.type = RECORD_META;
	n.number = 0;
	key_is(&n, "{\"t\":\"META\",\"path\":\"a\\\"b\\\\\xc3\xa4\",\"key\":\"k.1\"}");
	key_is(&(struct record_name){ .type = RECORD_KEYRING }, "{\"t\":\"KEYRING\"}");
	key_is(&(struct record_name){ .type = RECORD_CHANGES, .number = 2 },
	    "{\"t\":\"CHANGES\",\"n\":2}");
	key_is(&(struct record_name){ .type = RECORD_HEAD }, "{\"t\":\"HEAD\"}");
	key_is(&(struct record_name){ .type = RECORD_LEADER }, "{\"t\":\"LEADER\"}");
	key_is(&(struct record_name){ .type = RECORD_NOOP }, "{\"t\":\"NOOP\"}");
	key_is(&(struct record_name){ .type = RECORD_SECRET, .path = "conn a~", .path_len = 7,
	    .key = "k", .key_len = 1, .number = 2147483647 },
	    "{\"t\":\"SECRET\",\"path\":\"conn a~\",\"key\":\"k\",\"version\":2147483647}");
}

static void
test_keys_that_are_none(void **state)
{
	static const char *const bad[] = { "", "x", "{}", "{\"t\":\"NONE\"}", "{\"t\":1}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\"}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":-1}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":01}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":2147483648}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":}",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":1",
	    "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"b\",\"version\":1}x",
	    "{\"t\":\"SECRET\",\"path\":\"a", "{\"t\":\"SECRET\",\"path\":\"",
	    "{\"t\":\"META\",\"path\":\"a\"}", "{\"t\":\"CHANGES\"}" };
	struct record_name n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(record_name_read(bad[i], strlen(bad[i]), &n));
}

static void
test_bound(void **state)
{
	struct record_seal *r = sealer(1), *other = sealer(2);
	struct buf key, body, value, out;
	uint64_t revision = 0;
	struct error err;

	(void)state;
	buf_init(&key, 100);
	buf_init(&value, 1000);
	buf_init_secret(&body, 100);
	buf_init_secret(&out, 1000);
	buf_append_str(&key, "the key");
	buf_append_str(&body, "the body");
	assert_int_equal(record_seal(r, &key, 7, &body, &value, &err), 0);
	assert_int_equal(record_open(r, "the key", 7, value.data, value.len, &revision, &out, &err),
	    0);
	assert_int_equal(revision, 7);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.data, "the body", 8);
	/* Another place, another registry, a byte less, any bit: it is not ours. */
	assert_int_equal(record_open(r, "the kex", 7, value.data, value.len, &revision, &out, &err),
	    -1);
	assert_int_equal(err.code, ERROR_DAMAGED);
	assert_int_equal(record_open(other, "the key", 7, value.data, value.len, &revision, &out,
	    &err), -1);
	assert_int_equal(record_open(r, "the key", 7, value.data, value.len - 1, &revision, &out,
	    &err), -1);
	for (size_t i = 0; i < value.len; i++) {
		value.data[i] ^= 1;
		assert_int_equal(record_open(r, "the key", 7, value.data, value.len, &revision, &out,
		    &err), -1);
		value.data[i] ^= 1;
	}
	buf_release(&key);
	buf_release(&body);
	buf_release(&value);
	buf_release(&out);
	record_seal_free(r);
	record_seal_free(other);
}

/* A keyring can be read without a key, and is vouched for. */
static void
test_keyring(void **state)
{
	struct record_seal *r = sealer(1);
	struct buf key, text, value;
	uint64_t revision = 0;
	struct error err;
	const char *got;
	size_t n = 0;

	(void)state;
	buf_init(&key, 100);
	buf_init(&text, 100);
	buf_init(&value, 1000);
	buf_append_str(&key, "k");
	buf_append_str(&text, "{\"m\":1}");
	assert_int_equal(record_seal_keyring(r, &key, 3, &text, &value, &err), 0);
	got = record_keyring_text(value.data, value.len, &n);
	assert_int_equal(n, text.len);
	assert_memory_equal(got, text.data, n);
	assert_int_equal(record_open_keyring(r, "k", 1, value.data, value.len, &revision, &err), 0);
	assert_int_equal(revision, 3);
	for (size_t i = 0; i < value.len; i++) {
		value.data[i] ^= 1;
		assert_int_equal(record_open_keyring(r, "k", 1, value.data, value.len, &revision,
		    &err), -1);
		value.data[i] ^= 1;
	}
	assert_null(record_keyring_text("PSL1", 4, &n));
	buf_release(&key);
	buf_release(&text);
	buf_release(&value);
	record_seal_free(r);
}

static void
test_bodies(void **state)
{
	struct record_body b;
	struct buf body;
	size_t n = 0;

	(void)state;
	buf_init(&body, 100);
	record_put(&body, INT64_MIN);
	record_put_bytes(&body, "abc", 3);
	record_put_bytes(&body, NULL, 0);
	b = (struct record_body){ body.data, body.len, false };
	assert_true(record_get(&b) == INT64_MIN);
	assert_memory_equal(record_get_bytes(&b, &n), "abc", 3);
	assert_int_equal(n, 3);
	(void)record_get_bytes(&b, &n);
	assert_int_equal(n, 0);
	assert_false(b.bad);
	(void)record_get(&b);
	assert_true(b.bad);
	/* A length beyond the end. */
	b = (struct record_body){ body.data, 10, false };
	(void)record_get_bytes(&b, &n);
	assert_int_equal(n, 0);
	assert_true(b.bad);
	buf_release(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_keys_that_are_none),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_keyring),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
