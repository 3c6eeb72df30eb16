#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/secmem.h"
#include "file/file.h"
#include "file/replace.h"
#include "registry/audit/audit_internal.h"

#define CHUNK ((size_t)AUDIT_LINE_MAX * 4)
#define END_BYTES ((uint64_t)1 << 20)	/* in which the last line is looked for */

#define FILES_MAX 100000U
#define HEAD_LINES 64U		/* among which the first whole line is looked for */

#define PURPOSE "audit anchor"
#define ANCHOR_MAX 512
#define LOCK_MS 1000

struct audit_lines {
	int fd;
	const char *name;
	uint64_t offset;	/* in the file, of bytes + at */
	uint64_t number;
	size_t at, len;
	size_t scanned;		/* without a line end, from at on */
	bool end;
	bool inside;		/* the line's first piece was given out */
	char bytes[CHUNK];
};

struct audit_lines *
audit_lines_new(int fd, const char *name, uint64_t from, struct error *err)
{
	struct audit_lines *l = malloc(sizeof(*l));

	if (l == NULL) {
		error_memory(err);
		return NULL;
	}
	memset(l, 0, offsetof(struct audit_lines, bytes));
	l->fd = fd;
	l->name = name;
	l->offset = from;
	return l;
}

void
audit_lines_free(struct audit_lines *l)
{
	free(l);
}

static int
audit_lines_fill(struct audit_lines *l, struct error *err)
{
	ssize_t n;

	memmove(l->bytes, l->bytes + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	do
		n = pread(l->fd, l->bytes + l->len, CHUNK - l->len,
		    (off_t)(l->offset + l->len));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return error_io(err, l->name, "cannot read");
	l->len += (size_t)n;
	l->end = n == 0;
	return 0;
}

static int
give(struct audit_lines *l, size_t n, bool whole, struct audit_lines_line *out)
{
	if (!l->inside)
		l->number++;
	*out = (struct audit_lines_line){ l->bytes + l->at, n, l->offset, l->number, whole };
	n += whole;
	l->at += n;
	l->offset += n;
	l->scanned = 0;
	l->inside = !whole;
	return 1;
}

int
audit_lines_next(struct audit_lines *l, struct audit_lines_line *out, struct error *err)
{
	const char *end;
	size_t n;

	for (;;) {
		n = l->len - l->at;
		end = memchr(l->bytes + l->at + l->scanned, '\n', n - l->scanned);
		if (end != NULL)
			return give(l, (size_t)(end - (l->bytes + l->at)), true, out);
		if (n >= AUDIT_LINE_MAX)
			return give(l, AUDIT_LINE_MAX, false, out);
		l->scanned = n;
		if (l->end)
			return n > 0 ? give(l, n, false, out) : 0;
		if (audit_lines_fill(l, err) != 0)
			return -1;
	}
}

uint64_t
audit_files_named(const char *name)
{
	const char *form = ".00000000T000000Z-";
	char *end;
	unsigned long long seq;

	for (; *form != '\0'; form++, name++)
		if (*form == '0' ? *name < '0' || *name > '9' : *name != *form)
			return 0;
	if (*name < '0' || *name > '9')
		return 0;
	errno = 0;
	seq = strtoull(name, &end, 10);
	return *end == '\0' && errno == 0 ? seq : 0;
}

int
audit_files_open(struct audit_file *f, struct error *err)
{
	if (f->fd >= 0)
		return f->fd;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd >= 0)
		return f->fd;
	if (errno != ENOENT)
		return error_io(err, f->path, "cannot open");
	error_set(err, ERROR_MISSING, "no such file");
	return error_place(err, f->path, 0);
}

/* The first line that has our form; 0: none. */
static int
first_seq(int fd, const char *path, uint64_t *out, struct error *err)
{
	struct audit_lines *l = audit_lines_new(fd, path, 0, err);
	struct audit_lines_line line;
	struct audit_tail tail;
	size_t i;
	int rc = 1;

	*out = 0;
	if (l == NULL)
		return -1;
	for (i = 0; i < HEAD_LINES && *out == 0; i++) {
		if ((rc = audit_lines_next(l, &line, err)) != 1)
			break;
		if (line.whole && audit_chain_tail(line.text, line.len, &tail))
			*out = tail.seq;
	}
	audit_lines_free(l);
	return rc < 0 ? -1 : 0;
}

