#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/number.h"
#include "base/secmem.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "file/file.h"
#include "registry/keys/keyring.h"

#define RAW 32
#define RAW_BASE64 44		/* characters */
#define RAW_HEX 64
#define MASTER_TEXT_MAX 4096
#define PATH_BYTES 4096
#define MASTER_BEST "32 random bytes in base64 are best: `openssl rand -base64 32`"
#define MASTER_SO_FAR "; what a registry was sealed with so far is taken as " \
    "master.encryption.old.key"
#define PIPE_MS 10000		/* how long the writer of a pipe may say nothing */

#define DISTINCT_RAW 12		/* different bytes in 32 random ones: 30 as a rule */
#define DISTINCT_TEXT 6		/* different characters in a passphrase */
#define NEAR_RAW 4		/* bytes by which a key of another length misses */

struct master {
	bool passphrase;
	struct buf bytes;	/* secret */
};

/* Known to everybody: cp-ansible's default and the keys of public demos. */
static const char *const public_texts[] = {
	"39ff95832750c0090d84ddf5344583832efe91ef",
	"password1234",
	"my_master_key",
};

static bool
master_is_public(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof(public_texts) / sizeof(*public_texts); i++)
		if (n == strlen(public_texts[i]) && strncasecmp(text, public_texts[i], n) == 0)
			return true;
	return false;
}

/* 32 bytes as text?  A failure stays in ${out}. */
static bool
raw_decode(struct buf *out, const char *text, size_t n)
{
	if (n == RAW_HEX && buf_reserve(out, RAW) == 0 && hex_parse(text, RAW, out->data)) {
		out->len = RAW;
		return true;
	}
	buf_truncate(out, 0);
	if (n == RAW_BASE64 && base64_decode(out, text, n) == 0 && out->len == RAW)
		return true;
	buf_truncate(out, 0);
	return false;
}

static size_t
master_distinct(const unsigned char *p, size_t n)
{
	bool seen[256] = { false };
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		count += !seen[p[i]];
		seen[p[i]] = true;
	}
	secmem_wipe(seen, sizeof(seen));
	return count;
}

/* The length of what ${text} repeats: its own if it repeats nothing. */
static size_t
master_period(const char *text, size_t n)
{
	size_t period = 1;

	while (period < n && memcmp(text, text + period, n - period) != 0)
		period++;
	return period;
}

/* The bytes that ${text} is the base64 or the hexadecimal digits of, if that is
 * what it looks like and they are nearly as many as a key has; else 0. */
static size_t
master_near_raw(const char *text, size_t n)
{
	bool lower = false, upper = false, digit = false;
	struct buf bytes;
	size_t len = 0, i;

	for (i = 0; i < n; i++) {
		lower |= ascii_is_lower(text[i]);
		upper |= ascii_is_upper(text[i]);
		digit |= ascii_is_digit(text[i]);
	}
	for (i = 0; i < n && hex_digit((unsigned char)text[i]) != -1; i++)
		continue;
	if (i == n && digit) {
		len = (n + 1) / 2;
	} else if (lower && upper && digit) {
		buf_init_secret(&bytes, MASTER_TEXT_MAX);
		if (base64_decode(&bytes, text, n) == 0)
			len = bytes.len;
		buf_release(&bytes);
	}
	return len + NEAR_RAW >= RAW && len <= RAW + NEAR_RAW ? len : 0;
}

/* What everybody would guess, or nobody meant.  ${raw}: the key itself; empty:
 * ${text} is a passphrase.  0: it is neither. */
