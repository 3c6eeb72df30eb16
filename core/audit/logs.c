#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

/*
 * Do values that are sealed stand in logs?  All values are looked for at once:
 * where four bytes are the beginning of some, these are compared.  Values,
 * what is made of them and what is read lie in secret memory.
 */

#define VALUE_MIN 8		/* bytes; of shorter ones logs are full */
#define VALUE_MAX 256		/* of longer ones that is enough */
#define VALUES_MAX ((size_t)1 << 24)
#define HASH_BITS 16
#define HEADS ((size_t)1 << HASH_BITS)
#define CHUNK ((size_t)1 << 18)

struct log_value {
	size_t at;		/* in ->bytes */
	size_t n;
	size_t place;		/* in a->sealed: where it is sealed */
	size_t next;		/* with the same hash, AUDIT_NONE: the last */
	size_t told;		/* number of the last file it was told of */
	bool whole;		/* and not a part of it */
};

struct audit_logs {
	struct vec values;	/* struct log_value */
	struct buf bytes;	/* secret: the values */
	struct buf heads;	/* secret: HEADS of size_t, the last value of each hash */
	struct buf text;	/* secret: of the file at hand */
	size_t files;
};

static bool
log_is_word(unsigned char c)
{
	return ascii_is_alnum(c) || c >= 0x80;
}

static size_t
log_hash(const unsigned char *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return (x * UINT32_C(2654435761)) >> (32 - HASH_BITS);
}

static size_t *
log_heads(const struct audit_logs *l)
{
	return (size_t *)(void *)l->heads.data;
}

static struct audit_logs *
logs_new(struct error *err)
{
	struct audit_logs *l = error_alloc(sizeof(*l), err);
	const size_t none = AUDIT_NONE;

	if (l == NULL)
		return NULL;
	vec_init(&l->values, sizeof(struct log_value), VALUES_MAX);
	buf_init_secret(&l->bytes, BUF_MAX_FILE);
	buf_init_secret(&l->heads, HEADS * sizeof(size_t));
	buf_init_secret(&l->text, CHUNK + 2 * VALUE_MAX);
	if (buf_reserve(&l->heads, HEADS * sizeof(size_t)) == 0)
		for (size_t i = 0; i < HEADS; i++)
			buf_append(&l->heads, &none, sizeof(none));
	if (buf_check(&l->heads, err) == 0)
		return l;
	audit_logs_free(l);
	return NULL;
}

void
audit_logs_free(struct audit_logs *l)
{
	if (l == NULL)
		return;
	vec_release(&l->values);
	buf_release(&l->bytes);
	buf_release(&l->heads);
	buf_release(&l->text);
	free(l);
}

int
audit_logs_keep(struct audit *a, const void *value, size_t n, size_t place, struct error *err)
{
	const unsigned char *p = value, *best = p, *end;
	size_t length = 0, len, *head;
	struct log_value *v;

	/* Logs have lines: of several in a value, as of a key, the longest. */
	for (size_t at = 0; at < n; at += len + 1) {
		end = memchr(p + at, '\n', n - at);
		len = end != NULL ? (size_t)(end - p) - at : n - at;
		if (len > length) {
			best = p + at;
			length = len;
		}
	}
	if (length < VALUE_MIN || audit_is_default((const char *)best, length))
		return 0;
	if (a->logs == NULL && (a->logs = logs_new(err)) == NULL)
		return -1;
	if ((v = vec_push(&a->logs->values)) == NULL)
		return error_memory(err);
	head = log_heads(a->logs) + log_hash(best);
	*v = (struct log_value){ .at = a->logs->bytes.len,
		.n = length < VALUE_MAX ? length : VALUE_MAX, .place = place, .next = *head,
		.whole = length <= VALUE_MAX };
	*head = a->logs->values.len - 1;
	buf_append(&a->logs->bytes, best, v->n);
	return buf_check(&a->logs->bytes, err);
}

/* Tell it, once a file. */
static int
log_add(struct audit_logs *l, struct audit_source *s, struct log_value *v, size_t at,
    struct error *err)
{
	struct audit *a = s->a;
	const struct audit_place *place = vec_at(&a->sealed, v->place);
	struct audit_finding region, *added;

	if (v->told == l->files)
		return 0;
	v->told = l->files;
	s->text = (const char *)l->text.data;
	audit_source_region(s, at, at + v->n, &region);
	added = audit_add(s, AUDIT_SEALED_AND_CLEAR, place->key, place->key_len, &region, err);
	if (added == NULL)
		return -1;
	added->sealed = v->place;
	return 0;
}

