#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/rotation/session.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/plan.h"

/* `propseal rotation`: a session from its plan to its end. */

/* A differing exit status of `verify`. */
#define STATUS_DIFFERENT 3

#define DIFF_PART 65536	/* bytes that are shown at once */

/* --- callbacks --- */

static volatile sig_atomic_t was_signalled;

static void
on_signal(int number)
{
	was_signalled = number;
}

/* From now on HUP, INT and TERM end the work between two files. */
static void
catch_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction old;

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &act, NULL);
}

static struct key *
on_key(void *cookie, const struct rotation_want *w, struct error *err)
{
	return finder_key(((struct rotation_cookie *)cookie)->finder, w, err);
}

/* Wait, so that no more files a second are changed than was asked for. */
static void
keep_rate(const struct rotation_cookie *k, size_t done)
{
	double seconds = k->rate > 0 ? 1 / k->rate : 0;
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	if (done > 0 && seconds > 0)
		(void)nanosleep(&t, NULL);
}

static bool
on_progress(void *cookie, const char *file, size_t done, size_t all)
{
	const struct rotation_cookie *k = cookie;
	struct buf line;

	if (file != NULL && !was_signalled)
		keep_rate(k, done);
	if (k->shows) {
		buf_init(&line, 8192);
		buf_printf(&line, "\r\033[K");
		if (file != NULL) {
			buf_printf(&line, "%zu of %zu  ", done, all);
			text_append_visible(&line, file, strlen(file));
		}
		(void)output_write_fd(STDERR_FILENO, "the terminal", line.data, line.len, NULL);
		buf_release(&line);
	}
	return !was_signalled;
}

static int
on_opened(void *cookie, const char *path, const struct key *key, struct error *err)
{
	const struct rotation_cookie *k = cookie;

	return k->estate != NULL ? rotation_unlock(k->estate, path, key, err) : 0;
}

static void
on_problem(void *cookie, const struct error *what)
{
	(void)cookie;
	(void)report_error(what);
}

static void
on_note(void *cookie, const char *text)
{
	(void)cookie;
	report_note("%s", text);
}

static void
on_diff(void *cookie, const struct plan *p)
{
	struct rotation_cookie *k = cookie;
	struct buf text;

	buf_init(&text, BUF_MAX_FILE);
	k->diff_lost |= diff_append(p, &text, NULL) != 0 ||
	    fwrite(text.data, 1, text.len, k->diff) != text.len;
	buf_release(&text);
}

static const struct rotation_callbacks callbacks = { .key = on_key, .progress = on_progress,
	.waiting = change_waiting, .opened = on_opened, .problem = on_problem, .note = on_note };

/* --- plan --- */

static int
plan_kind(const struct options *o, enum rotation_kind *kind, struct error *err)
{
	unsigned int k = (o->on[FLAG_MASTER_KEY] ? ROTATION_MASTER_KEY : 0U) |
	    (o->on[FLAG_DATA_KEY] ? ROTATION_DATA_KEY : 0U) |
	    (o->on[FLAG_BOTH] ? ROTATION_BOTH : 0U);

	*kind = (enum rotation_kind)k;
	if (k == 0) {
		error_set(err, ERROR_USAGE, "which keys are to be new?");
		return error_hint(err, "--master-key where somebody else may know it, "
		    "--data-key for "
		    "what it protects, or --both");
	}
	if (k & ROTATION_MASTER_KEY)
		return 0;
	if (o->given[FLAG_PASSPHRASE_NEW] || o->on[FLAG_COMMON_MASTER_KEY]) {
		error_set(err, ERROR_USAGE, "--%s is for a new master key",
		    o->given[FLAG_PASSPHRASE_NEW] ? "passphrase-new" : "common-master-key");
		return error_hint(err, "add --master-key or --both, or leave it out");
	}
	return 0;
}

/* The whole diff, in parts of whole lines. */
static int
tell_diff(struct rotation_cookie *k, struct error *err)
{
	char *line = NULL;
	size_t size = 0;
	struct buf part;
	ssize_t n;
	int rc = 0;

	buf_init(&part, BUF_MAX_FILE);
	if (k->diff_lost || fflush(k->diff) != 0 || fseek(k->diff, 0, SEEK_SET) != 0) {
		rc = error_set(err, ERROR_IO, "not all of the diff could be kept; the session is "
		    "planned, and nothing else is changed");
		error_hint(err, "make room below /tmp, or use -o json");
	}
	while (rc == 0 && (n = getline(&line, &size, k->diff)) > 0) {
		buf_append(&part, line, (size_t)n);
		if (part.len < DIFF_PART)
			continue;
		rc = output_write_diff(&part, err);
		buf_clear(&part);
	}
	if (rc == 0 && !feof(k->diff))
		rc = error_io(err, "/tmp", "cannot read the diff that was kept");
	if (rc == 0 && part.len > 0)
		rc = output_write_diff(&part, err);
	buf_release(&part);
	free(line);
	return rc;
}

