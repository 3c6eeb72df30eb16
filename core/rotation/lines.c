#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/map.h"
#include "base/number.h"
#include "base/text.h"
#include "rotation/lines.h"

#define SUM_BYTES 8
#define SUM_TEXT (2 * SUM_BYTES)
#define PART 65536	/* bytes that are read at once */
#define LINE 1024	/* the same, of one line */

/* What fits a spot. */
#define AT_MASK (((uint64_t)1 << 40) - 1)
#define CHECK_MASK (((uint64_t)1 << 24) - 1)

void
lines_begin(struct lines *l, const struct digest *d)
{
	l->digest = d;
	memset(l->sum, 0, sizeof(l->sum));
}

/* The digest of a line behind ${l}. */
static int
lines_sum(const struct lines *l, const void *words, size_t n, unsigned char out[DIGEST_SHA256],
    struct error *err)
{
	struct buf all;
	int rc;

	buf_init(&all, BUF_MAX_FILE);
	buf_append(&all, l->sum, sizeof(l->sum));
	buf_append(&all, words, n);
	rc = buf_check(&all, err);
	if (rc == 0 && (rc = digest_sha256(l->digest, all.data, all.len, out)) != 0)
		error_set(err, ERROR_CRYPTO, "OpenSSL cannot make a digest");
	buf_release(&all);
	return rc;
}

int
lines_append(struct lines *l, struct buf *out, const struct buf *words, struct error *err)
{
	unsigned char sum[DIGEST_SHA256];

	if (buf_check(words, err) != 0 || lines_sum(l, words->data, words->len, sum, err) != 0)
		return -1;
	memcpy(l->sum, sum, sizeof(sum));
	hex_append(out, sum, SUM_BYTES);
	buf_append_char(out, ' ');
	buf_append(out, words->data, words->len);
	buf_append_char(out, '\n');
	return 0;
}

enum lines_read
lines_next(struct lines *l, const char *text, size_t n, size_t *at, const char **words,
    size_t *len)
{
	const char *line = text + *at, *end;
	unsigned char sum[DIGEST_SHA256], said[SUM_BYTES];
	size_t left = n - *at;
	bool last;

	if (left == 0)
		return LINES_END;
	if ((end = memchr(line, '\n', left)) == NULL)
		return LINES_CUT;
	last = end + 1 == text + n;
	if (end - line < SUM_TEXT + 1 || line[SUM_TEXT] != ' ' ||
	    !hex_parse_lower(line, SUM_BYTES, said))
		return last ? LINES_CUT : LINES_DAMAGED;
	*words = line + SUM_TEXT + 1;
	*len = (size_t)(end - *words);
	if (lines_sum(l, *words, *len, sum, NULL) != 0 || memcmp(sum, said, SUM_BYTES) != 0)
		return last ? LINES_CUT : LINES_DAMAGED;
	memcpy(l->sum, sum, sizeof(sum));
	*at = (size_t)(end + 1 - text);
	return LINES_LINE;
}

int
lines_file_begin(struct lines_file *f, int fd, const char *path, struct error *err)
{
	*f = (struct lines_file){ .fd = fd, .path = path };
	buf_init(&f->part, BUF_MAX_FILE);
	return lseek(fd, 0, SEEK_SET) == 0 ? 0 : error_io(err, path, "cannot read");
}

void
lines_file_end(struct lines_file *f)
{
	buf_release(&f->part);
}

/* Have the next line and whether one follows it, or all that is left. */
static int
lines_fill(struct lines_file *f, struct error *err)
{
	struct buf *b = &f->part;
	const unsigned char *end;
	ssize_t n;

	while (!f->whole && (b->len == f->at || (end = memchr(b->data + f->at, '\n',
	    b->len - f->at)) == NULL || end + 1 == b->data + b->len)) {
		if (f->at > 0)
			memmove(b->data, b->data + f->at, b->len - f->at);
		f->before += f->at;
		buf_truncate(b, b->len - f->at);
		f->at = 0;
		if (buf_reserve(b, PART) != 0)
			return buf_check(b, err);
		if ((n = read(f->fd, b->data + b->len, PART)) == -1 && errno != EINTR)
			return error_io(err, f->path, "cannot read");
		b->len += n > 0 ? (size_t)n : 0;
		f->whole = n == 0;
	}
	return 0;
}

