#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "estate/finder.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "secrets/secrets_file.h"

#define FILES_MAX 1000000
#define PATH_BYTES_MAX 65536

/* The last folder above ${real} in which secrets files of a file that was named
 * itself are looked for: that of the current folder, of a propseal.ini or a
 * .git; without one it is its own. */
static size_t
length_of_top(const char *real)
{
	char *here = getcwd(NULL, 0);
	size_t n = strlen(real), top = n;
	struct buf path;
	struct stat st;
	bool found = false;

	buf_init(&path, PATH_BYTES_MAX);
	while (!found && n > 1) {
		buf_clear(&path);
		buf_append(&path, real, n);
		found = here != NULL && strcmp(buf_cstr(&path), here) == 0;
		buf_append_str(&path, "/.git");
		found = found || lstat(buf_cstr(&path), &st) == 0;
		buf_truncate(&path, n);
		buf_append_str(&path, "/propseal.ini");
		found = found || lstat(buf_cstr(&path), &st) == 0;
		if (found)
			top = n;
		while (n > 0 && real[n - 1] != '/')
			n--;
		n -= n > 0;
	}
	buf_release(&path);
	free(here);
	return top;
}

/* Take the secrets files of one folder, as they are not asked for, silently. */
static int
look_in(struct environments *e, const char *folder, const struct scope *scope,
    struct vec *leftovers, struct error *err)
{
	struct configuration *c;
	struct vec files, folders;
	struct error why = { .code = ERROR_NONE };
	char *path;
	int rc = 0;

	vec_init(&files, sizeof(char *), FILES_MAX);
	vec_init(&folders, sizeof(char *), FILES_MAX);
	if (walk_folder(folder, scope, &files, &folders, leftovers, &why) != 0 &&
	    why.code == ERROR_MEMORY)
		rc = error_memory(err);
	while (rc == 0 && (path = walk_pop(&files)) != NULL) {
		c = scope_format(scope, path) == DOCUMENT_ENTRIES ?
		    configuration_load(path, scope, NULL) : NULL;
		if (c != NULL && secrets_file_recognise(c->doc) &&
		    environments_add(e, path, c, err) == NULL)
			rc = -1;
		configuration_free(c);
		free(path);
	}
	vec_release_strings(&files);
	vec_release_strings(&folders);
	return rc;
}

int
environments_look_beside(struct environments *e, const char *path, const struct scope *scope,
    struct vec *leftovers, struct error *err)
{
	char *folder = file_folder(path);
	char *real = folder != NULL ? realpath(folder, NULL) : NULL;
	size_t n, top;
	int rc = 0;

	if (environments_only(e) == NULL && folder != NULL && real != NULL) {
		rc = look_in(e, folder, scope, leftovers, err);
		for (n = strlen(real), top = length_of_top(real); rc == 0 && n > top;) {
			while (n > 0 && real[n - 1] != '/')
				n--;
			n -= n > 1;
			real[n] = '\0';
			rc = look_in(e, real, scope, leftovers, err);
		}
	}
	free(real);
	free(folder);
	return rc;
}

/* The references of the whole file, for the rule of the one path that fits. */
static int
refer_all(struct environments *e, const struct document *d, struct error *err)
{
	struct buf value;
	struct reference r;
	size_t start, end;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; rc == 0 && i < document_count(d); i++) {
		if (!reference_may_be_in(d, i))
			continue;
		buf_clear(&value);
		if (document_value(d, i, &value, err) != 0)
			rc = -1;
		for (end = 0; rc == 0 && resolve_next((const char *)value.data, value.len, end,
		    &r, &start, &end);)
			rc = environments_refer(e, &r, err);
	}
	buf_release(&value);
	return rc;
}

int
environments_settle_for(struct environments *e, struct configuration *const configs[], size_t n,
    const struct scope *scope, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (environments_look_beside(e, configs[i]->path, scope, NULL, err) != 0)
			return -1;
	if (environments_settle(e, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (refer_all(e, configs[i]->doc, err) != 0)
			return -1;
	return 0;
}

int
environments_state(struct environments *e, const char *config, const char *value, size_t n,
    struct resolution *out, struct error *err)
{
	struct resolution x;
	struct reference r;
	size_t at = 0, start, end;
	bool found = false;

	memset(out, 0, sizeof(*out));
	out->state = STATE_PLAIN;
	out->checked = true;
	out->entry = DOCUMENT_NONE;
	for (; resolve_next(value, n, at, &r, &start, &end); at = end) {
		if (!reference_is_ours(&r)) {
			if (start == 0 && end == n)
				out->state = STATE_OTHER;
			continue;
		}
		if (environments_resolve(e, config, &r, &x, err) != 0)
			return -1;
		x.checked = x.checked && out->checked;
		if (!found || state_worse(out->state, x.state) != out->state)
			*out = x;
		out->checked = x.checked;
		found = true;
	}
	return 0;
}