static int
tell_warning(void *cookie, const char *text, struct error *err)
{
	(void)cookie;
	(void)err;
	report_warning(NULL, "%s", text);
	return 0;
}

/* What is shown at the end of a plan; the diff comes first. */
static int
tell_plan(const struct options *o, const struct rotation *r, struct rotation_cookie *k,
    struct error *err)
{
	if (rotation_each_warning(r, tell_warning, NULL, err) != 0)
		return -1;
	if (k->diff != NULL && tell_diff(k, err) != 0)
		return -1;
	report_change("%s (a plan; no other file)", rotation_dir(r));
	return rotation_tell(o, r, err);
}

static int
run_plan(const struct options *o, struct finder *f, struct error *err)
{
	struct rotation_cookie k = { .o = o, .finder = f, .shows = report_has_color() };
	struct rotation_callbacks cb = callbacks;
	struct rotation_request q = { .dir = o->text[FLAG_SESSION], .paths = o->args,
		.path_count = o->arg_count, .common = o->on[FLAG_COMMON_MASTER_KEY],
		.lock_timeout_ms = options_lock_timeout(o) };
	const char **skip = calloc(o->item_count + 1, sizeof(*skip));
	struct rotation *r = NULL;
	struct estate *e = NULL;
	char *home = NULL;
	int rc = -1;

	for (size_t i = 0; skip != NULL && i < o->item_count; i++)
		if (o->items[i].id == FLAG_SKIP)
			skip[q.skip_count++] = o->items[i].value;
	q.skip = skip;
	if (skip == NULL)
		error_memory(err);
	else if (plan_kind(o, &q.kind, err) == 0 && (q.home = home = rotation_home(err)) != NULL)
		rc = 0;
	if (rc == 0 && (q.kind & ROTATION_MASTER_KEY) && !o->given[FLAG_PASSPHRASE_NEW])
		rc = source_passphrase(o, FLAG_PASSPHRASE_NEW, "Passphrase of the new master key: ",
		    true, &f->passphrase_new, err);
	q.passphrase = f->passphrase_new.data;
	q.passphrase_len = f->passphrase_new.len;
	/* It is shown once all is planned, and may be long: not in memory. */
	if (options_format(o) != OUTPUT_JSON && (k.diff = tmpfile()) != NULL)
		cb.diff = on_diff;
	else if (rc == 0 && options_format(o) != OUTPUT_JSON)
		rc = error_io(err, "/tmp", "cannot make a file for the diff");
	catch_signals();
	if (rc == 0 && (e = scan_lean(o, o->args, o->arg_count, false, err)) != NULL &&
	    scan_step(e, err) == 0)
		r = rotation_plan(&q, e, &cb, &k, err);
	rc = r != NULL ? tell_plan(o, r, &k, err) : -1;
	rotation_close(r);
	estate_free(e);
	if (k.diff != NULL)
		fclose(k.diff);
	free(home);
	free(skip);
	return rc;
}

int
commands_rotation_plan(const struct options *o)
{
	struct finder f;
	struct error err;
	int rc = finder_open(&f, o, false, &err);

	if (rc == 0)
		rc = run_plan(o, &f, &err);
	finder_close(&f);
	return rc == 0 ? 0 : report_error(&err);
}

/* --- a session that is there --- */

/* The newest session; which others there are is told. */
static char *
find_newest(const char *home, struct error *err)
{
	char word[TEXT_WORD_MAX];
	struct vec all;
	char *dir = NULL;

	vec_init(&all, sizeof(char *), 1U << 20);
	if (rotation_unfinished(home, &all, err) == 0 &&
	    (dir = strdup(vec_string(&all, 0))) == NULL)
		error_memory(err);
	for (size_t i = 1; dir != NULL && i < all.len; i++)
		report_note("another session is not done: --session %s",
		    text_word(file_basename(vec_string(&all, i)), word));
	vec_release_strings(&all);
	return dir;
}

char *
rotation_find_session(const struct options *o, struct error *err)
{
	const char *given = o->text[FLAG_SESSION];
	char *home, *dir;

	if (given != NULL && (strchr(given, '/') != NULL || access(given, F_OK) == 0)) {
		dir = strdup(given);
	} else {
		if ((home = rotation_home(err)) == NULL)
			return NULL;
		/* Its ID alone is fine. */
		dir = given != NULL ? file_join(home, given) : find_newest(home, err);
		free(home);
	}
	if (dir == NULL && given != NULL)
		error_memory(err);
	return dir;
}

