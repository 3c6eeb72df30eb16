/*
 * Any record of the log: the key up to the first newline, behind it the value,
 * or a tombstone where there is none.  No fault, and what is taken for one of
 * ours says the same once it is encoded and parsed again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "registry/keys/keyring.h"
#include "registry/log/log.h"
#include "registry/store/names.h"
#include "registry/store/record.h"

#define RUN_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* Bytes of their own, so that a step beyond their end is seen. */
static void *
copy(const void *bytes, size_t n)
{
	void *p = malloc(n + (n == 0));

	require(p != NULL);
	if (n > 0)
		memcpy(p, bytes, n);
	return p;
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool
same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static void
check_secret(const struct record *a, const struct record *b)
{
	require(a->sealed_len >= SEALED_MIN && sealed_kid(a->sealed, a->sealed_len) > 0);
	require(a->created_ms >= 0 && a->expires_ms >= 0 && a->created_by != NULL);
	require(same_bytes(a->sealed, a->sealed_len, b->sealed, b->sealed_len));
	require(a->created_ms == b->created_ms && a->expires_ms == b->expires_ms);
	require(same_text(a->created_by, b->created_by) && a->epoch == b->epoch);
	require(a->has_idem == b->has_idem);
	require(memcmp(a->idem, b->idem, sizeof(a->idem)) == 0);
}

static void
check_meta(const struct record *a, const struct record *b)
{
	size_t i;

	require(a->deleted_count <= RECORD_DELETED_MAX && a->deleted_count == b->deleted_count);
	for (i = 0; i < a->deleted_count; i++) {
		const struct record_deleted *d = &a->deleted[i];

		require(d->number > (i > 0 ? d[-1].number : 0) && d->number <= NAME_VERSION_MAX);
		require(d->number == b->deleted[i].number && d->at_ms == b->deleted[i].at_ms);
		require(same_text(d->by, b->deleted[i].by));
	}
	require(a->destroyed_count <= RECORD_DESTROYED_MAX);
	require(a->destroyed_count == b->destroyed_count);
	for (i = 0; i < a->destroyed_count; i++) {
		const struct record_range *r = &a->destroyed[i];

		require(r->from > (i > 0 ? r[-1].to : 0) && r->to >= r->from);
		require(r->from == b->destroyed[i].from && r->to == b->destroyed[i].to);
	}
	require(a->high == b->high && a->max_versions == b->max_versions);
	require(a->cas_required == b->cas_required && a->mcas == b->mcas);
	require(same_text(a->custom, b->custom) && a->custom != NULL && a->custom[0] == '{');
	require(same_text(a->updated_by, b->updated_by) && a->updated_ms == b->updated_ms);
}

static void
check_value(const struct record *a, const struct record *b)
{
	require(a->type == b->type && !b->tombstone);
	if (a->type == RECORD_SECRET)
		check_secret(a, b);
	else if (a->type == RECORD_META)
		check_meta(a, b);
	else if (a->type == RECORD_KEYRING)
		require(same_bytes(a->text, a->text_len, b->text, b->text_len));
	else
		require(a->epoch == b->epoch && same_text(a->node, b->node));
}

/* A key in another spelling than ours is none of ours. */
static void
check_key(const struct record *a, const struct log_record *r)
{
	struct record named = *a;
	struct buf key;

	if (a->key_type == RECORD_SECRET || a->key_type == RECORD_META) {
		require(name_path_valid(a->path, a->path_len));
		require(name_key_valid(a->key, a->key_len));
		require(a->type == a->key_type || a->type == RECORD_UNKNOWN ||
		    a->type == RECORD_GARBAGE);
	}
	named.type = a->key_type;
	buf_init(&key, 8 * LOG_KEY_MAX);
	record_encode_key(&named, &key);
	require(same_bytes(key.data, key.len, r->key, r->key_len));
	buf_release(&key);
}

/* As a store has it that parses one record after the other. */
static void
check_again(const struct record *a, const struct log_record *r)
{
	static struct record_parser *parser;
	struct log_record again = *r;
	struct record b;
	struct buf value;

	if (parser == NULL)
		require((parser = record_parser_new()) != NULL);
	buf_init(&value, 8 * LOG_VALUE_MAX);
	record_encode_value(a, &value);
	require(buf_check(&value, NULL) == 0);
	again.value = value.data;
	again.value_len = value.len;
	require(record_parse(parser, &again, &b) == 0);
	check_value(a, &b);
	buf_release(&value);
}

static void
check_record(const struct log_record *r)
{
	/* A new one has no more room than this record needs. */
	struct record_parser *parser = record_parser_new();
	struct record a;

	require(parser != NULL && record_parse(parser, r, &a) == 0);
	require(a.tombstone == (r->value == NULL));
	if (a.key_type <= RECORD_LEADER)
		check_key(&a, r);
	if (a.type <= RECORD_LEADER && !a.tombstone)
		check_again(&a, r);
	record_parser_free(parser);
}

/* Two numbers that can be a long run of deleted versions.  Few bytes then make a
 * million entries, which takes a second here and shows nothing new. */
static bool
has_long_run(const uint8_t *p, const uint8_t *end)
{
	uint64_t last = 0;

	while (p < end) {
		uint64_t v = 0, apart;

		if (*p < '0' || *p > '9') {
			p++;
			continue;
		}
		for (; p < end && *p >= '0' && *p <= '9'; p++)
			v = v < UINT64_MAX / 16 ? 10 * v + (uint64_t)(*p - '0') : v;
		apart = v > last ? v - last : last - v;
		if (apart > RUN_MAX && apart <= RECORD_DELETED_MAX)
			return true;
		last = v;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *newline = n > 0 ? memchr(data, '\n', n) : NULL;
	size_t key_len = newline != NULL ? (size_t)(newline - data) : n;
	size_t value_len = newline != NULL ? n - key_len - 1 : 0;
	void *key, *value = NULL;

	if (key_len == 0 || key_len > LOG_KEY_MAX || value_len > LOG_VALUE_MAX)
		return 0;
	if (newline != NULL && memmem(data, key_len, "META", 4) != NULL &&
	    has_long_run(newline, data + n))
		return 0;
	key = copy(data, key_len);
	if (newline != NULL)
		value = copy(newline + 1, value_len);
	check_record(&(struct log_record){ key, key_len, value, value_len });
	free(value);
	free(key);
	return 0;
}
