#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "document/jaas.h"
#include "secrets/keys.h"
#include "secrets/rules.h"
#include "secrets/value.h"

#define PATTERNS_MAX 10000

struct rules {
	struct vec secret;	/* of char * */
	struct vec public;
};

/* What the user says about a key. */
enum verdict { NOTHING, SECRET, PUBLIC };

struct rules *
rules_new(struct error *err)
{
	struct rules *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	vec_init(&r->secret, sizeof(char *), PATTERNS_MAX);
	vec_init(&r->public, sizeof(char *), PATTERNS_MAX);
	return r;
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	vec_release_strings(&r->secret);
	vec_release_strings(&r->public);
	free(r);
}

static int
rules_add(struct vec *v, const char *pattern, struct error *err)
{
	return vec_push_string(v, pattern, strlen(pattern)) != NULL ? 0 : error_memory(err);
}

int
rules_add_secret(struct rules *r, const char *pattern, struct error *err)
{
	return rules_add(&r->secret, pattern, err);
}

int
rules_add_public(struct rules *r, const char *pattern, struct error *err)
{
	return rules_add(&r->public, pattern, err);
}

static bool
rules_matches(const char *pattern, const char *key, size_t len)
{
	size_t n = strlen(pattern);

	if (glob_is_pattern(pattern))
		return glob_match(pattern, key, len, GLOB_NOCASE);
	return n <= len && glob_match(pattern, key + len - n, n, GLOB_NOCASE);
}

static bool
rules_matches_any(const struct vec *v, const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < v->len; i++) {
		if (rules_matches(vec_string(v, i), key, len))
			return true;
	}
	return false;
}

static enum verdict
look_up(const struct rules *r, const char *key, size_t len)
{
	if (rules_matches_any(&r->public, key, len))
		return PUBLIC;
	return rules_matches_any(&r->secret, key, len) ? SECRET : NOTHING;
}

static enum verdict
rules_judge(const struct rules *r, const char *key, size_t len)
{
	enum verdict v;
	struct buf plain;

	if (r == NULL || r->public.len + r->secret.len == 0)
		return NOTHING;
	if (memchr(key, '\\', len) == NULL)
		return look_up(r, key, len);
	buf_init(&plain, BUF_MAX_FILE);
	for (size_t i = 0; i < len; i++) {
		if (key[i] == '\\' && i + 1 < len)
			i++;
		buf_append_char(&plain, key[i]);
	}
	v = plain.failed ? SECRET : look_up(r, (const char *)plain.data, plain.len);
	buf_release(&plain);
	return v;
}

static bool
rules_decide(enum verdict v, bool built_in)
{
	return v == SECRET || (v == NOTHING && built_in);
}

bool
rules_tell(const struct rules *r, const char *key, size_t len, bool *sensitive)
{
	enum key_class class = key_class(key, len);

	*sensitive = rules_decide(rules_judge(r, key, len),
	    class == KEY_SECRET || class == KEY_MATERIAL);
	return *sensitive || class == KEY_HEADERS || class == KEY_PAIR || class == KEY_OPAQUE;
}

bool
rules_sensitive(const struct rules *r, const char *key, size_t len)
{
	bool sensitive;

	(void)rules_tell(r, key, len, &sensitive);
	return sensitive;
}

bool
rules_public(const struct rules *r, const char *key, size_t len)
{
	return rules_judge(r, key, len) == PUBLIC;
}

bool
rules_by_default(const struct rules *r, const char *key, size_t len)
{
	static const char word[] = "password";
	const size_t n = sizeof(word) - 1;

	/* The reference wants a character before the word; without one it may be a public key. */
	return rules_decide(rules_judge(r, key, len), len > 0 &&
	    (text_contains_nocase(key + 1, len - 1, word) ||
	    (len >= n && text_contains_nocase(key, n, word) &&
	    key_class(key, len) != KEY_PUBLIC)));
}

/* The value of the key of a secret. */
static enum secret
rules_filled(enum value_kind kind, const char *value, size_t n)
{
	if (value_kind_is_secret(kind) ||
	    (kind == VALUE_TEXT && !value_is_pair_of(value, n, &kind)))
		return SECRET_CLEAR;
	return kind == VALUE_PLACEHOLDER ? SECRET_PLACEHOLDER : SECRET_ELSEWHERE;
}

/* Is it a setting of passwords and no password: password_rotation_days: 90, a time, or on?
 * Keys that end with the word, or with another one that says secret, have secrets. */
