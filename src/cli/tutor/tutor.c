#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/tutor/tutor.h"
#include "common/args.h"
#include "common/process.h"
#include "common/report.h"
#include "file/file.h"
#include "file/replace.h"

/*
 * `propseal tutor`: which lesson is on is kept in the file .tutor of the scratch folder,
 * which also says that the folder is ours to empty: "propseal tutor LESSON DONE", DONE a
 * letter for each lesson that was ever finished.
 */

#define STATE_NAME ".tutor"
#define STATE_HEAD "propseal tutor "
#define LOCK_MS 10000
#define PATH_BYTES_MAX 4096
#define SCRIPT_MAX ((size_t)64 << 10)
#define TEXT_MAX ((size_t)64 << 10)
#define COLUMNS 78
#define STATUS_OPEN 3	/* something is still to be done */

struct tutor {
	char program[PATH_MAX];
	char folder[PATH_MAX];
	size_t lesson;
	char done[TUTOR_LESSONS + 1];	/* '+' or '-' for each */
};

/* --- the scratch folder --- */

int
tutor_place(char program[PATH_MAX], char folder[PATH_MAX], struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	ssize_t n = readlink("/proc/self/exe", program, PATH_MAX - 1);

	if (n <= 0)
		return error_io(err, NULL, "cannot find this program");
	program[n] = '\0';
	if (state != NULL && state[0] == '/')
		n = snprintf(folder, PATH_MAX, "%s/propseal/tutor", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(folder, PATH_MAX, "%s/.local/state/propseal/tutor", home);
	else
		n = 0;
	if (n > 0 && n < PATH_MAX)
		return 0;
	error_set(err, ERROR_MISSING, "there is no place for a scratch copy");
	return error_hint(err, "set HOME, or XDG_STATE_HOME, to a folder of yours");
}

int
tutor_script(const char *program, const char *where, const char *folder, const char *script,
    int *status, struct error *err)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, program, where, folder, NULL };
	struct child c = { .argv = argv };
	struct buf text;
	int rc;

	buf_init(&text, SCRIPT_MAX);
	buf_printf(&text, "exec >/dev/null 2>&1 </dev/null\nunset CONFLUENT_SECURITY_MASTER_KEY "
	    "PROPSEAL_REGISTRY_URL\numask 077\ncd \"$1\" || exit 99\n%s\n", script);
	argv[2] = buf_cstr(&text);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = child_run(&c, status, NULL, err);
	buf_release(&text);
	return rc;
}

static int
tutor_run(const struct tutor *t, const char *where, const char *script, int *status,
    struct error *err)
{
	return tutor_script(t->program, where, t->folder, script, status, err);
}

static void
tutor_path(const struct tutor *t, const char *name, struct buf *out)
{
	buf_init(out, PATH_BYTES_MAX);
	buf_printf(out, "%s/%s", t->folder, name);
}

/* 1: a lesson is on, 0: there is no scratch copy. */
static int
tutor_load(struct tutor *t, struct error *err)
{
	const size_t head = sizeof(STATE_HEAD) - 1;
	struct buf path, text;
	struct error why;
	const char *p;
	int rc;

	tutor_path(t, STATE_NAME, &path);
	buf_init(&text, 4096);
	rc = file_read(buf_cstr(&path), &text, NULL, &why);
	p = buf_cstr(&text);
	if (rc != 0 && why.code == ERROR_MISSING) {
		rc = 0;
	} else if (rc != 0) {
		*err = why;
	} else if (text.len != head + TUTOR_LESSONS + 3 || memcmp(p, STATE_HEAD, head) != 0 ||
	    p[head] < '1' || p[head] >= '1' + TUTOR_LESSONS) {
		error_set(err, ERROR_FORMAT, "this does not say which lesson is on");
		error_place(err, buf_cstr(&path), 1);
		rc = error_hint(err, "remove the folder, and begin anew");
	} else {
		t->lesson = (size_t)(p[head] - '1');
		memcpy(t->done, p + head + 2, TUTOR_LESSONS);
		rc = 1;
	}
	buf_release(&text);
	buf_release(&path);
	return rc;
}

