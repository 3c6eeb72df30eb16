#include "record_support.h"

/* Parsed from an encoded record; both last until the next call. */
static const struct record *
parse(struct record_parser *p, const void *key, size_t key_len, const void *value,
    size_t value_len)
{
	static struct record out;
	struct log_record r = { key, key_len, value, value_len };

	assert_int_equal(record_parse(p, &r, &out), 0);
	return &out;
}

static const struct record *
parse_text(struct record_parser *p, const char *key, const char *value)
{
	return parse(p, key, strlen(key), value, value != NULL ? strlen(value) : 0);
}

static void
test_a_secret_comes_back_as_it_was(void **state)
{
	struct record_parser *p = record_parser_new();
	struct record r = record_secret("my \"conn\\a", "pass.word", 2147483647, 0xa5);
	const struct record *back;
	struct log_record l;
	struct buf bytes;

	(void)state;
	r.created_by = "User:\xc3\xa9\n\"x\"\x01";
	r.expires_ms = INT64_MAX;
	r.epoch = INT64_MAX;
	r.has_idem = true;
	memset(r.idem, 0x5a, sizeof(r.idem));
	l = record_encoded(&r, &bytes);
	back = parse(p, l.key, l.key_len, l.value, l.value_len);
	assert_int_equal(back->type, RECORD_SECRET);
	assert_false(back->tombstone);
	assert_int_equal(back->path_len, r.path_len);
	assert_memory_equal(back->path, r.path, r.path_len);
	assert_memory_equal(back->key, "pass.word", 9);
	assert_int_equal(back->version, 2147483647);
	assert_memory_equal(back->claim, r.claim, 16);
	assert_int_equal(back->sealed_len, r.sealed_len);
	assert_memory_equal(back->sealed, r.sealed, r.sealed_len);
	assert_int_equal(back->created_ms, r.created_ms);
	assert_true(back->expires_ms == INT64_MAX && back->epoch == INT64_MAX);
	assert_string_equal(back->created_by, r.created_by);
	assert_true(back->has_idem);
	assert_memory_equal(back->idem, r.idem, 64);
	buf_release(&bytes);
	record_parser_free(p);
}

static void
test_keys_have_a_fixed_form(void **state)
{
	struct record r = record_secret("a", "k", 7, 0x0f);
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	record_encode_key(&r, &b);
	assert_string_equal(buf_cstr(&b), "{\"t\":\"SECRET\",\"path\":\"a\",\"key\":\"k\","
	    "\"version\":7,\"claim\":\"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\"}");
	buf_clear(&b);
	r.type = RECORD_META;
	record_encode_key(&r, &b);
	assert_string_equal(buf_cstr(&b), "{\"t\":\"META\",\"path\":\"a\",\"key\":\"k\"}");
	buf_clear(&b);
	r.type = RECORD_KEYRING;
	record_encode_key(&r, &b);
	assert_string_equal(buf_cstr(&b), "{\"t\":\"KEYRING\"}");
	buf_clear(&b);
	r.type = RECORD_UNKNOWN;
	record_encode_key(&r, &b);
	assert_int_equal(buf_check(&b, NULL), -1);
	buf_release(&b);
}