/* Take it if it is one; 0 also when it is not. */
static int
audit_files_add(struct audit_files *f, const char *path, const char *rest, struct error *err)
{
	struct audit_file one = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	struct audit_file *more;
	struct stat st, other;
	size_t i;

	if (one.fd == -1)
		return errno == ENOENT ? 0 : error_io(err, path, "cannot open");
	if (fstat(one.fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto no;
	for (i = 0; i < f->count; i++)
		if (f->files[i].fd >= 0 && fstat(f->files[i].fd, &other) == 0 &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino)
			goto no;
	if (first_seq(one.fd, path, &one.first, err) != 0)
		goto fail;
	one.named = audit_files_named(rest);
	if (one.first == 0 && one.named == 0 && *rest != '\0')
		goto no;
	more = f->count < FILES_MAX ? realloc(f->files, (f->count + 1) * sizeof(*more)) : NULL;
	if (more == NULL || (one.path = strdup(path)) == NULL) {
		if (more != NULL)
			f->files = more;
		error_memory(err);
		goto fail;
	}
	/* FILE itself may be moved while the others are read. */
	if (*rest != '\0') {
		close(one.fd);
		one.fd = -1;
	}
	f->files = more;
	f->files[f->count++] = one;
	return 0;
fail:
	close(one.fd);
	return -1;
no:
	close(one.fd);
	return 0;
}

/* A file without lines: by its name if we gave it, else it is the newest. */
static uint64_t
audit_files_place(const struct audit_file *f)
{
	if (f->first != 0)
		return f->first;
	return f->named != 0 ? f->named : UINT64_MAX;
}

static int
audit_files_by_seq(const void *a, const void *b)
{
	uint64_t x = audit_files_place(a), y = audit_files_place(b);

	return (x > y) - (x < y);
}

static int
add_moved(struct audit_files *f, const char *folder, const char *file, struct error *err)
{
	const char *base = file_basename(file);
	size_t n = strlen(base);
	char path[PATH_MAX];
	struct dirent *d;
	DIR *dir = opendir(folder);
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : error_io(err, folder, "cannot read the folder");
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, base, n) != 0 || d->d_name[n] != '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%.*s%s", (int)(base - file), file,
		    d->d_name) < sizeof(path))
			rc = audit_files_add(f, path, d->d_name + n, err);
	}
	closedir(dir);
	return rc;
}

int
audit_files_list(const char *file, bool none_is_fine, struct audit_files *out, struct error *err)
{
	size_t n = (size_t)(file_basename(file) - file);
	char folder[PATH_MAX];

	*out = (struct audit_files){ NULL, 0 };
	if (n >= sizeof(folder))
		return error_set(err, ERROR_LIMIT, "the file's name is too long");
	snprintf(folder, sizeof(folder), "%.*s", (int)n, file);
	if (audit_files_add(out, file, "", err) != 0 ||
	    add_moved(out, n == 0 ? "." : folder, file, err) != 0) {
		audit_files_release(out);
		return -1;
	}
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), audit_files_by_seq);
	if (out->count > 0 || none_is_fine)
		return 0;
	error_set(err, ERROR_MISSING, "no audit log");
	return error_place(err, file, 0);
}

void
audit_files_release(struct audit_files *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (f->files[i].fd >= 0)
			close(f->files[i].fd);
		free(f->files[i].path);
	}
	free(f->files);
	*f = (struct audit_files){ NULL, 0 };
}

static int
audit_anchor_path_of(const char *file, char path[PATH_MAX], struct error *err)
{
	if ((size_t)snprintf(path, PATH_MAX, "%s.anchor", file) < PATH_MAX)
		return 0;
	return error_set(err, ERROR_LIMIT, "the file's name is too long");
}

/* The whole text; it has no other form. */
static int
audit_anchor_put(const struct key *k, const struct audit_chain *c, uint64_t first, struct buf *out,
    struct error *err)
{
	char hex[2 * MAC_BYTES];
	unsigned char sum[MAC_BYTES];
	struct json_out o;
	struct mac *m;
	int rc;

	hex_text(c->hash, MAC_BYTES, hex);
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_uint(&o, "seq", c->seq);
	json_out_text_n(&o, "hash", hex, sizeof(hex));
	json_out_uint(&o, "first", first);
	if (buf_check(out, err) != 0 || (m = mac_new(k, PURPOSE, err)) == NULL)
		return -1;
	rc = mac_sum(m, "", 0, out->data, out->len, sum, err);
	mac_free(m);
	if (rc != 0)
		return -1;
	hex_text(sum, MAC_BYTES, hex);
	json_out_text_n(&o, "mac", hex, sizeof(hex));
	json_out_end(&o);
	return json_out_finish(&o, err);
}

int
audit_anchor_write(const char *file, const struct key *k, const struct audit_chain *c,
    uint64_t first, struct error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc = -1;

	buf_init(&text, ANCHOR_MAX);
	if (audit_anchor_path_of(file, path, err) == 0 && audit_anchor_put(k, c, first, &text,
	    err) == 0)
		rc = replace_file_locked(path, LOCK_MS, &text, err);
	buf_release(&text);
	return rc;
}

static int
audit_anchor_parse(const struct key *k, struct buf *text, struct audit_anchor *out,
    struct error *err)
{
	char hex[2 * MAC_BYTES + 1];
	struct buf again;
	int rc = -1;

