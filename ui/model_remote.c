#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "file/file.h"
#include "document/document.h"
#include "estate/estate.h"
#include "plan/configuration.h"
#include "secrets/reference.h"
#include "ui/model.h"
#include "ui/ui.h"

#define VALUE_MAX ((size_t)64 * 1024)

/* The path in the reference that entry ${key} of ${file} holds. */
static bool
path_in_file(const char *file, const char *key, size_t len, struct buf *out)
{
	struct configuration *c = configuration_load(file, NULL);
	struct reference r;
	struct buf value;
	bool found = false;
	size_t i;

	if (c == NULL)
		return false;
	buf_init_secret(&value, VALUE_MAX);
	i = document_find(c->doc, key, len);
	if (i != DOCUMENT_NONE && document_value(c->doc, i, &value, NULL) == 0 &&
	    reference_parse((const char *)value.data, value.len, &r) &&
	    reference_is_ours(&r) && r.path != NULL) {
		buf_append(out, r.path, r.path_len);
		found = true;
	}
	buf_release(&value);
	configuration_free(c);
	return found;
}

bool
model_referred_path(const struct model *m, struct buf *out)
{
	const struct estate_file *f;
	size_t i, k;

	for (i = 0; i < estate_count(m->estate); i++) {
		f = estate_file(m->estate, i);
		for (k = 0; k < f->count; k++)
			if (f->entries[k].name != NULL)
				break;
		if (k < f->count && path_in_file(f->path, f->entries[k].key,
		    f->entries[k].key_len, out))
			return true;
	}
	return false;
}

/* The absolute path of a file that need not exist, in a folder that does. */
static int
absolute_path(const char *path, struct buf *out, struct error *err)
{
	const char *base = file_basename(path);
	char *real = realpath(path, NULL);
	char *folder;

	if (real != NULL) {
		buf_append_str(out, real);
		free(real);
		return buf_check(out, err);
	}
	folder = base == path ? strdup(".") : strndup(path, (size_t)(base - path));
	real = folder != NULL ? realpath(folder, NULL) : NULL;
	free(folder);
	if (real == NULL)
		return error_io(err, path, "cannot tell the absolute path");
	buf_append_str(out, real);
	if (strcmp(real, "/") != 0)
		buf_append_char(out, '/');
	buf_append_str(out, base);
	free(real);
	return buf_check(out, err);
}

int
model_remote(const struct model *m, struct buf *out, struct error *err)
{
	if (m->remote != NULL)
		buf_append_str(out, m->remote);
	else if (m->options->remote_path != NULL)
		buf_append_str(out, m->options->remote_path);
	else if (!model_referred_path(m, out))
		return absolute_path(m->secrets_path, out, err);
	return buf_check(out, err);
}