static void
test_metadata_come_back_as_they_were(void **state)
{
	static const struct record_deleted deleted[] = {
		{ 2, 50, "User:a" }, { 3, 50, "User:a" }, { 4, 50, "User:a" }, { 5, 51, "User:a" },
		{ 9, 51, "User:\"b" }
	};
	static const struct record_range destroyed[] = { { 1, 1 }, { 6, 8 } };
	struct record_parser *p = record_parser_new();
	struct record r = record_meta("p", "k", 12);
	const struct record *back;
	struct log_record l;
	struct buf bytes;
	size_t i;

	(void)state;
	r.deleted = deleted;
	r.deleted_count = 5;
	r.destroyed = destroyed;
	r.destroyed_count = 2;
	r.max_versions = 10;
	r.cas_required = true;
	r.custom = "{\"owner\":\"}]\\\"\",\"x\":{\"y\":[1]}}";
	r.updated_ms = 99;
	r.updated_by = "User:c";
	r.mcas = 4;
	l = record_encoded(&r, &bytes);
	/* One run for what was deleted together. */
	assert_non_null(memmem(l.value, l.value_len, "{\"n\":2,\"to\":4,\"at\":50", 21));
	back = parse(p, l.key, l.key_len, l.value, l.value_len);
	assert_int_equal(back->type, RECORD_META);
	assert_int_equal(back->high, 12);
	assert_int_equal(back->deleted_count, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(back->deleted[i].number, deleted[i].number);
		assert_int_equal(back->deleted[i].at_ms, deleted[i].at_ms);
		assert_string_equal(back->deleted[i].by, deleted[i].by);
	}
	assert_int_equal(back->destroyed_count, 2);
	assert_memory_equal(back->destroyed, destroyed, sizeof(destroyed));
	assert_int_equal(back->max_versions, 10);
	assert_true(back->cas_required);
	assert_string_equal(back->custom, r.custom);
	assert_int_equal(back->updated_ms, 99);
	assert_string_equal(back->updated_by, "User:c");
	assert_int_equal(back->mcas, 4);
	buf_release(&bytes);
	record_parser_free(p);
}

static void
test_a_tombstone_is_known_by_its_key(void **state)
{
	struct record_parser *p = record_parser_new();
	struct record r = record_secret("p", "k", 3, 1);
	const struct record *back;
	struct log_record l;
	struct buf bytes;

	(void)state;
	r.tombstone = true;
	l = record_encoded(&r, &bytes);
	back = parse(p, l.key, l.key_len, l.value, l.value_len);
	assert_int_equal(back->type, RECORD_SECRET);
	assert_true(back->tombstone);
	assert_int_equal(back->version, 3);
	buf_release(&bytes);
	record_parser_free(p);
}

#define KEY "{\"t\":\"SECRET\",\"path\":\"p\",\"key\":\"k\",\"version\":1," \
	"\"claim\":\"00000000000000000000000000000001\"}"
#define META_KEY "{\"t\":\"META\",\"path\":\"p\",\"key\":\"k\"}"

/* The value of record_secret, with members in another order, and more of them. */
static void
test_values_of_another_shape_are_understood(void **state)
{
	struct record_parser *p = record_parser_new();
	struct record r = record_secret("p", "k", 1, 1);
	const struct record *back;
	unsigned char sealed[SEALED_MIN];
	struct log_record l;
	struct buf bytes;
	char *text, *value, *epoch;

	(void)state;
	memcpy(sealed, r.sealed, sizeof(sealed));
	l = record_encoded(&r, &bytes);
	assert_true(asprintf(&text, "%.*s", (int)l.value_len, (const char *)l.value) > 0);
	epoch = strstr(text, ",\"epoch\":3}");
	assert_non_null(epoch);
	*epoch = '\0';
	assert_true(asprintf(&value, "{ \"epoch\": 3, \"new\": [{}], %s }", text + 1) > 0);
	back = parse_text(p, KEY, value);
	assert_int_equal(back->type, RECORD_SECRET);
	assert_int_equal(back->epoch, 3);
	assert_string_equal(back->created_by, "User:anna");
	assert_int_equal(back->sealed_len, sizeof(sealed));
	assert_memory_equal(back->sealed, sealed, sizeof(sealed));
	free(value);
	free(text);
	buf_release(&bytes);

	back = parse_text(p, META_KEY, "{\"mcas\":2,\"m\":1,\"high\":4,\"destroyed\":[[1,2]],"
	    "\"deleted\":[{\"by\":\"u\",\"at\":7,\"n\":3}],\"casRequired\":false,\"maxVersions\":0,"
	    "\"custom\":{\"a\": \"b\"},\"updatedBy\":\"u\",\"updatedAt\":8,\"later\":null}");
	assert_int_equal(back->type, RECORD_META);
	assert_int_equal(back->mcas, 2);
	assert_string_equal(back->custom, "{\"a\":\"b\"}");
	assert_int_equal(back->deleted[0].number, 3);
	assert_int_equal(back->destroyed[0].to, 2);
	record_parser_free(p);
}

