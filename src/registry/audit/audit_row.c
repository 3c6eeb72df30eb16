#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secmem.h"
#include "crypto/mac.h"
#include "registry/audit/audit_internal.h"
#include "registry/database/database.h"

/*
 * The events of one row: the time; then of each event its flags, its texts, its
 * numbers, and, where flags say so, who forwarded it and what it changes.  Numbers are written
 * seven bits a byte, the lowest first.  A text is its length + 2 and its bytes;
 * 0: there is none; 1: the same as that of the event before.
 */
#define TEXT_NONE 0
#define TEXT_SAME 1
#define TEXTS 14
#define NUMBERS 7
#define ROW_MAX (1U << 20)

enum flag { FLAG_OUTCOME = 1, FLAG_AUTHORIZATION = 2, FLAG_GRANTED = 4, FLAG_LENGTH = 8,
    FLAG_CAS = 16, FLAG_COUNT = 32, FLAG_VIA = 64, FLAG_CHANGE = 128 };

struct text {
	const char *bytes;		/* NULL: none */
	size_t n;
};

/* An event's texts in the order in which they stand. */
static void
texts_of(const struct audit_event *e, struct text out[TEXTS])
{
	const char *const plain[TEXTS - 2] = { e->method, e->own, e->principal, e->mechanism,
	    e->operation, e->role, e->pattern, e->request_id, e->client, e->value_hmac,
	    e->idempotency_hmac, e->message };

	out[0] = (struct text){ e->path, e->path_len };
	out[1] = (struct text){ e->key, e->key_len };
	for (size_t i = 0; i < TEXTS - 2; i++)
		out[i + 2] = (struct text){ plain[i], plain[i] != NULL ? strlen(plain[i]) : 0 };
}

static void
put_number(struct buf *out, uint64_t n)
{
	unsigned char bytes[10];
	size_t i = 0;

	for (; n >= 0x80; n >>= 7)
		bytes[i++] = (unsigned char)(n | 0x80);
	bytes[i++] = (unsigned char)n;
	buf_append(out, bytes, i);
}

static void
put_text(struct buf *out, const char *bytes, size_t n)
{
	put_number(out, n + 2);
	buf_append(out, bytes, n);
}

static bool
same_text(const struct text *a, const struct text *b)
{
	return a->bytes != NULL && b->bytes != NULL && a->n == b->n &&
	    memcmp(a->bytes, b->bytes, a->n) == 0;
}

void
audit_row_encode(const struct audit_event *events, size_t n, int64_t time_ms, struct buf *out)
{
	struct text texts[2][TEXTS];

	put_number(out, (uint64_t)time_ms);
	for (size_t i = 0; i < n; i++) {
		const struct audit_event *e = &events[i];
		const uint64_t numbers[NUMBERS] = { e->version, e->length, (uint64_t)e->cas,
		    (uint64_t)e->status, e->offset, e->count, e->intent };
		unsigned flags = (e->phase == AUDIT_OUTCOME ? FLAG_OUTCOME : 0) |
		    (e->authorization ? FLAG_AUTHORIZATION : 0) | (e->granted ? FLAG_GRANTED : 0) |
		    (e->has_length ? FLAG_LENGTH : 0) | (e->has_cas ? FLAG_CAS : 0) |
		    (e->has_count ? FLAG_COUNT : 0) | (e->via != NULL ? FLAG_VIA : 0) |
		    (e->change != NULL ? FLAG_CHANGE : 0);

		put_number(out, flags);
		texts_of(e, texts[i]);
		for (size_t j = 0; j < TEXTS; j++) {
			const struct text *t = &texts[i][j];

			if (t->bytes == NULL) {
				put_number(out, TEXT_NONE);
			} else if (i > 0 && same_text(t, &texts[0][j])) {
				put_number(out, TEXT_SAME);
			} else {
				put_text(out, t->bytes, t->n);
			}
		}
		for (size_t j = 0; j < NUMBERS; j++)
			put_number(out, numbers[j]);
		if (e->via != NULL)
			put_text(out, e->via, strlen(e->via));
		if (e->change != NULL)
			put_text(out, e->change, strlen(e->change));
	}
}

/* --- and back --- */

struct cursor {
	const unsigned char *p, *end;
	bool failed;
};