static int
read_rate(const struct options *o, double *rate, struct error *err)
{
	const char *text = o->text[FLAG_RATE];
	char *end;

	*rate = 0;
	if (text == NULL)
		return 0;
	*rate = strspn(text, "0123456789.") == strlen(text) ? strtod(text, &end) : 0;
	if (*rate >= 0.001 && *rate <= 100000 && *end == '\0')
		return 0;
	error_set(err, ERROR_USAGE, "bad value for --rate");
	return error_hint(err, "it takes files a second, 0.001 to 100000");
}

/* Another's session is not waited for, unless that was asked for. */
static int
session_timeout(const struct options *o)
{
	return o->given[FLAG_LOCK_TIMEOUT] ? options_lock_timeout(o) : 0;
}

/* Let a person type a word.  0: it was typed, or --yes. */
static int
ask_word(const struct options *o, const char *word, const char *what, struct error *err)
{
	struct buf text, typed;
	int rc = -1;

	if (o->on[FLAG_YES])
		return 0;
	if (!askpass_available()) {
		error_set(err, ERROR_USAGE, "%s", what);
		return error_hint(err, "there is no terminal to ask on: --yes says that it is "
		    "meant");
	}
	buf_init(&text, 1024);
	buf_init_secret(&typed, 4096);
	buf_printf(&text, "%s.\nType %s to go on (it is not shown): ", what, word);
	if (askpass_line(buf_cstr(&text), &typed, err) == 0) {
		if (typed.len == strlen(word) && memcmp(typed.data, word, typed.len) == 0)
			rc = 0;
		else
			error_set(err, ERROR_REFUSED, "the word was not typed: nothing is done");
	}
	buf_release(&text);
	buf_release(&typed);
	return rc;
}

enum job { JOB_APPLY, JOB_STATUS, JOB_VERIFY, JOB_ACCEPT, JOB_ROLLBACK, JOB_FINISH };

static int
job_verify(const struct options *o, struct rotation *r, struct rotation_cookie *k,
    size_t *different, struct error *err)
{
	const struct rotation_counts *n = rotation_counts(r);
	struct rotation_references found;
	struct buf text;
	size_t broken;

	if ((k->estate = rotation_scan(o, r, &k->paths, false, err)) == NULL ||
	    rotation_verify(r, &callbacks, k, different, err) != 0 ||
	    rotation_follow(k->estate, r, &found, err) != 0)
		return -1;
	broken = found.total - found.opened - found.dangling;
	if (broken > 0 && rotation_doubt(r, err) != 0)
		return -1;
	if (*different > 0)
		report_note("who changed a value on purpose: `propseal rotation accept FILE` takes "
		    "what a file holds now as meant; then verify again");
	*different += broken;
	if (options_format(o) == OUTPUT_JSON)
		return 0;
	buf_init(&text, 256);
	rotation_say_references(&found, &text);
	report_note("opens %zu of %zu, %s; %s", n->opened, n->total, n->same == n->total &&
	    *different == 0 ? "all values the same" : "not all values the same",
	    buf_cstr(&text));
	buf_release(&text);
	return 0;
}

/* Which of the session's files is it? */
static bool
find_file(const struct rotation *r, const char *name, size_t *out)
{
	char *given = realpath(name, NULL), *path, *real;
	bool found = false;

	for (size_t i = 0; !found && i < rotation_count(r); i++) {
		const char *file = rotation_file(r, i)->file;

		path = rotation_path(r, file);
		real = path != NULL && given != NULL ? realpath(path, NULL) : NULL;
		found = strcmp(file, name) == 0 || (real != NULL && strcmp(real, given) == 0);
		*out = i;
		free(real);
		free(path);
	}
	free(given);
	return found;
}

/* All names are looked up before the first is accepted. */
static int
job_accept(const struct options *o, struct rotation *r, struct rotation_cookie *k,
    struct error *err)
{
	size_t *files = calloc(o->arg_count, sizeof(*files)), differences;
	int rc = files == NULL ? error_memory(err) : 0;