static void
test_newer_formats_are_unknown_not_garbage(void **state)
{
	struct record_parser *p = record_parser_new();
	const struct record *r;

	(void)state;
	r = parse_text(p, KEY, "{\"m\":2,\"x\":1}");
	assert_int_equal(r->type, RECORD_UNKNOWN);
	assert_int_equal(r->key_type, RECORD_SECRET);
	assert_int_equal(r->version, 1);
	r = parse_text(p, META_KEY, "{\"m\":7}");
	assert_int_equal(r->type, RECORD_UNKNOWN);
	assert_int_equal(r->key_type, RECORD_META);
	assert_int_equal(parse_text(p, "{\"t\":\"BINDING\",\"principal\":\"u\"}", "{}")->type,
	    RECORD_UNKNOWN);
	assert_int_equal(parse_text(p, "{\"t\":\"NOOP\",\"node\":\"n\"}", NULL)->type, RECORD_NOOP);
	assert_int_equal(parse_text(p, "{\"t\":\"KEYRING\"}", "{\"active\":1}")->type,
	    RECORD_KEYRING);
	r = parse_text(p, "{\"t\":\"LEADER\"}", "{\"epoch\":5,\"node\":\"n\",\"at\":1}");
	assert_int_equal(r->type, RECORD_LEADER);
	assert_int_equal(r->epoch, 5);
	assert_string_equal(r->node, "n");
	record_parser_free(p);
}

/* Another spelling is another key to the log: writing ours would not replace it. */
static void
test_keys_spelled_otherwise_are_not_taken_for_ours(void **state)
{
	static const char *const keys[] = {
		"{\"t\":\"META\",\"key\":\"k\",\"path\":\"p\"}",
		"{\"t\":\"META\", \"path\":\"p\",\"key\":\"k\"}",
		"{\"t\":\"META\",\"path\":\"\\u0070\",\"key\":\"k\"}",
		"{\"t\":\"META\",\"path\":\"p\",\"key\":\"k\",\"more\":1}",
		("{\"t\":\"SECRET\",\"path\":\"p\",\"key\":\"k\",\"version\":1,"
		    "\"claim\":\"0000000000000000000000000000000A\"}"),
		"{\"t\":\"SECRET\",\"path\":\"p\",\"key\":\"k\",\"version\":1}",
	};
	struct record_parser *p = record_parser_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct record *r = parse_text(p, keys[i], "{}");

		assert_int_equal(r->type, RECORD_UNKNOWN);
		assert_int_equal(r->key_type, RECORD_UNKNOWN);
		assert_null(r->path);
	}
	record_parser_free(p);
}

