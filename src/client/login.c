#include "client/login.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "crypto/base64.h"

/* What a file holds, without one line end at its end. */
static int
read_file(const char *file, struct buf *out, struct error *err)
{
	if (file_read_stream(file, out, err) != 0)
		return -1;
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		buf_truncate(out, out->len - 1);
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return 0;
}

/* Fit for a header: neither a blank nor a line end, which would begin another. */
static bool
is_visible(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		if (b->data[i] <= ' ' || b->data[i] >= 0x7f)
			return false;
	}
	return b->len > 0;
}

int
login_by_token(const char *file, struct buf *header, struct error *err)
{
	struct buf token;
	int rc;

	buf_init_secret(&token, LOGIN_TOKEN_MAX);
	rc = read_file(file, &token, err);
	if (rc == 0 && !is_visible(&token)) {
		rc = error_set(err, ERROR_FORMAT, "this is no token");
		error_place(err, file, 0);
		error_hint(err, "a token is a line of visible ASCII characters");
	}
	if (rc == 0) {
		buf_append_str(header, "Bearer ");
		buf_append(header, token.data, token.len);
		rc = buf_check(header, err);
	}
	buf_release(&token);
	return rc;
}

int
login_by_password(const char *user, const struct buf *password, struct buf *header,
    struct error *err)
{
	struct buf pair;
	int rc;

	if (strchr(user, ':') != NULL) {
		error_set(err, ERROR_USAGE, "a user's name has no colon");
		return error_hint(err, "check --user; the password goes into --password-file");
	}
	buf_init_secret(&pair, LOGIN_PASSWORD_MAX + 512);
	buf_append_str(&pair, user);
	buf_append_char(&pair, ':');
	buf_append(&pair, password->data, password->len);
	rc = buf_check(&pair, err);
	if (rc == 0) {
		buf_append_str(header, "Basic ");
		base64_encode(header, pair.data, pair.len);
		rc = buf_check(header, err);
	}
	buf_release(&pair);
	return rc;
}

int
login_by_password_file(const char *user, const char *file, struct buf *header,
    struct error *err)
{
	struct buf password;
	int rc;

	buf_init_secret(&password, LOGIN_PASSWORD_MAX);
	rc = read_file(file, &password, err);
	if (rc == 0)
		rc = login_by_password(user, &password, header, err);
	buf_release(&password);
	return rc;
}