static int
master_check_strength(const char *text, size_t n, const struct buf *raw, struct error *err)
{
	size_t period = master_period(text, n), near;

	if (raw->len > 0 && master_distinct(raw->data, raw->len) < DISTINCT_RAW) {
		error_set(err, ERROR_KEY, "the master key is not random: its %d bytes are nearly "
		    "all the same", RAW);
	} else if (raw->len > 0) {
		return 0;
	} else if (period < n && (period < MASTER_TEXT_MIN || master_is_public(text, period))) {
		error_set(err, ERROR_KEY, "the master passphrase repeats the same %zu bytes",
		    period);
	} else if (master_distinct((const unsigned char *)text, n) < DISTINCT_TEXT) {
		error_set(err, ERROR_KEY, "the master passphrase has fewer than %d different "
		    "characters", DISTINCT_TEXT);
	} else if ((near = master_near_raw(text, n)) != 0) {
		error_set(err, ERROR_KEY, "this looks like a master key of %zu bytes, but it has "
		    "%d", near, RAW);
		return error_hint(err, "was it copied as a whole?  " MASTER_BEST MASTER_SO_FAR);
	} else {
		return 0;
	}
	return error_hint(err, MASTER_BEST MASTER_SO_FAR);
}

static int
master_check_text(const char *text, size_t n, bool dev_mode, struct error *err)
{
	if (n == 0)
		error_set(err, ERROR_KEY, "the master secret is empty");
	else if (dev_mode)
		return 0;
	else if (master_is_public(text, n))
		error_set(err, ERROR_KEY,
		    "this master secret is public: it stands in deployment scripts or demos");
	else if (n < MASTER_TEXT_MIN)
		error_set(err, ERROR_KEY, "the master secret is shorter than %d bytes",
		    MASTER_TEXT_MIN);
	else
		return 0;
	return error_hint(err, MASTER_BEST);
}

struct master *
master_from_text(const struct buf *text, bool dev_mode, struct error *err)
{
	const char *p = text->len > 0 ? (const char *)text->data : "";
	size_t n = text->len;
	struct master *m;

	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && n < text->len && p[n - 1] == '\r')
		n--;
	if (master_check_text(p, n, dev_mode, err) == -1)
		return NULL;
	m = error_alloc(sizeof(*m), err);
	if (m == NULL)
		return NULL;
	buf_init_secret(&m->bytes, MASTER_TEXT_MAX);
	m->passphrase = !raw_decode(&m->bytes, p, n);
	if (!dev_mode && master_check_strength(p, n, &m->bytes, err) == -1)
		goto bad;
	if (m->passphrase)
		buf_append(&m->bytes, p, n);
	if (buf_check(&m->bytes, err) == 0)
		return m;
bad:
	master_free(m);
	return NULL;
}

void
master_free(struct master *m)
{
	if (m == NULL)
		return;
	buf_release(&m->bytes);
	free(m);
}

const struct buf *
master_bytes(const struct master *m, bool *passphrase)
{
	*passphrase = m->passphrase;
	return &m->bytes;
}

static struct master *
master_parse(const struct buf *text, bool dev_mode, const char *place, struct error *err)
{
	struct master *m = master_from_text(text, dev_mode, err);

	if (m == NULL)
		error_place(err, place, 0);
	return m;
}

/* Nobody else may be able to read it: ${mode} is what fstat said. */
static int
check_mode(const char *path, mode_t mode, struct error *err)
{
	char word[TEXT_WORD_MAX];

	if ((mode & (S_IRWXG | S_IRWXO)) == 0)
		return 0;
	error_set(err, ERROR_REFUSED, "others than its owner may use the master secret's file "
	    "(mode %04o)", (unsigned int)(mode & 07777));
	error_place(err, path, 0);
	return error_hint(err, "chmod 600 %s", text_word(path, word));
}

/* All that comes from a pipe, whoever writes to it, as long as something comes
 * within PIPE_MS: the start must not hang on one that nobody opens. */
static int
master_read_pipe(int fd, const char *path, struct buf *out, struct error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char part[512];
	ssize_t n = -1;
	int ready;

	for (;;) {
		ready = poll(&p, 1, PIPE_MS);
		if (ready == -1 && errno == EINTR)
			continue;
		if (ready == 1 && (n = read(fd, part, sizeof(part))) > 0) {
			buf_append(out, part, (size_t)n);
			continue;
		}
		if (ready == 1 && n == -1 && errno == EAGAIN)
			continue;
		break;
	}
	secmem_wipe(part, sizeof(part));
	if (ready == 1 && n == 0)
		return buf_check(out, err);
	if (ready != 0)
		return error_io(err, path, "cannot read");
	error_set(err, ERROR_IO, "nothing was written to this pipe for %d seconds", PIPE_MS / 1000);
	error_place(err, path, 0);
	return error_hint(err, "write the key to it and close it, or name a file");
}