static void
test_garbage_is_told_from_records(void **state)
{
	static const char *const keys[] = {
		"x", "{", "[]", "{}", "\"t\"", "{\"t\":1}", "\xff\xfe",
		"{\"t\":\"META\",\"path\":\"a/b\",\"key\":\"k\"}",
		"{\"t\":\"META\",\"path\":\"p\",\"key\":\"1\"}",
	};
	static const char *const values[] = {
		"", "x", "{}", "[]", "{\"m\":1}", "{\"m\":0}", "{\"m\":\"1\"}", "null",
		("{\"m\":1,\"kid\":1,\"alg\":\"HKDF-SHA256+AES-256-GCM\",\"salt\":\"\",\"iv\":\"\","
		    "\"ct\":\"\",\"createdAt\":1,\"createdBy\":\"\",\"expiresAt\":0,\"epoch\":1}"),
	};
	static const char *const metas[] = {
		/* out of order, overlapping, empty, far too many */
		("{\"m\":1,\"high\":9,\"deleted\":[{\"n\":3,\"at\":1,\"by\":\"\"},"
		    "{\"n\":3,\"at\":1,\"by\":\"\"}],\"destroyed\":[],\"maxVersions\":0,"
		    "\"casRequired\":false,\"custom\":{},\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0}"),
		("{\"m\":1,\"high\":9,\"deleted\":[],\"destroyed\":[[3,4],[4,5]],\"maxVersions\":0,"
		    "\"casRequired\":false,\"custom\":{},\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0}"),
		("{\"m\":1,\"high\":9,\"deleted\":[],\"destroyed\":[[4,3]],\"maxVersions\":0,"
		    "\"casRequired\":false,\"custom\":{},\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0}"),
		("{\"m\":1,\"high\":9,\"deleted\":[{\"n\":1,\"to\":2147483647,\"at\":1,\"by\":\"\"}],"
		    "\"destroyed\":[],\"maxVersions\":0,\"casRequired\":false,\"custom\":{},"
		    "\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0}"),
		("{\"m\":1,\"high\":9,\"deleted\":[],\"destroyed\":[],\"maxVersions\":0,"
		    "\"casRequired\":false,\"custom\":[],\"updatedAt\":0,\"updatedBy\":\"\",\"mcas\":0}"),
	};
	struct record_parser *p = record_parser_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(parse_text(p, keys[i], "{}")->type, RECORD_GARBAGE);
	assert_int_equal(parse(p, "\0", 1, "\0", 1)->type, RECORD_GARBAGE);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct record *r = parse_text(p, KEY, values[i]);

		assert_int_equal(r->type, RECORD_GARBAGE);
		assert_int_equal(r->key_type, RECORD_SECRET);
	}
	for (i = 0; i < sizeof(metas) / sizeof(metas[0]); i++)
		assert_int_equal(parse_text(p, META_KEY, metas[i])->type, RECORD_GARBAGE);
	assert_int_equal(parse_text(p, "{\"t\":\"KEYRING\"}", "none")->type, RECORD_GARBAGE);
	record_parser_free(p);
}

/* What is read of metadata with this text in its place; NULL: it is garbage. */
static const char *
custom_of(struct record_parser *p, const char *custom)
{
	const struct record *r;
	char *value;

	assert_true(asprintf(&value, "{\"m\":1,\"high\":9,\"deleted\":[],\"destroyed\":[],"
	    "\"maxVersions\":0,\"casRequired\":false,\"custom\":%s,\"updatedAt\":0,"
	    "\"updatedBy\":\"\",\"mcas\":7}", custom) > 0);
	r = parse_text(p, META_KEY, value);
	free(value);
	assert_int_equal(r->key_type, RECORD_META);
	if (r->type == RECORD_GARBAGE)
		return NULL;
	assert_int_equal(r->type, RECORD_META);
	assert_int_equal(r->mcas, 7);
	return r->custom;
}

static void
test_custom_metadata_stand_as_they_were_written(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"a\":\"b\"}", "{\"\":\"\"}", "{\"a\":\"\",\"aa\":\"\",\"b\":\"}]{[,:\"}",
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"\\u0041\":\"\\ud83d\\ude00\"}",
		"{\"z\":\"1\",\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}", "{\"a\":\"\x7f\"}",
	};
	struct record_parser *p = record_parser_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(custom_of(p, texts[i]), texts[i]);
	/* Of another writer: as JSON, if not byte for byte. */
	assert_string_equal(custom_of(p, "{ \"b\" : \"1\",\"a\":\"2\" }"),
	    "{\"b\":\"1\",\"a\":\"2\"}");
	assert_string_equal(custom_of(p, "{\"a\":[{}, null, true, -1.5]}"),
	    "{\"a\":[{},null,true,-1.5]}");
	record_parser_free(p);
}