static uint64_t
take_number(struct cursor *c)
{
	uint64_t n = 0;

	for (unsigned shift = 0; c->p < c->end && shift < 64; shift += 7) {
		n |= (uint64_t)(*c->p & 0x7f) << shift;
		if ((*c->p++ & 0x80) == 0)
			return n;
	}
	c->failed = true;
	return 0;
}

/* The text, with a NUL behind it in ${out}, which has room. */
static struct text
take_text(struct cursor *c, const struct text *before, struct buf *out)
{
	uint64_t n = take_number(c);
	struct text t = { NULL, 0 };

	if (c->failed || n == TEXT_NONE)
		return t;
	if (n == TEXT_SAME) {
		c->failed = before->bytes == NULL;
		return *before;
	}
	n -= 2;
	if (n > (uint64_t)(c->end - c->p)) {
		c->failed = true;
		return t;
	}
	t = (struct text){ (const char *)out->data + out->len, (size_t)n };
	buf_append(out, c->p, (size_t)n);
	buf_append_char(out, '\0');
	c->p += n;
	return t;
}

/* How many events; 0: it is no such row.  The texts are in ${texts}. */
static size_t
row_decode(const void *bytes, size_t n, struct audit_event events[AUDIT_EVENTS_MAX],
    int64_t *time_ms, struct buf *texts)
{
	struct cursor c = { bytes, (const unsigned char *)bytes + n, false };
	const struct text none = { NULL, 0 };
	struct text t[TEXTS] = { { NULL, 0 } };
	size_t i;

	buf_clear(texts);
	/* They must not move: each is followed by a NUL. */
	if (buf_reserve(texts, n + (TEXTS + 2) * AUDIT_EVENTS_MAX) == -1)
		return 0;
	*time_ms = (int64_t)take_number(&c);
	for (i = 0; i < AUDIT_EVENTS_MAX && c.p < c.end; i++) {
		uint64_t flags = take_number(&c), numbers[NUMBERS];

		for (size_t j = 0; j < TEXTS; j++)
			t[j] = take_text(&c, &t[j], texts);
		for (size_t j = 0; j < NUMBERS; j++)
			numbers[j] = take_number(&c);
		/* A row's number, which SQLite has up to there. */
		if (numbers[6] > INT64_MAX)
			c.failed = true;
		events[i] = (struct audit_event){
			.phase = flags & FLAG_OUTCOME ? AUDIT_OUTCOME : AUDIT_INTENT,
			.authorization = flags & FLAG_AUTHORIZATION,
			.granted = flags & FLAG_GRANTED,
			.has_length = flags & FLAG_LENGTH, .has_cas = flags & FLAG_CAS,
			.has_count = flags & FLAG_COUNT,
			.path = t[0].bytes, .path_len = t[0].n,
			.key = t[1].bytes, .key_len = t[1].n,
			.method = t[2].bytes, .own = t[3].bytes, .principal = t[4].bytes,
			.mechanism = t[5].bytes, .operation = t[6].bytes, .role = t[7].bytes,
			.pattern = t[8].bytes, .request_id = t[9].bytes, .client = t[10].bytes,
			.value_hmac = t[11].bytes, .idempotency_hmac = t[12].bytes,
			.message = t[13].bytes,
			.version = (uint32_t)numbers[0], .length = (size_t)numbers[1],
			.cas = (int64_t)numbers[2], .status = (int)numbers[3],
			.offset = numbers[4], .count = numbers[5], .intent = numbers[6],
		};
		if ((flags & FLAG_VIA) != 0)
			events[i].via = take_text(&c, &none, texts).bytes;
		if ((flags & FLAG_CHANGE) != 0)
			events[i].change = take_text(&c, &none, texts).bytes;
	}
	return c.failed || c.p < c.end || texts->failed ? 0 : i;
}

static int
row_damaged(const struct audit_rows *r, uint64_t seq, struct error *err)
{
	error_set(err, ERROR_DAMAGED, "line %llu of the audit log was changed in the database",
	    (unsigned long long)seq);
	return error_place(err, r->path, 0);
}