/* Does the value stand at ${at}, as a word of its own where it is one? */
static bool
log_matches(const struct audit_logs *l, const struct log_value *v, size_t at)
{
	const unsigned char *p = l->text.data + at, *value = l->bytes.data + v->at;
	const size_t left = l->text.len - at;

	return left >= v->n && memcmp(p, value, v->n) == 0 &&
	    !(at > 0 && log_is_word(p[-1]) && log_is_word(p[0])) &&
	    !(v->whole && left > v->n && log_is_word(p[v->n]) && log_is_word(p[v->n - 1]));
}

/* What begins from ${from} up to ${to} of the text. */
static int
log_search(struct audit_logs *l, struct audit_source *s, size_t from, size_t to,
    struct error *err)
{
	const size_t *heads = log_heads(l);

	for (size_t at = from; at < to && at + 4 <= l->text.len; at++)
		for (size_t i = heads[log_hash(l->text.data + at)]; i != AUDIT_NONE;) {
			struct log_value *v = vec_at(&l->values, i);

			if (log_matches(l, v, at) && log_add(l, s, v, at, err) != 0)
				return -1;
			i = v->next;
		}
	return 0;
}

/* Take the first ${n} bytes of the text away. */
static void
log_drop(struct audit_logs *l, struct audit_source *s, size_t n)
{
	audit_advance((const char *)l->text.data, &s->at, n, &s->line, &s->columns);
	s->at -= n;
	memmove(l->text.data, l->text.data + n, l->text.len - n);
	buf_truncate(&l->text, l->text.len - n);
}

static int
log_read(struct audit_logs *l, struct audit_source *s, int fd, const char *path,
    struct error *err)
{
	size_t from = 0, to;
	ssize_t got = 1;

	buf_clear(&l->text);
	if (buf_reserve(&l->text, CHUNK + VALUE_MAX + 2) != 0)
		return error_memory(err);
	while (got > 0) {
		do
			got = read(fd, l->text.data + l->text.len, CHUNK);
		while (got == -1 && errno == EINTR);
		if (got == -1)
			return error_io(err, path, "cannot read");
		l->text.len += (size_t)got;
		/* What follows a value is looked at, too. */
		to = got == 0 ? l->text.len : l->text.len > VALUE_MAX + 1 ?
		    l->text.len - VALUE_MAX - 1 : 0;
		if (to > from && log_search(l, s, from, to, err) != 0)
			return -1;
		/* And what stands before it. */
		if (to > from && to > 1) {
			log_drop(l, s, to - 1);
			from = 1;
		}
	}
	return 0;
}

static bool
log_is_compressed(const char *path)
{
	static const char *const endings[] = { ".gz", ".xz", ".bz2", ".zst", ".lz4", ".zip" };
	const size_t n = strlen(path);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (n > strlen(endings[i]) &&
		    strcasecmp(path + n - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

/* audit_walk_fn */
static int
log_file(struct audit *a, const char *path, const char *name, struct error *err)
{
	struct audit_source s = { .a = a, .name = name, .file = AUDIT_NONE,
		.origin = AUDIT_FROM_LOG, .line = 1 };
	struct error why;
	struct stat st;
	int fd, rc = -1;

	a->counts.seen++;
	a->logs->files++;
	if (log_is_compressed(path)) {
		error_set(&why, ERROR_FORMAT, "it is compressed: unpack it, to have it looked at");
		return audit_unreadable(a, name, &why, err);
	}
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1 ||
	    fstat(fd, &st) != 0)
		error_io(&why, path, "cannot open");
	else if (!S_ISREG(st.st_mode))
		error_set(&why, ERROR_REFUSED, "it is no file any more");
	else
		rc = log_read(a->logs, &s, fd, path, &why);
	if (fd != -1)
		close(fd);
	if (rc == 0) {
		a->counts.read++;
		return 0;
	}
	if (why.code != ERROR_MEMORY)
		return audit_unreadable(a, name, &why, err);
	*err = why;
	return -1;
}

int
audit_logs_search(struct audit *a, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->o->log_count; i++)
		if (a->logs == NULL)
			rc = audit_keep_unread(&a->locked, a->o->logs[i],
			    "no sealed value is open that could be looked for in logs", err);
		else
			rc = audit_walk(a, a->o->logs[i], log_file, err);
	return rc;
}
