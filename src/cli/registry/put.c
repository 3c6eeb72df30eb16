#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/askpass.h"
#include "file/file.h"
#include "base/text.h"
#include "common/options.h"
#include "common/output.h"
#include "cli/cli.h"
#include "cli/registry/remote.h"
#include "common/report.h"

#define VALUE_MAX (1U << 20)

/* The value: of --file, else from standard input, else asked for.  One line
 * end at its end does not count. */
static int
read_value(const struct options *o, struct buf *out, struct error *err)
{
	const char *file = o->text[FLAG_FILE_NAME];

	if (file == NULL && isatty(STDIN_FILENO) && askpass_available())
		return askpass_twice("Value: ", out, err) != 0 ? -1 : remote_check_text(out, err);
	if (file != NULL && strcmp(file, "-") != 0) {
		if (file_read_stream(file, out, err) != 0)
			return -1;
	} else if (file_read_fd(STDIN_FILENO, "standard input", out, err) != 0) {
		return -1;
	}
	if (out->len > 0 && out->data[out->len - 1] == '\n') {
		buf_truncate(out, out->len - 1);
		if (out->len > 0 && out->data[out->len - 1] == '\r')
			buf_truncate(out, out->len - 1);
	}
	return remote_check_text(out, err);
}

static int
add_cas(struct buf *body, const char *text, struct error *err)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n > 2147483647L) {
		error_set(err, ERROR_USAGE, "--cas takes the number of a version, or 0");
		return -1;
	}
	buf_append_str(body, ",\"cas\":");
	buf_append_str(body, text);
	return 0;
}

/* Append an unsigned number to a secret buffer, which has no printf. */
static void
append_number(struct buf *out, int n)
{
	char digits[12];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_append(out, digits + at, sizeof(digits) - at);
}

/* The number at the end of the Location header; NULL: another kind of answer. */
static const char *
version_of(const struct client_answer *a)
{
	const char *slash = strrchr(a->location, '/');

	if (slash == NULL || slash[1] == '\0' || strspn(slash + 1, "0123456789") !=
	    strlen(slash + 1))
		return NULL;
	return slash + 1;
}

static int
print_version(const struct options *o, struct remote *r, struct error *err)
{
	struct buf text;
	const char *version = version_of(&r->got);
	int rc;

	buf_init(&text, 8192);
	if (options_format(o) == OUTPUT_JSON) {
		buf_append_str(&text, "{\"path\":");
		text_append_json(&text, o->args[0], strlen(o->args[0]));
		buf_append_str(&text, ",\"key\":");
		text_append_json(&text, o->args[1], strlen(o->args[1]));
		buf_printf(&text, ",\"version\":%s}\n", version != NULL ? version : "null");
	} else {
		text_append_visible(&text, o->args[0], strlen(o->args[0]));
		buf_append_char(&text, ' ');
		text_append_visible(&text, o->args[1], strlen(o->args[1]));
		buf_printf(&text, ": version %s\n", version != NULL ? version : "unknown");
	}
	rc = output_write(&text, err);
	buf_release(&text);
	return rc;
}

int
commands_registry_put(const struct options *o)
{
	struct remote r;
	struct buf value;
	struct error err;
	int rc;

	buf_init_secret(&value, VALUE_MAX);
	rc = remote_open(&r, o, &err);
	if (rc == 0)
		rc = read_value(o, &value, &err);
	if (rc == 0) {
		remote_target(&r, "secret", "paths", o->args[0], "keys", o->args[1], "versions",
		    (const char *)NULL);
		buf_append_str(&r.body, "{\"secret\":");
		text_append_json(&r.body, value.data, value.len);
		if (o->text[FLAG_CAS] != NULL)
			rc = add_cas(&r.body, o->text[FLAG_CAS], &err);
		if (o->given[FLAG_TTL]) {
			buf_append_str(&r.body, ",\"ttl\":");
			append_number(&r.body, o->seconds[FLAG_TTL]);
		}
		buf_append_char(&r.body, '}');
	}
	buf_release(&value);
	if (rc == 0)
		rc = remote_call(&r, "POST", NULL, &err);
	if (rc == 0)
		rc = print_version(o, &r, &err);
	return remote_status(&r, rc, &err);
}