/* The chain goes on behind this row. */
static void
rows_pass(struct audit_rows *r, sqlite3_stmt *s)
{
	size_t n;
	const void *hash = database_blob(s, 4, &n);

	r->chain.seq = (uint64_t)(sqlite3_column_int64(s, 0) + sqlite3_column_int64(s, 2)) - 1;
	memset(r->chain.hash, 0, MAC_BYTES);
	if (n == MAC_BYTES)
		memcpy(r->chain.hash, hash, MAC_BYTES);
}

int
audit_rows_open(struct audit_rows *r, sqlite3 *db, const char *path, const struct key *k,
    uint64_t after, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int found = -1;

	*r = (struct audit_rows){ .path = path };
	buf_init(&r->texts, ROW_MAX);
	if ((r->bodies = malloc(AUDIT_EVENT_MAX)) == NULL) {
		error_memory(err);
		goto fail;
	}
	/* The row before: it tells what the next one's lines follow on. */
	if ((r->mac = mac_new(k, AUDIT_CHAIN_PURPOSE, err)) == NULL ||
	    (r->style_of = database_prepare(db, "SELECT style FROM start WHERE number=?", path,
	    err)) == NULL ||
	    (r->read = database_prepare(db, "SELECT seq,start,lines,events,hash FROM audit "
	    "WHERE seq>? ORDER BY seq", path, err)) == NULL ||
	    (s = database_prepare(db, "SELECT seq,start,lines,events,hash FROM audit WHERE "
	    "seq+lines<=?1+1 OR seq=(SELECT min(seq) FROM audit WHERE seq>1) AND NOT EXISTS("
	    "SELECT 1 FROM audit WHERE seq=1) ORDER BY seq DESC LIMIT 1", path, err)) == NULL)
		goto fail;
	database_bind(s, "i", (int64_t)after);
	if ((found = database_next(s, path, err)) == 1)
		rows_pass(r, s);
	(void)sqlite3_finalize(s);
	if (found == -1)
		goto fail;
	database_bind(r->read, "i", (int64_t)r->chain.seq);
	return 0;
fail:
	audit_rows_close(r);
	return -1;
}

void
audit_rows_close(struct audit_rows *r)
{
	(void)sqlite3_finalize(r->read);
	(void)sqlite3_finalize(r->style_of);
	mac_free(r->mac);
	audit_style_free(r->style);
	free(r->bodies);
	buf_release(&r->texts);
	*r = (struct audit_rows){ 0 };
}

/* The words of the start that the row belongs to. */
static int
rows_style(struct audit_rows *r, int64_t start, struct error *err)
{
	const void *words;
	size_t n;
	int found;

	if (r->style != NULL && r->start == start)
		return 0;
	audit_style_free(r->style);
	r->style = NULL;
	database_bind(r->style_of, "i", start);
	found = database_next(r->style_of, r->path, err);
	if (found == 1) {
		words = database_blob(r->style_of, 0, &n);
		r->style = audit_style_read(words, n, err);
		r->start = start;
	} else if (found == 0) {
		error_set(err, ERROR_DAMAGED, "a start of the audit log is missing");
	}
	(void)sqlite3_reset(r->style_of);
	return r->style != NULL ? 0 : error_place(err, r->path, 0);
}

int
audit_rows_next(struct audit_rows *r, struct buf *lines, struct error *err)
{
	struct audit_event events[AUDIT_EVENTS_MAX];
	uint64_t seq, first = r->chain.seq + 1;
	const void *bytes, *hash;
	struct audit_text out;
	int64_t time_ms;
	size_t n, count, hash_len;
	int found;

	/* What the first edition left has a row without events, to go on from. */
	while ((found = database_next(r->read, r->path, err)) == 1 &&
	    sqlite3_column_bytes(r->read, 3) == 0)
		rows_pass(r, r->read);
	if (found != 1)
		return found;
	first = r->chain.seq + 1;
	seq = (uint64_t)sqlite3_column_int64(r->read, 0);
	bytes = database_blob(r->read, 3, &n);
	hash = database_blob(r->read, 4, &hash_len);
	count = row_decode(bytes, n, events, &time_ms, &r->texts);
	if (seq != first || count == 0 || (int64_t)count != sqlite3_column_int64(r->read, 2))
		return row_damaged(r, first, err);
	if (rows_style(r, sqlite3_column_int64(r->read, 1), err) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t len = audit_event_write(r->style, &events[i], time_ms, r->bodies);

		if (buf_reserve(lines, len + AUDIT_CHAIN_EXTRA) == -1)
			return buf_check(lines, err);
		out = (struct audit_text){ (char *)lines->data + lines->len,
		    (char *)lines->data + lines->cap };
		if (audit_chain_seal(&r->chain, r->mac, audit_style_id(r->style), r->bodies, len,
		    events[i].intent != 0 ? events[i].intent : i > 0 ? first : 0, &out,
		    err) == -1)
			return -1;
		lines->len = (size_t)(out.at - (char *)lines->data);
	}
	if (!secret_equal(hash, hash_len, r->chain.hash, MAC_BYTES))
		return row_damaged(r, first, err);
	return 1;
}

