#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "crypto/key.h"
#include "file/file.h"
#include "secrets/key_source.h"

/* A key in base64 has at most 44 characters; the rest is room for line ends. */
#define TEXT_MAX 4096

static bool
key_source_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The key in ${text}, where blanks around it do not count. */
static struct key *
key_source_parse(const struct buf *text, const char *where, struct error *err)
{
	const char *p = text->len > 0 ? (const char *)text->data : "";
	size_t n = text->len;
	struct key *k;

	for (; n > 0 && key_source_is_blank(p[n - 1]); n--)
		;
	for (; n > 0 && key_source_is_blank(*p); n--)
		p++;
	if ((k = key_from_base64(p, n, err)) == NULL) {
		error_place(err, where, 0);
		error_hint(err, "a master key is 16, 24 or 32 bytes in base64, as `propseal "
		    "master-key generate` printed it");
	}
	return k;
}

static struct key *
key_source_from_file(const char *path, struct error *err)
{
	struct key *k = NULL;
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	if (file_read_stream(path, &text, err) == 0)
		k = key_source_parse(&text, path, err);
	buf_release(&text);
	return k;
}

static struct key *
key_source_from_environment(const char *name, char *value, struct error *err)
{
	struct key *k;
	struct buf text;

	buf_init_secret(&text, TEXT_MAX);
	buf_append_str(&text, value);
	k = buf_check(&text, err) == 0 ? key_source_parse(&text, name, err) : NULL;
	buf_release(&text);
	/* Neither a child nor a reader of our memory finds it there again. */
	if (k != NULL) {
		secmem_wipe(value, strlen(value));
		unsetenv(name);
	}
	return k;
}

/* The key in the systemd credential; ${*found} is false when there is none. */
static struct key *
key_source_from_credential(struct error *err, bool *found)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct key *k = NULL;
	struct file_id id;
	struct buf path;

	*found = false;
	if (dir == NULL || dir[0] == '\0')
		return NULL;
	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s", dir, KEY_SOURCE_CREDENTIAL);
	/* One that cannot be examined is not one that is not there. */
	if (buf_check(&path, NULL) == 0 &&
	    (file_identify(buf_cstr(&path), &id, NULL) != 0 || id.exists)) {
		*found = true;
		k = key_source_from_file(buf_cstr(&path), err);
	}
	buf_release(&path);
	return k;
}

struct key *
key_source_find(const char *file, const char *envvar, const char **where, struct error *err)
{
	const char *ignored;
	struct key *k;
	bool found;
	char *value;

	if (where == NULL)
		where = &ignored;
	if (file != NULL) {
		*where = "--master-key-file";
		return key_source_from_file(file, err);
	}
	if ((value = getenv(envvar)) != NULL && value[0] != '\0') {
		*where = "the environment";
		return key_source_from_environment(envvar, value, err);
	}
	*where = "the systemd credential " KEY_SOURCE_CREDENTIAL;
	k = key_source_from_credential(err, &found);
	if (found)
		return k;
	*where = NULL;
	error_set(err, ERROR_MISSING, "no master key: the environment variable %s is not set",
	    envvar);
	error_hint(err, "export %s, or give --master-key-file FILE, or the systemd credential %s",
	    envvar, KEY_SOURCE_CREDENTIAL);
	return NULL;
}