/* A file or a pipe; ${private}: refused when others may read it. */
static int
master_read_file(const char *path, bool private, struct buf *out, struct error *err)
{
	struct stat st;
	int result = -1;
	int fd;

	/* Opening a device can do things of its own. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "neither a file nor a pipe");
		return error_place(err, path, 0);
	}
	/* A pipe is opened also while nobody writes to it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT) {
		error_set(err, ERROR_MISSING, "no such file");
		return error_place(err, path, 0);
	}
	if (fd == -1)
		return error_io(err, path, "cannot open");
	if (fstat(fd, &st) == -1)
		error_io(err, path, "cannot examine");
	else if (!private || check_mode(path, st.st_mode, err) == 0)
		result = S_ISFIFO(st.st_mode) ? master_read_pipe(fd, path, out, err) :
		    file_read_fd(fd, path, out, err);
	close(fd);
	return result;
}

static struct master *
master_from_file(const char *path, bool private, bool dev_mode, struct error *err)
{
	struct master *m = NULL;
	struct buf text;

	buf_init_secret(&text, MASTER_TEXT_MAX);
	if (master_read_file(path, private, &text, err) == 0)
		m = master_parse(&text, dev_mode, path, err);
	buf_release(&text);
	return m;
}

static struct master *
master_from_environment(char *value, bool dev_mode, struct error *err)
{
	struct master *m = NULL;
	struct buf text;

	buf_init_secret(&text, MASTER_TEXT_MAX);
	buf_append_str(&text, value);
	/* Neither a child nor a reader of our memory finds it there again. */
	secmem_wipe(value, strlen(value));
	unsetenv(MASTER_ENVVAR);
	if (buf_check(&text, err) == 0)
		m = master_parse(&text, dev_mode, MASTER_ENVVAR, err);
	buf_release(&text);
	return m;
}

/* The value of the variable, or NULL. */
static char *
variable(void)
{
	char *value = getenv(MASTER_ENVVAR);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The path of the systemd credential; false when there is none. */
static bool
master_credential(struct buf *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct file_id id;

	if (dir == NULL || dir[0] == '\0')
		return false;
	buf_printf(path, "%s/%s", dir, MASTER_CREDENTIAL);
	/* One that cannot be examined is not one that is not there. */
	return buf_check(path, NULL) == 0 &&
	    (file_identify(buf_cstr(path), &id, NULL) != 0 || id.exists);
}

/* ${*found} is false when there is none.  Its mode is systemd's affair: an
 * access control list shows in the group's bits. */
static struct master *
master_from_credential(bool dev_mode, bool *found, struct error *err)
{
	struct master *m = NULL;
	struct buf path;

	buf_init(&path, PATH_BYTES);
	*found = master_credential(&path);
	if (*found)
		m = master_from_file(buf_cstr(&path), false, dev_mode, err);
	buf_release(&path);
	return m;
}

bool
registry_master_given(void)
{
	struct buf path;
	bool given;

	buf_init(&path, PATH_BYTES);
	given = variable() != NULL || master_credential(&path);
	buf_release(&path);
	return given;
}

struct master *
registry_master_find(const char *file, bool dev_mode, const char **where, struct error *err)
{
	const char *ignored;
	struct master *m;
	bool found;
	char *value;

	if (where == NULL)
		where = &ignored;
	if (file != NULL) {
		*where = "--master-key-file";
		return master_from_file(file, !dev_mode, dev_mode, err);
	}
	if ((value = variable()) != NULL) {
		*where = "the environment";
		return master_from_environment(value, dev_mode, err);
	}
	*where = "the systemd credential " MASTER_CREDENTIAL;
	m = master_from_credential(dev_mode, &found, err);
	if (found)
		return m;
	*where = NULL;
	error_set(err, ERROR_MISSING, "no master secret for the registry");
	error_hint(err, "give --master-key-file FILE, or export %s, or the systemd credential %s",
	    MASTER_ENVVAR, MASTER_CREDENTIAL);
	return NULL;
}
