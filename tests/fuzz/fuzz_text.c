/*
 * The small parsers: the first byte says which one gets the rest.  What is
 * read lies inside the text, and what is written reads back the same.
 */
#include "base/number.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "document/json_path.h"
#include "document/unit_file.h"
#include "fuzz_support.h"
#include "secrets/inspect.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "secrets/value.h"

static void
check_reference(const char *text, size_t n)
{
	struct reference r;
	size_t from = 0, start, end;

	if (reference_parse(text, n, &r))
		need(r.provider >= text && r.name + r.name_len <= text + n);
	while (resolve_next(text, n, from, &r, &start, &end)) {
		need(start >= from && end > start && end <= n && text[end - 1] == '}');
		need(r.provider == text + start + 2 && r.name + r.name_len == text + end - 1);
		from = end;
	}
	(void)resolve_finds_ours(text, n);
}

static void
check_base64(const char *text, size_t n)
{
	unsigned char *room = malloc(n / 4 * 3 + 1);
	struct buf bytes, again;
	size_t len;

	need(room != NULL);
	buf_init_secret(&bytes, BUF_MAX_FILE);
	buf_init(&again, BUF_MAX_FILE);
	buf_append_char(&bytes, 'x');
	if (base64_decode(&bytes, text, n) != 0)
		need(bytes.len == 1);
	buf_clear(&bytes);
	base64_encode(&again, text, n);
	need(base64_decode(&bytes, buf_cstr(&again), again.len) == 0);
	need(is_same(bytes.data, bytes.len, text, n));
	len = base64_read(text, n, room);
	need(len == SIZE_MAX || len <= n / 4 * 3);
	buf_clear(&bytes);
	buf_clear(&again);
	/* Of the form for URLs every byte string has one text. */
	if (base64url_decode(&bytes, text, n) == 0) {
		base64url_encode(&again, bytes.data, bytes.len);
		need(is_same(again.data, again.len, text, n));
	}
	buf_release(&again);
	buf_release(&bytes);
	free(room);
}

static void
check_path(const char *text, size_t n)
{
	struct json_part part;
	struct buf one, two;
	size_t at = 0, parts = 0;

	while (json_path_next(text, n, &at, &part)) {
		need(part.text >= text && part.text + part.len <= text + n && ++parts <= n + 1);
		if (part.kind != JSON_PART_EACH)
			(void)json_path_fits(&part, &part);
	}
	buf_init(&one, BUF_MAX_FILE);
	buf_init(&two, BUF_MAX_FILE);
	/* A name, as a part of a path, is that name again. */
	json_path_escape(&one, text, n);
	need(json_path_is_plain(buf_cstr(&one), one.len));
	at = 0;
	need(json_path_next(buf_cstr(&one), one.len, &at, &part) &&
	    part.kind == JSON_PART_NAME && at >= one.len);
	json_path_unescape(&two, &part);
	need(is_same(two.data, two.len, text, n));
	if (json_path_is_plain(text, n)) {
		buf_clear(&one);
		buf_clear(&two);
		json_path_canonical(&one, text, n);
		json_path_canonical(&two, buf_cstr(&one), one.len);
		need(is_same(one.data, one.len, two.data, two.len));
	}
	buf_release(&two);
	buf_release(&one);
}

static void
check_characters(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char own[4];
	struct buf shown, json;
	uint32_t cp;
	size_t i, len;

	buf_init(&shown, BUF_MAX_FILE);
	buf_init(&json, BUF_MAX_FILE);
	for (i = 0; i < n; i += len) {
		if ((len = text_utf8_decode(p + i, n - i, &cp)) > 0)
			need(text_utf8_encode(cp, own) == len && memcmp(own, p + i, len) == 0);
		else
			len = text_invalid_length(p + i, n - i);
		need(len > 0 && len <= n - i);
	}
	/* Nothing that is shown can drive a terminal. */
	text_append_visible(&shown, text, n);
	need(text_is_utf8(shown.data, shown.len));
	for (i = 0; i < shown.len; i++)
		need(shown.data[i] >= 0x20 && shown.data[i] != 0x7f && !(shown.data[i] == 0xc2 &&
		    shown.data[i + 1] < 0xa0));
	text_append_json(&json, text, n);
	need(json.len >= 2 && text_is_utf8(json.data, json.len));
	need(memchr(json.data, '\n', json.len) == NULL);
	(void)text_is_blank(text, n);
	buf_release(&json);
	buf_release(&shown);
}

static void
check_unit(const char *text, size_t n)
{
	struct unit_file u;
	struct buf word;
	size_t at, settings = 0, words;

	buf_init_secret(&word, BUF_MAX_FILE);
	unit_file_init(&u, text, n);
	while (unit_file_next(&u)) {
		need(++settings <= n);
		at = words = 0;
		while (unit_file_word(&u, &at, &word))
			need(at <= u.value.len && ++words <= n);
	}
	unit_file_release(&u);
	buf_release(&word);
}

/* A pattern up to the first NUL, and a text. */
static void
check_glob(const char *text, size_t n)
{
	const char *nul = n > 0 ? memchr(text, '\0', n) : NULL;
	struct rules *rules;
	size_t rest;

	if (nul == NULL)
		return;
	rest = n - (size_t)(nul + 1 - text);
	(void)glob_match(text, nul + 1, rest, 0);
	(void)glob_match(text, nul + 1, rest, GLOB_NOCASE | GLOB_PATH);
	if (!glob_is_pattern(text))
		need(glob_match(text, text, strlen(text), 0));
	need((rules = rules_new(NULL)) != NULL && rules_add_secret(rules, text, NULL) == 0);
	if (!glob_is_pattern(text) && memchr(text, '\\', strlen(text)) == NULL)
		need(rules_sensitive(rules, text, strlen(text)));
	(void)rules_secret(rules, nul + 1, rest, text, strlen(text));
	rules_free(rules);
}

static void
check_value(const char *text, size_t n)
{
	enum value_kind kind = value_kind(text, n);
	uint64_t number;
	char digits[NUMBER_TEXT];

	need(!value_kind_is_secret(kind) || inspect_placeholder(text, n) == NULL);
	(void)value_has_authorization(text, n);
	(void)value_is_pair_of(text, n, &kind);
	(void)value_is_pointer(text, n);
	(void)rules_secret(NULL, text, n / 2, text + n / 2, n - n / 2);
	(void)rules_by_default(NULL, text, n);
	if (number_parse(text, n, UINT64_MAX, &number) && text[0] != '0')
		need(is_same(digits, number_text(number, digits), text, n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(const char *text, size_t n) = { check_reference,
		check_base64, check_path, check_characters, check_unit, check_glob, check_value };
	struct input in = { data, size };
	unsigned which = take_byte(&in) % (sizeof(checks) / sizeof(checks[0]));
	char *text = copy_of(in.p, in.n);

	checks[which](text, in.n);
	free(text);
	return 0;
}