	for (size_t a = 0; rc == 0 && a < o->arg_count; a++)
		if (!find_file(r, o->args[a], &files[a])) {
			error_set(err, ERROR_USAGE, "the session has no such secrets file");
			error_place(err, o->args[a], 0);
			rc = error_hint(err, "`propseal rotation status` lists its files");
		}
	for (size_t a = 0; rc == 0 && a < o->arg_count; a++)
		if ((rc = rotation_accept(r, files[a], &callbacks, k, &differences, err)) == 0)
			report_note("%s: %zu difference%s accepted; `propseal rotation verify` "
			    "compares with what it holds now", rotation_file(r, files[a])->file,
			    differences, differences == 1 ? " is" : "s are");
	free(files);
	return rc;
}

static int
job_run(const struct options *o, enum job job, struct rotation *r, struct rotation_cookie *k,
    size_t *different, struct error *err)
{
	int rc = 0;

	switch (job) {
	case JOB_APPLY:
		rc = finder_keep(k->finder, r, &callbacks, k, err);
		return rc == 0 ? rotation_apply(r, &callbacks, k, err) : rc;
	case JOB_VERIFY:
		return job_verify(o, r, k, different, err);
	case JOB_ACCEPT:
		return job_accept(o, r, k, err);
	case JOB_ROLLBACK:
		if (rotation_state(r) != ROTATION_ROLLED_BACK)
			rc = ask_word(o, "rollback", "This puts every file back to what it was "
			    "before the rotation", err);
		return rc == 0 ? rotation_rollback(r, &callbacks, k, err) : rc;
	case JOB_FINISH:
		if (rotation_state(r) == ROTATION_VERIFIED || rotation_is_finishing(r))
			rc = ask_word(o, "finish", "This wipes what leads back: after it there is "
			    "no rollback", err);
		return rc == 0 ? rotation_finish(r, &callbacks, k, err) : rc;
	case JOB_STATUS:
		if (rotation_is_rolling_back(r) && rotation_state(r) != ROTATION_ROLLED_BACK)
			report_note("a rollback was begun: `propseal rotation rollback` goes on");
		if (rotation_is_finishing(r) && rotation_state(r) != ROTATION_FINISHED)
			report_note("the end was begun: `propseal rotation finish` goes on");
		break;
	}
	return 0;
}

static int
run_job(const struct options *o, enum job job)
{
	struct finder f = { .o = o };
	struct rotation_cookie k = { .o = o, .finder = &f, .shows = report_has_color() };
	struct rotation *r = NULL;
	size_t different = 0;
	struct error err = { .code = ERROR_NONE };
	char *dir = NULL;
	int rc = read_rate(o, &k.rate, &err), status = 0;

	vec_init(&k.paths, sizeof(char *), 1U << 24);
	if (rc == 0 && job != JOB_STATUS)
		rc = finder_open(&f, o, true, &err);
	if (rc == 0 && (dir = rotation_find_session(o, &err)) != NULL)
		r = job == JOB_STATUS ? rotation_open(dir, o->text[FLAG_ROOT], &err) :
		    rotation_open_locked(dir, o->text[FLAG_ROOT], session_timeout(o), &err);
	catch_signals();
	if (r != NULL)
		rotation_set_trail(r, config_trail(o->config));
	if (r == NULL)
		rc = -1;
	else if ((rc = job_run(o, job, r, &k, &different, &err)) != 0)
		status = report_error(&err);
	/* What has become of the files is told in any case. */
	if (r != NULL && err.code != ERROR_USAGE && rotation_tell(o, r, &err) != 0)
		rc = -1;
	if (rc != 0 && status == 0)
		status = report_error(&err);
	if (rc == 0 && different > 0)
		status = STATUS_DIFFERENT;
	estate_free(k.estate);
	vec_release_strings(&k.paths);
	rotation_close(r);
	finder_close(&f);
	free(dir);
	return status;
}

int
commands_rotation_apply(const struct options *o)
{
	return run_job(o, JOB_APPLY);
}

int
commands_rotation_resume(const struct options *o)
{
	return run_job(o, JOB_APPLY);
}

int
commands_rotation_status(const struct options *o)
{
	return run_job(o, JOB_STATUS);
}

int
commands_rotation_verify(const struct options *o)
{
	struct error err;

	if (o->on[FLAG_HOST])
		return rotation_host(o);
	if (o->arg_count == 0)
		return run_job(o, JOB_VERIFY);
	error_set(&err, ERROR_USAGE, "a PATH is for --host; a session knows its own paths");
	error_hint(&err, "add --host, or name a session by --session DIR");
	return report_error(&err);
}

int
commands_rotation_accept(const struct options *o)
{
	return run_job(o, JOB_ACCEPT);
}

int
commands_rotation_rollback(const struct options *o)
{
	return run_job(o, JOB_ROLLBACK);
}

int
commands_rotation_finish(const struct options *o)
{
	return run_job(o, JOB_FINISH);
}
