#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "file/replace.h"
#include "ui/app.h"
#include "ui/dialog.h"
#include "ui/options.h"
#include "ui/secret_file.h"

/* Is it no place that others get a copy of? */
static int
secret_file_check(const char *name, struct error *err)
{
	struct path p = PATH_NONE;
	char *folder = NULL;
	int rc = -1;

	if (path_open(&p, name, err) == -1)
		return -1;
	folder = file_folder(p.real);
	if (folder == NULL) {
		error_memory(err);
	} else if (file_in_work_tree(folder)) {
		error_set(err, ERROR_REFUSED, "it lies in a git work tree, from where it would "
		    "be committed");
		error_place(err, name, 0);
		error_hint(err, "choose a folder outside of it");
	} else {
		rc = file_check_output(name, err);
	}
	free(folder);
	path_close(&p);
	return rc;
}

static void
suggest(struct buf *path, const char *name)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");

	if (folder != NULL && folder[0] == '/')
		buf_printf(path, "%s/", folder);
	buf_append_str(path, name);
}

bool
secret_file_write(struct app *a, const char *title, const char *text, const char *name,
    const struct buf *value)
{
	bool written = false;
	struct error err;
	struct buf path;

	buf_init(&path, LINE_EDIT_MAX);
	suggest(&path, name);
	while (!written && ask_text(a, title, text, "New file:", &path) && path.len > 0) {
		if (secret_file_check(buf_cstr(&path), &err) == 0 &&
		    replace_file_new(buf_cstr(&path), a->options->lock_timeout_ms, value,
		    &err) == 0)
			written = true;
		else
			tell_error(a, "Not written", &err);
	}
	if (written)
		app_notice(a, "written to %s, mode 0600: remove it when it is not needed any more",
		    buf_cstr(&path));
	buf_release(&path);
	return written;
}