int
audit_rows_unfinished(sqlite3 *db, const char *path,
    void (*visit)(void *cookie, uint64_t seq, const struct audit_event *intent), void *cookie,
    struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "SELECT seq,events FROM audit WHERE lines=1 AND "
	    "start>0 ORDER BY seq", path, err);
	struct audit_event e[AUDIT_EVENTS_MAX];
	struct buf texts, ended;
	int64_t time_ms;
	size_t n, i;
	int found = s != NULL ? 0 : -1;

	buf_init(&texts, ROW_MAX);
	buf_init(&ended, BUF_MAX_FILE);
	for (int pass = 0; pass < 2 && found == 0 && buf_check(&ended, err) == 0; pass++)
		while ((found = database_next(s, path, err)) == 1) {
			const void *events = database_blob(s, 1, &n);
			uint64_t seq = (uint64_t)sqlite3_column_int64(s, 0), of;

			if (row_decode(events, n, e, &time_ms, &texts) != 1)
				continue;
			if (pass == 0 && e[0].phase == AUDIT_OUTCOME && e[0].intent != 0)
				buf_append(&ended, &e[0].intent, sizeof(of));
			if (pass == 0 || e[0].phase != AUDIT_INTENT)
				continue;
			for (i = 0; i < ended.len; i += sizeof(of)) {
				memcpy(&of, ended.data + i, sizeof(of));
				if (of == seq)
					break;
			}
			if (i == ended.len)
				visit(cookie, seq, &e[0]);
		}
	if (ended.failed)
		found = -1;
	(void)sqlite3_finalize(s);
	buf_release(&texts);
	buf_release(&ended);
	return found;
}

int
audit_adopt(sqlite3 *db, const char *path, uint64_t seq, const unsigned char hash[MAC_BYTES],
    struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "INSERT INTO audit VALUES(?,0,1,x'',?)", path, err);
	int result;

	if (s == NULL)
		return -1;
	database_bind(s, "ib", (int64_t)seq, hash, (size_t)MAC_BYTES);
	result = database_run(s, path, err);
	(void)sqlite3_finalize(s);
	return result;
}

int
audit_table_gone(sqlite3 *db, const char *path, bool *gone, struct error *err)
{
	sqlite3_stmt *s = database_prepare(db, "SELECT NOT EXISTS(SELECT 1 FROM audit) AND "
	    "EXISTS(SELECT 1 FROM start)", path, err);
	int64_t is = 0;
	int result = s != NULL ? database_number(s, &is, path, err) : -1;

	(void)sqlite3_finalize(s);
	*gone = is != 0;
	return result;
}

int
audit_verify_table(struct database *db, const struct key *k, uint64_t *lines, struct error *err)
{
	const char *path = database_path(db);
	sqlite3 *reader = database_reader(db, err);
	struct audit_rows r = { 0 };
	struct buf text;
	uint64_t first;
	bool gone = false;
	int more = -1;

	*lines = 0;
	buf_init(&text, BUF_MAX_FILE);
	if (reader != NULL && database_exec(reader, "BEGIN", path, err) == 0 &&
	    audit_table_gone(reader, path, &gone, err) == 0 &&
	    audit_rows_open(&r, reader, path, k, 0, err) == 0) {
		first = r.chain.seq;
		while ((more = audit_rows_next(&r, &text, err)) == 1)
			buf_clear(&text);
		*lines = r.chain.seq - first;
	}
	if (gone)
		more = database_damaged(path, "the audit log is gone from the database", err);
	audit_rows_close(&r);
	(void)sqlite3_close(reader);
	buf_release(&text);
	return more;
}