static bool
rules_is_setting(const char *key, size_t len, const char *value, size_t n)
{
	static const char word[] = "password";
	static const char *const amounts[] = { "days", "hours", "minutes", "seconds", "ms", "max",
		"min", "length", "timeout", "count", "interval", "ttl", "age", "limit", "retries",
		"size", "rounds", "history", "attempts" };
	static const char *const switches[] = { "true", "false", "on", "off", "yes", "no" };
	const size_t m = sizeof(word) - 1;
	size_t digits = 0;
	/* 2026-01-31, with or without a time. */
	bool alone = n >= 10 && n <= 30 && value[4] == '-' && value[7] == '-' &&
	    memchr(value, ' ', n) == NULL && value[0] >= '1' && value[0] <= '2';

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		alone = alone || (strlen(switches[i]) == n &&
		    text_contains_nocase(value, n, switches[i]));
	while (digits < n && value[digits] >= '0' && value[digits] <= '9')
		digits++;
	if ((!alone && digits < n) || len <= m || key_class_of_end(key, len) != KEY_OTHER ||
	    !text_contains_nocase(key, len, word) ||
	    text_contains_nocase(key + len - m, m, word))
		return false;
	if (alone)
		return true;
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		const size_t k = strlen(amounts[i]);

		if (len > k && text_contains_nocase(key + len - k, k, amounts[i]))
			return true;
	}
	return false;
}

/* Is the word one of those that the key is made of? */
static bool
rules_has_word(const char *key, size_t len, const char *word)
{
	const size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (text_contains_nocase(key + i, n, word) &&
		    (i == 0 || !ascii_is_letter(key[i - 1]) ||
		    (key[i] < 'a' && key[i - 1] >= 'a')) &&
		    (i + n == len || !ascii_is_letter(key[i + n]) ||
		    (key[i + n] < 'a' && key[i + n - 1] >= 'a')))
			return true;
	return false;
}

/* Is it the sum of something, as PASSWORD_SHA256 and checksum/secret say of themselves? */
static bool
rules_is_sum(const char *key, size_t len, const char *value, size_t n)
{
	static const char *const words[] = { "checksum", "sha", "digest", "md5", "fingerprint",
		"hash" };

	if (!value_is_sum(value, n))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (rules_has_word(key, len, words[i]))
			return true;
	return false;
}

enum secret
rules_secret(const struct rules *r, const char *key, size_t len, const char *value, size_t n)
{
	enum verdict said = rules_judge(r, key, len);
	enum key_class class = said == SECRET ? KEY_SECRET : key_class(key, len);
	enum value_kind kind;

	if (said == PUBLIC || ((class == KEY_OTHER || class == KEY_PUBLIC) &&
	    !value_may_be_secret((const unsigned char *)value, n)))
		return SECRET_NONE;
	kind = value_kind(value, n);
	if (value_kind_is_secret(kind))
		return SECRET_CLEAR;
	if (class == KEY_HEADERS)
		return kind == VALUE_TEXT && value_has_authorization(value, n) ?
		    SECRET_CLEAR : SECRET_NONE;
	if (class == KEY_PAIR)
		return kind == VALUE_TEXT && value_is_pair(value, n) ? SECRET_CLEAR : SECRET_NONE;
	if (class == KEY_OPAQUE)
		return kind == VALUE_TEXT && value_is_opaque(value, n) ? SECRET_CLEAR : SECRET_NONE;
	if (class != KEY_SECRET && class != KEY_MATERIAL)
		return SECRET_NONE;
	if (kind == VALUE_TEXT && said != SECRET && rules_is_sum(key, len, value, n))
		return SECRET_NONE;
	if (kind == VALUE_TEXT && class == KEY_MATERIAL && value_is_pointer(value, n))
		return SECRET_NONE;
	if (kind == VALUE_TEXT && said != SECRET && rules_is_setting(key, len, value, n))
		return SECRET_NONE;
	return rules_filled(kind, value, n);
}

/* What the user says of option ${i}. */
static enum verdict
rules_judge_option(const struct rules *r, const struct jaas *j, size_t i, const char *key,
    size_t len)
{
	enum verdict v = NOTHING;
	struct buf address;

	if (r != NULL && r->public.len + r->secret.len > 0) {
		buf_init(&address, BUF_MAX_FILE);
		jaas_address_append(j, i, key, len, &address);
		v = address.failed ? SECRET :
		    rules_judge(r, (const char *)address.data, address.len);
		buf_release(&address);
	}
	return v;
}

static bool
rules_decide_option(enum verdict v, struct jaas_option o)
{
	return rules_decide(v, jaas_option_is_secret(o.name, o.name_len) &&
	    key_class(o.name, o.name_len) != KEY_PUBLIC);
}

bool
rules_option(const struct rules *r, const struct jaas *j, size_t i, const char *key, size_t len)
{
	return rules_decide_option(rules_judge_option(r, j, i, key, len), jaas_option(j, i));
}

enum secret
rules_option_secret(const struct rules *r, const struct jaas *j, size_t i, const char *key,
    size_t len, const char *value)
{
	const struct jaas_option o = jaas_option(j, i);
	const enum verdict said = rules_judge_option(r, j, i, key, len);
	const char *inner = value + o.inner_from;
	size_t n = o.inner_to - o.inner_from;

	if (rules_decide_option(said, o))
		return rules_filled(value_kind(inner, n), inner, n);
	return said != PUBLIC && value_may_be_secret((const unsigned char *)inner, n) &&
	    value_kind_is_secret(value_kind(inner, n)) ? SECRET_CLEAR : SECRET_NONE;
}

bool
rules_has_secret(const struct rules *r)
{
	return r != NULL && r->secret.len > 0;
}
