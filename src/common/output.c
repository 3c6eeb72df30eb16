#include "common/output.h"

#include <string.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/key.h"
#include "common/report.h"

/* A key of 32 bytes has 44 characters; the frame around it is short. */
#define KEY_TEXT_MAX 1024

bool
output_is_stdout(const char *path)
{
	static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

int
output_write_fd(int fd, const char *name, const void *bytes, size_t n, struct error *err)
{
	const char *p = bytes;
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK)
			poll(&ready, 1, -1);
		else if (errno != EINTR)
			return error_io(err, name, "cannot write");
	}
	return 0;
}

int
output_write(const struct buf *b, struct error *err)
{
	if (buf_check(b, err) != 0)
		return -1;
	return output_write_fd(STDOUT_FILENO, "standard output", b->data, b->len, err);
}

/* The table of the reference: one row of two columns. */
static void
append_table(struct buf *out, const struct buf *key)
{
	size_t i;
	int row;

	for (row = 0; row < 3; row++) {
		if (row == 1) {
			buf_append_str(out, "| Master Key | ");
			buf_append(out, key->data, key->len);
			buf_append_str(out, " |\n");
			continue;
		}
		buf_append_str(out, "+------------+");
		for (i = 0; i < key->len + 2; i++)
			buf_append_char(out, '-');
		buf_append_str(out, "+\n");
	}
}

int
output_master_key(const struct key *k, enum output_format format, struct error *err)
{
	struct buf key, text;
	int rc = -1;

	buf_init_secret(&key, KEY_TEXT_MAX);
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &key);
	if (buf_check(&key, err) != 0)
		goto out;
	switch (format) {
	case OUTPUT_HUMAN:
		append_table(&text, &key);
		break;
	case OUTPUT_JSON:
		buf_append_str(&text, "{\n  \"master_key\": \"");
		buf_append(&text, key.data, key.len);
		buf_append_str(&text, "\"\n}\n");
		break;
	case OUTPUT_YAML:
		buf_append_str(&text, "master_key: ");
		buf_append(&text, key.data, key.len);
		buf_append_char(&text, '\n');
		break;
	}
	rc = output_write(&text, err);
	if (rc == 0)
		report_line("Save the master key. It cannot be retrieved later.");
out:
	if (rc != 0)
		error_hint(err, "the secrets file is written and the new master key is in force: "
		    "the passphrase still gives it, so keep the passphrase; on a terminal "
		    "propseal asks for key or passphrase, and `file rotate --master-key` makes "
		    "and prints another key");
	buf_release(&key);
	buf_release(&text);
	return rc;
}
