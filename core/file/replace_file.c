#include "file/replace_file.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "file/file.h"
#include "file/lock.h"
#include "file/replace.h"

int
replace_file(const char *path, const struct file_id *expected, const struct buf *content,
    struct error *err)
{
	struct replace *r = replace_prepare(path, expected, content, NULL, NULL, err);
	int rc = r != NULL ? replace_commit(r, err) : -1;

	replace_free(r);
	return rc;
}

static int
under_lock(const char *path, int timeout_ms, bool must_be_new, const struct buf *content,
    struct error *err)
{
	struct lock *l = lock_files(&path, 1, timeout_ms, NULL, NULL, err);
	struct file_id id;
	int rc = -1;

	if (l == NULL || file_identify(path, &id, err) != 0)
		goto done;
	if (must_be_new && id.exists) {
		error_set(err, ERROR_EXISTS, "the file is there already");
		error_place(err, path, 0);
		goto done;
	}
	rc = replace_file(path, &id, content, err);
done:
	lock_release(l);
	return rc;
}

int
replace_file_locked(const char *path, int timeout_ms, const struct buf *content,
    struct error *err)
{
	return under_lock(path, timeout_ms, false, content, err);
}

int
replace_file_new(const char *path, int timeout_ms, const struct buf *content,
    struct error *err)
{
	return under_lock(path, timeout_ms, true, content, err);
}