static int
tutor_save(const struct tutor *t, struct error *err)
{
	struct buf path, text;
	int rc;

	tutor_path(t, STATE_NAME, &path);
	buf_init(&text, 4096);
	buf_printf(&text, STATE_HEAD "%zu %s\n", t->lesson + 1, t->done);
	rc = replace_file_locked(buf_cstr(&path), LOCK_MS, &text, err);
	buf_release(&text);
	buf_release(&path);
	return rc;
}

static int
tutor_make_folder(const struct tutor *t, struct error *err)
{
	int status = 0;

	if (tutor_run(t, "/", "mkdir -p -- \"${2%/*}\" && mkdir -- \"$2\"", &status, err) != 0)
		return -1;
	if (status == 0)
		return 0;
	error_set(err, ERROR_EXISTS, "the folder of the scratch copy cannot be made, or is no "
	    "such copy");
	error_place(err, t->folder, 0);
	return error_hint(err, "move it away, or set XDG_STATE_HOME to another place");
}

/* Lay out the files of a lesson, in place of what was there. */
static int
tutor_start(struct tutor *t, size_t lesson, bool there, struct error *err)
{
	struct buf script;
	int status = 0, rc = 0;

	if (!there)
		rc = tutor_make_folder(t, err);
	t->lesson = lesson;
	if (rc == 0)
		rc = tutor_save(t, err);
	buf_init(&script, SCRIPT_MAX);
	buf_printf(&script, "set -e\nfind . -mindepth 1 ! -name " STATE_NAME " -delete\n%s%s",
	    tutor_files, tutor_lessons[lesson].setup);
	if (rc == 0)
		rc = tutor_run(t, t->folder, buf_cstr(&script), &status, err);
	buf_release(&script);
	if (rc != 0 || status == 0)
		return rc;
	error_set(err, ERROR_IO, "the files of lesson %s could not be made",
	    tutor_lessons[lesson].name);
	return error_place(err, t->folder, 0);
}

/* --- what is shown --- */

/* Words, broken to lines that begin with ${indent} blanks. */
static void
append_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = 0, n;

	for (; *text != '\0'; text += n) {
		while (*text == ' ')
			text++;
		n = strcspn(text, " ");
		if (column == 0 || column + 1 + n > COLUMNS) {
			buf_printf(out, "%s%*s", column > 0 ? "\n" : "", (int)indent, "");
			column = indent;
		} else {
			buf_append_char(out, ' ');
			column++;
		}
		buf_append(out, text, n);
		column += n;
	}
	buf_append_char(out, '\n');
}

static size_t
steps_count(const struct tutor_lesson *l)
{
	size_t n = 0;

	while (n < TUTOR_STEPS && l->steps[n].what != NULL)
		n++;
	return n;
}

/* How many steps are done, and the first that is not. */
static int
tutor_check(const struct tutor *t, bool done[TUTOR_STEPS], size_t *first, struct error *err)
{
	const struct tutor_lesson *l = &tutor_lessons[t->lesson];
	const size_t n = steps_count(l);
	int status = 0;

	*first = n;
	for (size_t i = n; i-- > 0;) {
		if (tutor_run(t, t->folder, l->steps[i].check, &status, err) != 0)
			return -1;
		done[i] = status == 0;
		if (!done[i])
			*first = i;
	}
	return 0;
}

