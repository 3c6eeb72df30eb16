#ifndef SUPPORT_REPLACING_H
#define SUPPORT_REPLACING_H

/* What the tests of plan/replace.h share. */

#include "base/buf.h"
#include "base/error.h"
#include "file/replace.h"
#include "file/lock.h"
#include "faults.h"
#include "files.h"

#define OLD "a.password = old\n"
#define NEW "a.password = new, and longer than the old one\n"

UNIT_HELPER int
replacing_setup(void **state)
{
	faults_clear();
	return files_setup(state);
}

UNIT_HELPER struct file_id
identify(const char *path)
{
	struct file_id id;

	assert_int_equal(file_identify(path, &id, NULL), 0);
	return id;
}

/* What a new file is to hold, and who looks at it when it is there (NULL: nobody). */
struct preparing {
	const char *text;
	int (*end)(void *cookie, struct error *err);
	void *cookie;
};

UNIT_HELPER int
preparing_write(void *cookie, struct buf *out, struct error *err)
{
	const struct preparing *x = cookie;

	(void)err;
	buf_append_str(out, x->text);
	return 0;
}

UNIT_HELPER int
preparing_end(void *cookie, struct error *err)
{
	const struct preparing *x = cookie;

	return x->end != NULL ? x->end(x->cookie, err) : 0;
}

UNIT_HELPER struct replace *
prepare_as(const char *path, const struct file_id *id, const char *text,
    int (*end)(void *cookie, struct error *err), void *cookie, struct error *err)
{
	struct preparing x = { text, end, cookie };
	const struct file_content content = { preparing_write, NULL, preparing_end, &x };

	return replace_prepare(path, id, &content, err);
}

UNIT_HELPER struct replace *
prepare(const char *path, const char *text, struct error *err)
{
	struct file_id id = identify(path);

	return prepare_as(path, &id, text, NULL, NULL, err);
}

UNIT_HELPER int
replace(const char *path, const char *text, struct error *err)
{
	struct replace *r = prepare(path, text, err);
	int result = r == NULL ? -1 : replace_commit(r, err);

	replace_free(r);
	return result;
}

/* Put in place and on disk, but so that it can be undone. */
UNIT_HELPER int
place(struct replace *r, struct error *err)
{
	const struct wait w = { .timeout_ms = 0 };

	if (replace_place(r, &w, err) == -1)
		return -1;
	replace_sync(&r, 1);
	return replace_check(r, err);
}

/* What replace_undo says when it cannot be done, "" when it was. */
UNIT_HELPER const char *
undo(struct replace *r)
{
	static struct error err;

	error_set(&err, ERROR_IO, "%s", "");
	assert_int_equal(replace_undo(r, &err), -1);
	assert_true(err.text[0] == '\0' || replace_state(r) != REPLACE_OLD);
	return err.text;
}

/* The error is of this kind, names ${file}, and its text or hint says ${what}. */
UNIT_HELPER void
assert_error(const struct error *err, enum error_code code, const char *file,
    const char *what)
{
	assert_int_equal(err->code, code);
	assert_string_equal(err->file, file);
	if (strstr(err->text, what) == NULL && strstr(err->hint, what) == NULL)
		fail_msg("'%s' not in: %s / %s", what, err->text, err->hint);
}

/* ${path} cannot be replaced, and stays what it is, down to its inode. */
UNIT_HELPER void
assert_refused(const char *path, enum error_code code, const char *what)
{
	struct file_id before = identify(path), after;
	int count = files_count(".");
	struct error err;

	assert_int_equal(replace(path, NEW, &err), -1);
	assert_error(&err, code, path, what);
	after = identify(path);
	assert_true(file_id_equal(&before, &after));
	assert_int_equal(files_count("."), count);
}

#endif /* !SUPPORT_REPLACING_H */