	buf_init(&again, ANCHOR_MAX);
	if (sscanf(buf_cstr(text), "{" JSON_NAME("seq") "%" SCNu64 "," JSON_NAME("hash")
	    "\"%64[0-9a-f]\"," JSON_NAME("first") "%" SCNu64, &out->chain.seq, hex,
	    &out->first) == 3 && strlen(hex) == 2 * MAC_BYTES && out->chain.seq > 0 &&
	    hex_parse_lower(hex, MAC_BYTES, out->chain.hash) &&
	    audit_anchor_put(k, &out->chain, out->first, &again, err) == 0 &&
	    secret_equal(text->data, text->len, again.data, again.len))
		rc = 0;
	else
		error_set(err, ERROR_DAMAGED, "the anchor of the audit log was changed");
	buf_release(&again);
	return rc;
}

int
audit_anchor_read(const char *file, const struct key *k, struct audit_anchor *out,
    struct error *err)
{
	char path[PATH_MAX];
	struct error failed = { 0 };
	struct buf text;
	int rc;

	memset(out, 0, sizeof(*out));
	if (audit_anchor_path_of(file, path, err) != 0)
		return -1;
	buf_init(&text, ANCHOR_MAX);
	rc = file_read(path, &text, NULL, &failed);
	if (rc == 0 && (rc = audit_anchor_parse(k, &text, out, &failed)) != 0)
		error_place(&failed, path, 0);
	buf_release(&text);
	if (rc == 0 || failed.code == ERROR_MISSING)
		return 0;
	if (err != NULL)
		*err = failed;
	return -1;
}

bool
audit_line_member(const char *line, size_t n, const char *mark, char *out, size_t size)
{
	const char *from = memmem(line, n, mark, strlen(mark));
	const char *end;

	if (from == NULL)
		return false;
	from += strlen(mark);
	end = memchr(from, '"', n - (size_t)(from - line));
	if (end == NULL || (size_t)(end - from) >= size)
		return false;
	memcpy(out, from, (size_t)(end - from));
	out[end - from] = '\0';
	return true;
}

/* --- the end --- */

/* The last whole line of an open file; size 0: it has none. */
static int
end_of_file(int fd, const char *path, const struct key *k, struct audit_chain *end,
    uint64_t *size, struct error *err)
{
	static const char head[] = "{" JSON_NAME("specversion");
	struct audit_lines_line line;
	struct audit_lines *l;
	struct audit_tail tail;
	struct stat st;
	struct mac *m = NULL;
	uint64_t from;
	int rc = -1;
	bool ours = true;

	*size = 0;
	if (fstat(fd, &st) != 0)
		return error_io(err, path, "cannot read");
	from = (uint64_t)st.st_size > END_BYTES ? (uint64_t)st.st_size - END_BYTES : 0;
	if ((l = audit_lines_new(fd, path, from, err)) == NULL ||
	    (m = mac_new(k, AUDIT_CHAIN_PURPOSE, err)) == NULL)
		goto done;
	while ((rc = audit_lines_next(l, &line, err)) == 1) {
		/* The first may be the end of one. */
		if (!line.whole) {
			if (from == 0 && *size == 0 && line.offset == 0 && line.len > 0)
				ours = memcmp(line.text, head, line.len < sizeof(head) - 1 ?
				    line.len : sizeof(head) - 1) == 0 || line.text[0] == '\0';
			continue;
		}
		if (audit_chain_tail(line.text, line.len, &tail)) {
			*size = line.offset + line.len + 1;
			end->seq = tail.seq;
			memcpy(end->hash, tail.hash, MAC_BYTES);
			ours = audit_chain_fits(m, line.text, &tail);
		} else if (from == 0 || line.offset > from) {
			ours = false;
		}
	}
	if (rc == 0 && !ours) {
		rc = error_set(err, ERROR_DAMAGED, *size > 0 ? "the last line of the audit log was "
		    "changed" : "this is not an audit log");
		error_place(err, path, 0);
	}
done:
	mac_free(m);
	audit_lines_free(l);
	return rc;
}

int
audit_files_end(const char *file, const struct key *k, struct audit_chain *end, uint64_t *size,
    struct error *err)
{
	struct audit_files files;
	uint64_t other;
	size_t i;
	int rc = 0, fd;

	*end = (struct audit_chain){ 0 };
	*size = 0;
	if (audit_files_list(file, true, &files, err) != 0)
		return -1;
	/* The newest that has a line; FILE itself may have none yet. */
	for (i = files.count; i > 0 && rc == 0 && end->seq == 0; i--) {
		struct audit_file *f = &files.files[i - 1];

		if ((fd = audit_files_open(f, err)) == -1 ||
		    end_of_file(fd, f->path, k, end, &other, err) == -1)
			rc = -1;
		else if (strcmp(f->path, file) == 0)
			*size = other;
	}
	audit_files_release(&files);
	return rc;
}