static void
append_lesson(struct buf *out, const struct tutor *t, const bool done[TUTOR_STEPS], size_t first)
{
	const struct tutor_lesson *l = &tutor_lessons[t->lesson];

	buf_printf(out, "Lesson %zu of %d, %s: %s\n\n", t->lesson + 1, TUTOR_LESSONS, l->name,
	    l->title);
	append_wrapped(out, l->text, 0);
	buf_printf(out, "\nIt is played here, on files that are nobody's:\n\n    cd '%s'\n\n",
	    t->folder);
	for (size_t i = 0; i < steps_count(l); i++) {
		buf_printf(out, "  [%c] ", done[i] ? 'x' : ' ');
		buf_append_str(out, l->steps[i].what);
		buf_append_char(out, '\n');
		buf_printf(out, "        %s\n", l->steps[i].command);
	}
	buf_append_char(out, '\n');
	if (first < steps_count(l)) {
		buf_printf(out, "Next: %s.\n`propseal tutor --check` sees whether it is done; "
		    "`propseal tutor %s` begins the lesson anew.\n", l->steps[first].what, l->name);
		return;
	}
	append_wrapped(out, l->after, 0);
	if (t->lesson + 1 < TUTOR_LESSONS)
		buf_printf(out, "Done. `propseal tutor %s` goes on.\n",
		    tutor_lessons[t->lesson + 1].name);
	else
		buf_printf(out, "Done, and that was the last one. The scratch copy stays until you "
		    "remove it.\n");
}

static int
tutor_show(struct tutor *t, bool check, int *status, struct error *err)
{
	bool done[TUTOR_STEPS] = { false };
	struct buf out;
	size_t first;
	int rc = tutor_check(t, done, &first, err);
	bool all = rc == 0 && first == steps_count(&tutor_lessons[t->lesson]);

	if (all && t->done[t->lesson] != '+') {
		t->done[t->lesson] = '+';
		rc = tutor_save(t, err);
	}
	buf_init(&out, TEXT_MAX);
	if (rc == 0) {
		append_lesson(&out, t, done, first);
		rc = output_write(&out, err);
	}
	*status = check && !all ? STATUS_OPEN : 0;
	buf_release(&out);
	return rc;
}

static int
tutor_list(const struct tutor *t, bool there, struct error *err)
{
	struct buf out;
	int rc;

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < TUTOR_LESSONS; i++)
		buf_printf(&out, "%c [%c] %zu  %-9s %s\n", there && i == t->lesson ? '>' : ' ',
		    t->done[i] == '+' ? 'x' : ' ', i + 1, tutor_lessons[i].name,
		    tutor_lessons[i].title);
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* By its name or its number. */
static int
tutor_find(const char *name, size_t *out, struct error *err)
{
	for (size_t i = 0; i < TUTOR_LESSONS; i++)
		if (strcmp(name, tutor_lessons[i].name) == 0 ||
		    (name[0] == (char)('1' + i) && name[1] == '\0')) {
			*out = i;
			return 0;
		}
	error_set(err, ERROR_USAGE, "there is no lesson %s", name);
	return error_hint(err, "`propseal tutor --list` names them");
}

int
commands_tutor(const struct options *o)
{
	struct tutor t = { .lesson = 0 };
	size_t lesson = 0;
	struct error err;
	int status = 0, there;
	int rc;

	if (o->on[FLAG_SCREEN])
		return commands_tutor_screen(o, o->arg_count > 0 ? o->args[0] : NULL);
	memset(t.done, '-', TUTOR_LESSONS);
	rc = tutor_place(t.program, t.folder, &err);
	there = rc == 0 ? tutor_load(&t, &err) : -1;
	rc = there == -1 ? -1 : 0;
	if (rc == 0 && o->on[FLAG_LIST]) {
		rc = tutor_list(&t, there == 1, &err);
	} else if (rc == 0 && o->on[FLAG_CHECK] && there == 0) {
		error_set(&err, ERROR_USAGE, "no lesson is on");
		rc = error_hint(&err, "`propseal tutor` begins the first one");
	} else if (rc == 0) {
		if (o->arg_count > 0)
			rc = tutor_find(o->args[0], &lesson, &err);
		if (rc == 0 && (o->arg_count > 0 || there == 0))
			rc = tutor_start(&t, lesson, there == 1, &err);
		if (rc == 0)
			rc = tutor_show(&t, o->on[FLAG_CHECK], &status, &err);
	}
	return rc == 0 ? status : report_error(&err);
}
