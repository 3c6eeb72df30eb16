#include "cli/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "base/equal.h"
#include "common/options.h"
#include "common/askpass.h"
#include "common/report.h"
#include "secrets/passphrase.h"

/* The descriptor that a value names, or -1. */
static int
descriptor_of(const struct buf *spec)
{
	const char *p = (const char *)spec->data;
	int fd = 0;
	size_t i;

	if (spec->len == 1 && p[0] == '-')
		return STDIN_FILENO;
	if (spec->len < 4 || spec->len > 8 || memcmp(p, "fd:", 3) != 0)
		return -1;
	for (i = 3; i < spec->len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		fd = 10 * fd + (p[i] - '0');
	}
	return fd;
}

static bool
is_file(const struct buf *spec)
{
	return spec->len > 1 && spec->data[0] == '@';
}

bool
source_is_literal(const struct options *o, enum flag_id id)
{
	const struct buf *spec = &o->secret[id];

	return o->given[id] && !is_file(spec) && descriptor_of(spec) < 0;
}

static void
warn_literal(enum flag_id id)
{
	const char *name = flag_get(id)->name;

	if (id == FLAG_CONFIG_TEXT)
		report_warning("give --config @FILE, or --config - and the text on standard input",
		    "values on the command line can be seen by other users of this host and "
		    "stay in the shell's history");
	else
		report_warning("give @FILE, - (standard input), fd:N, or leave the flag out to "
		    "be asked",
		    "the value of --%s on the command line can be seen by other users of this "
		    "host and stays in the shell's history", name);
}

/* `@` or `fd:` and no name or number behind it, as an empty variable leaves it. */
static int
check_spec(enum flag_id id, const struct buf *spec, struct error *err)
{
	bool at = spec->len == 1 && spec->data[0] == '@';
	bool fd = spec->len >= 3 && memcmp(spec->data, "fd:", 3) == 0 && descriptor_of(spec) < 0;

	if (!at && !fd)
		return 0;
	error_set(err, ERROR_USAGE, "--%s has %s with no %s behind it", flag_get(id)->name,
	    at ? "@" : "fd:", at ? "file name" : "number");
	return error_hint(err, at ? "write @FILE" : "write fd:N, the number of an open descriptor");
}

int
source_read(const struct options *o, enum flag_id id, struct buf *out, struct error *err)
{
	const struct buf *spec = &o->secret[id];
	struct buf path;
	int fd, rc;

	if (id != FLAG_CONFIG_TEXT && check_spec(id, spec, err) != 0)
		return -1;

	if (is_file(spec)) {
		/* The name of a file is no secret. */
		buf_init(&path, 4096);
		buf_append(&path, spec->data + 1, spec->len - 1);
		rc = buf_check(&path, err);
		if (rc == 0)
			rc = file_read_stream(buf_cstr(&path), out, err);
		buf_release(&path);
		return rc;
	}
	if ((fd = descriptor_of(spec)) >= 0)
		return file_read_fd(fd, fd == STDIN_FILENO ? "standard input" :
		    "the descriptor of fd:N", out, err);
	if (spec->len > 0)
		warn_literal(id);
	buf_append(out, spec->data, spec->len);
	return buf_check(out, err);
}

/* What the reference says when nothing is given, where nobody can be asked. */
static int
no_terminal(enum flag_id id, struct error *err)
{
	const char *name = flag_get(id)->name;

	error_set(err, ERROR_USAGE, "no --%s, and no terminal to ask for it", name);
	return error_hint(err, "give --%s @FILE, - (standard input) or fd:N", name);
}

int
source_passphrase(const struct options *o, enum flag_id id, const char *text, bool twice,
    struct buf *out, struct error *err)
{
	int rc;

	if (o->given[id])
		rc = source_read(o, id, out, err);
	else if (!askpass_available())
		rc = no_terminal(id, err);
	else if (twice)
		rc = askpass_twice(text, out, err);
	else
		rc = askpass_line(text, out, err);
	if (rc != 0)
		return rc;
	return passphrase_normalise(out, err);
}

static bool
one_stream(const struct options *o)
{
	int fd = descriptor_of(&o->secret[FLAG_PASSPHRASE]);

	return fd >= 0 && fd == descriptor_of(&o->secret[FLAG_PASSPHRASE_NEW]);
}

/* Two lines, the last line end may be missing. */
static int
read_lines(const struct options *o, struct buf *old, struct buf *new, struct error *err)
{
	const unsigned char *end;
	struct buf both;
	size_t n;
	int rc = -1;

	buf_init_secret(&both, 2 * SOURCE_PASSPHRASE_MAX);
	if (source_read(o, FLAG_PASSPHRASE, &both, err) != 0)
		goto out;
	end = both.len > 0 ? memchr(both.data, '\n', both.len) : NULL;
	n = end != NULL ? (size_t)(end - both.data) + 1 : both.len;
	buf_append(old, both.data, n);
	buf_append(new, both.data + n, both.len - n);
	end = new->len > 0 ? memchr(new->data, '\n', new->len) : NULL;
	if (new->len == 0 || (end != NULL && (size_t)(end - new->data) + 1 < new->len)) {
		error_set(err, ERROR_USAGE, "expected two lines: the passphrase and the new one");
		error_hint(err, "or give one of the two by @FILE or fd:N");
		goto out;
	}
	if (buf_check(old, err) == 0 && buf_check(new, err) == 0 &&
	    passphrase_normalise(old, err) == 0)
		rc = passphrase_normalise(new, err);
out:
	buf_release(&both);
	return rc;
}

int
source_passphrases(const struct options *o, struct buf *old, struct buf *new, struct error *err)
{
	if (one_stream(o))
		return read_lines(o, old, new, err);
	if (source_passphrase(o, FLAG_PASSPHRASE, "Passphrase of the master key: ", false, old,
	    err) != 0)
		return -1;
	return source_passphrase(o, FLAG_PASSPHRASE_NEW, "Passphrase of the new master key: ",
	    true, new, err);
}