int
lines_file_next(struct lines *l, struct lines_file *f, enum lines_read *got, const char **words,
    size_t *len, struct error *err)
{
	if (lines_fill(f, err) != 0)
		return -1;
	*got = lines_next(l, (const char *)f->part.data, f->part.len, &f->at, words, len);
	return 0;
}

uint64_t
lines_at(const struct lines_file *f)
{
	return f->before + f->at;
}

struct lines_spot
lines_spot(uint64_t at, const void *words, size_t n)
{
	unsigned char seed[SIPHASH_KEY];

	(void)siphash_seed(seed);
	return (struct lines_spot){ at & AT_MASK, siphash_13(seed, words, n) & CHECK_MASK };
}

int
lines_again(int fd, const char *path, struct lines_spot spot, struct buf *line, struct words *w,
    struct error *err)
{
	const unsigned char *end = NULL;
	struct lines_spot now;
	ssize_t n;

	buf_clear(line);
	do {
		if (buf_reserve(line, LINE) != 0)
			return buf_check(line, err);
		n = pread(fd, line->data + line->len, LINE, (off_t)(spot.at + line->len));
		if (n == -1 && errno != EINTR)
			return error_io(err, path, "cannot read the session");
		line->len += n > 0 ? (size_t)n : 0;
		end = memchr(line->data, '\n', line->len);
	} while (end == NULL && n != 0);
	if (end != NULL && end > line->data + SUM_TEXT) {
		w->at = (const char *)line->data + SUM_TEXT + 1;
		w->len = (size_t)(end - line->data) - SUM_TEXT - 1;
		now = lines_spot(spot.at, w->at, w->len);
		if (now.check == spot.check)
			return 0;
	}
	error_set(err, ERROR_DAMAGED, "a line of the session is not any more what was read before");
	error_place(err, path, 0);
	return error_hint(err, "another program wrote to it: put it back from a copy of the "
	    "folder");
}

static void
words_begin(struct buf *words)
{
	if (words->len > 0)
		buf_append_char(words, ' ');
}

void
lines_put(struct buf *words, const char *text)
{
	words_begin(words);
	if (text == NULL)
		buf_append_char(words, '-');
	else if (text[0] == '\0')
		buf_append_str(words, "%");
	else if (strcmp(text, "-") == 0)
		buf_append_str(words, "%2D");
	else
		text_append_percent(words, text, strlen(text));
}

void
lines_put_number(struct buf *words, uint64_t n)
{
	words_begin(words);
	number_append(words, n);
}

void
lines_put_bytes(struct buf *words, const void *bytes, size_t n)
{
	words_begin(words);
	hex_append(words, bytes, n);
}

/* The next word as it stands.  False: there is none. */
static bool
words_next(struct words *w, const char **word, size_t *len)
{
	const char *end;

	if (w->at == NULL)
		return false;
	end = memchr(w->at, ' ', w->len);
	*word = w->at;
	*len = end != NULL ? (size_t)(end - w->at) : w->len;
	w->len -= *len + (end != NULL);
	w->at = end != NULL ? end + 1 : NULL;
	return *len > 0;
}

char *
words_text(struct words *w, bool *none)
{
	const char *word;
	char *out;
	size_t len, n = 0;

	if (none != NULL)
		*none = false;
	if (!words_next(w, &word, &len))
		return NULL;
	if (len == 1 && word[0] == '-') {
		if (none != NULL)
			*none = true;
		return NULL;
	}
	if ((out = malloc(len + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (word[i] != '%') {
			out[n++] = word[i];
		} else if (i + 2 < len && hex_parse(word + i + 1, 1, out + n)) {
			n++;
			i += 2;
		}
	}
	out[n] = '\0';
	return out;
}

void
words_skip(struct words *w, size_t n)
{
	const char *word;
	size_t len;

	while (n-- > 0 && words_next(w, &word, &len))
		;
}

bool
words_number(struct words *w, uint64_t max, uint64_t *out)
{
	const char *word;
	size_t len;

	return words_next(w, &word, &len) && number_parse(word, len, max, out);
}

bool
words_bytes(struct words *w, void *out, size_t n)
{
	const char *word;
	size_t len;

	return words_next(w, &word, &len) && len == 2 * n && hex_parse_lower(word, n, out);
}