static void
test_custom_metadata_that_are_no_object_are_garbage(void **state)
{
	static const char *const texts[] = {
		/* each bracket has its counterpart, or one of the other kind */
		"{\"a\":]}", "{\"a\":}", "{\"a\"}", "{[}]", "{]", "{\"a\":[}]}", "{[]}", "{{}}",
		"{\"a\":\"b\"]", "{:}", "{,}", "{\"a\":\"b\",}", "{,\"a\":\"b\"}", "{\"a\"::\"b\"}",
		"{\"a\":\"b\"\"c\":\"d\"}", "{\"a\" \"b\"}", "{\"a\":b}", "{a:\"b\"}", "{\"a\":\"b\"}}",
		"{\"a\":01}", "{\"a\":+1}", "{\"a\":nul}", "{'a':'b'}", "{\"a\":\"b\"}{}", "", "[]",
		"\"{}\"", "null", "{", "{\"", "{\"a\":\"b", "{\"a\":\"b\\\"}",
		/* strings that are none */
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}", "{\"a\":\"\n\"}", "{\"a\":\"\x1f\"}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc3\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
		/* a name twice, spelled otherwise */
		"{\"a\":\"1\",\"a\":\"2\"}", "{\"a\":\"1\",\"b\":\"\",\"\\u0061\":\"2\"}",
	};
	struct record_parser *p = record_parser_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (custom_of(p, texts[i]) != NULL)
			fail_msg("taken: %s", texts[i]);
	}
	record_parser_free(p);
}

/* Whatever byte is changed or missing: an answer, and no wrong access. */
static void
damage(const struct record *r)
{
	struct record_parser *p = record_parser_new();
	struct log_record l;
	struct buf bytes;
	unsigned char *copy;
	size_t i, key_len, n;
	int c;

	l = record_encoded(r, &bytes);
	key_len = l.key_len;
	n = bytes.len;
	for (i = 0; i < n; i++) {
		for (c = 0; c < 8; c++) {
			/* Of its exact size, so that the sanitizer sees one byte too many. */
			copy = malloc(n);
			memcpy(copy, bytes.data, n);
			copy[i] = (unsigned char)(c < 7 ? "\"\\}\0,1u"[c] : copy[i] ^ 0x80);
			(void)parse(p, copy, key_len, copy + key_len, n - key_len);
			free(copy);
		}
		copy = malloc(i + 1);
		memcpy(copy, bytes.data, i + 1);
		if (i >= key_len)
			(void)parse(p, copy, key_len, copy + key_len, i + 1 - key_len);
		else
			(void)parse(p, copy, i + 1, NULL, 0);
		free(copy);
	}
	buf_release(&bytes);
	record_parser_free(p);
}

static void
test_damaged_records_are_safe_to_parse(void **state)
{
	struct record r = record_secret("p\"q", "k", 1, 1);

	(void)state;
	r.has_idem = true;
	r.created_by = "\xc3\xa9\n";
	damage(&r);
	r = record_meta("p", "k", 3);
	r.custom = "{\"\":\"\",\"a\":\"\\n\\u00e9\xc3\xa9\",\"b\":\"\"}";
	damage(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_comes_back_as_it_was),
		cmocka_unit_test(test_keys_have_a_fixed_form),
		cmocka_unit_test(test_metadata_come_back_as_they_were),
		cmocka_unit_test(test_a_tombstone_is_known_by_its_key),
		cmocka_unit_test(test_values_of_another_shape_are_understood),
		cmocka_unit_test(test_newer_formats_are_unknown_not_garbage),
		cmocka_unit_test(test_keys_spelled_otherwise_are_not_taken_for_ours),
		cmocka_unit_test(test_garbage_is_told_from_records),
		cmocka_unit_test(test_custom_metadata_stand_as_they_were_written),
		cmocka_unit_test(test_custom_metadata_that_are_no_object_are_garbage),
		cmocka_unit_test(test_damaged_records_are_safe_to_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
