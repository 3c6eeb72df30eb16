#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/scan.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "plan/change.h"
#include "plan/plan.h"
#include "seal/seal.h"
#include "secrets/secrets_file.h"
#include "trail/trail.h"

/* `propseal log`: the trail, read and checked. */

#define OUT_MAX BUF_MAX_FILE
#define KEYS_SHOWN 6		/* of one file, for people */
#define EXIT_FINDINGS 3

/* `30m`, `12h`, `7d`, `2w`: so long ago. */
static bool
log_parse_ago(const char *text, int64_t *ms)
{
	static const struct { char letter; int64_t ms; } units[] = {
		{ 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 }, { 'w', 604800000 },
	};
	size_t n = strlen(text);
	uint64_t count;

	for (size_t i = 0; n > 1 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[n - 1] != units[i].letter || !number_parse(text, n - 1, 100000, &count))
			continue;
		*ms = time_now() - (int64_t)count * units[i].ms;
		return true;
	}
	return false;
}

/* A time, or the beginning of one. */
static int
log_parse_since(const char *text, int64_t *ms, struct error *err)
{
	static const char rest[] = "0000-01-01T00:00:00Z";
	char full[sizeof(rest)];
	size_t n = strlen(text);

	if (log_parse_ago(text, ms) || time_parse(text, TIME_MILLISECONDS, ms))
		return 0;
	if (strcmp(text, "today") == 0) {
		*ms = time_now() / 86400000 * 86400000;
		return 0;
	}
	if (n >= 4 && n < sizeof(rest)) {
		memcpy(full, rest, sizeof(rest));
		memcpy(full, text, n);
		if (full[10] == ' ')
			full[10] = 'T';
		if (time_parse(full, TIME_SECONDS, ms))
			return 0;
	}
	error_set(err, ERROR_USAGE, "--since is no time: %.100s", text);
	return error_hint(err, "2026-01-31, 2026-01-31T12:00:00Z, today, or 30m, 12h, 7d, 2w "
	    "for so long ago; times are UTC");
}

/* Where the trail is; NULL: there is none. */
static const char *
log_path(const struct options *o, struct error *err)
{
	const char *path = config_trail_path(o->config);

	if (path == NULL) {
		error_set(err, ERROR_MISSING, "no trail is kept");
		error_hint(err, "set `trail = PATH` in [files] of your own propseal.ini, or HOME");
	}
	return path;
}

static void
log_put_time(struct json_out *o, const char *name, int64_t ms)
{
	char text[TIME_TEXT];

	if (ms == 0) {
		json_out_null(o, name);
		return;
	}
	time_text(ms, TIME_MILLISECONDS, text);
	json_out_text(o, name, text);
}

static void
log_json_change(struct json_out *o, const struct trail_change *c, const char *path)
{
	char *why = kept_why(path, c);

	json_out_object(o, NULL);
	json_out_uint(o, "change", c->n);
	log_put_time(o, "time", c->ms);
	log_put_time(o, "ended", c->end_ms);
	json_out_text(o, "user", c->user);
	json_out_uint(o, "uid", c->uid);
	json_out_text(o, "sudo", c->sudo);
	json_out_text(o, "host", c->host);
	json_out_uint(o, "pid", c->pid);
	json_out_text(o, "command", c->command);
	json_out_text(o, "environment", c->environment);
	json_out_text(o, "outcome", trail_outcome_name(c->outcome));
	json_out_bool(o, "running", c->running);
	json_out_bool(o, "undo", why == NULL);
	json_out_text(o, "undo_error", why);
	free(why);
	json_out_array(o, "files");
	for (size_t i = 0; i < c->files.len; i++) {
		const struct trail_file *f = vec_at(&c->files, i);

		json_out_object(o, NULL);
		json_out_text(o, "file", f->path);
		json_out_text(o, "role", f->role);
		json_out_bool(o, "new", f->is_new);
		json_out_bool(o, "done", f->done);
		json_out_text(o, "error", f->error);
		json_out_array(o, "keys");
		for (size_t k = 0; k < f->keys.len; k++)
			json_out_text(o, NULL, vec_string(&f->keys, k));
		json_out_end(o);
		json_out_uint(o, "more", f->more);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
}

static void
log_visible(struct buf *out, const char *text)
{
	text_append_visible(out, text, strlen(text));
}

static void
log_append_file(struct buf *out, const struct trail_file *f, bool known)
{
	size_t shown = f->keys.len < KEYS_SHOWN ? f->keys.len : KEYS_SHOWN;
	uint64_t more = f->keys.len - shown + f->more;

	buf_append_str(out, "    ");
	log_visible(out, f->path != NULL ? f->path : "?");
	if (f->is_new)
		buf_append_str(out, " (new)");
	for (size_t k = 0; k < shown; k++) {
		buf_append_str(out, k == 0 ? ": " : ", ");
		log_visible(out, vec_string(&f->keys, k));
	}
	if (more > 0)
		buf_printf(out, " and %llu more", (unsigned long long)more);
	buf_append_char(out, '\n');
	if (known && !f->done) {
		buf_append_str(out, "      not changed: ");
		log_visible(out, f->error != NULL ? f->error : "?");
		buf_append_char(out, '\n');
	}
}

static void
log_append_change(struct buf *out, const struct trail_change *c, const char *path)
{
	static const char *const told[] = {
		[TRAIL_UNKNOWN] = "begun, and no outcome is written",
		[TRAIL_DONE] = "done", [TRAIL_PARTLY] = "done in part",
		[TRAIL_FAILED] = "failed, nothing changed",
	};
	char text[TIME_TEXT], *why;

	time_text(c->ms, TIME_SPACED, text);
	buf_printf(out, "%s  %llu  ", text, (unsigned long long)c->n);
	if (c->user != NULL)
		log_visible(out, c->user);
	else
		buf_printf(out, "user %llu", (unsigned long long)c->uid);
	if (c->sudo != NULL) {
		buf_append_str(out, " (sudo by ");
		log_visible(out, c->sudo);
		buf_append_char(out, ')');
	}
	buf_append_str(out, " on ");
	log_visible(out, c->host != NULL ? c->host : "?");
	buf_append_str(out, ": ");
	log_visible(out, c->command != NULL ? c->command : "?");
	if (c->environment != NULL) {
		buf_append_str(out, " in ");
		log_visible(out, c->environment);
	}
	buf_printf(out, ": %s\n", c->running ? "at work" : told[c->outcome]);
	for (size_t i = 0; i < c->files.len; i++)
		log_append_file(out, vec_at(&c->files, i), c->outcome != TRAIL_UNKNOWN);
	if ((why = kept_why(path, c)) == NULL)
		buf_printf(out, "    `propseal log undo %llu` takes it back\n",
		    (unsigned long long)c->n);
	free(why);
}

static int
log_write(const char *path, const struct trail_log *log, bool json, struct error *err)
{
	struct json_out o;
	struct buf out;
	int rc = 0;

	buf_init(&out, OUT_MAX);
	if (json) {
		json_out_init(&o, &out);
		json_out_object(&o, NULL);
		json_out_text(&o, "schema", "propseal.log/1");
		json_out_text(&o, "trail", path);
		json_out_rows(&o, "changes");
		for (size_t i = 0; i < log->changes.len; i++)
			log_json_change(&o, vec_at(&log->changes, i), path);
		json_out_end(&o);
		json_out_uint(&o, "unread", log->unread);
		json_out_end(&o);
		rc = json_out_finish(&o, err);
	}
	for (size_t i = 0; !json && i < log->changes.len; i++)
		log_append_change(&out, vec_at(&log->changes, i), path);
	if (!json && log->changes.len == 0)
		report_note("no change %s %s", log->lines > 0 ? "of that kind in" : "yet in", path);
	if (log->unread > 0)
		report_warning("`propseal log verify` says what is wrong with them",
		    "%llu lines of the trail cannot be read", (unsigned long long)log->unread);
	if (rc == 0)
		rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

int
commands_log_show(const struct options *o)
{
	struct trail_filter filter = { .key = o->text[FLAG_KEY], .user = o->text[FLAG_USER] };
	char *real = o->text[FLAG_FILE_NAME] == NULL ? NULL :
	    realpath(o->text[FLAG_FILE_NAME], NULL);
	struct trail_log log = { 0 };
	struct error err;
	const char *path;
	int rc = -1;

	/* One that is gone is looked for by the end of its path. */
	filter.file = real != NULL ? real : o->text[FLAG_FILE_NAME];
	if ((o->text[FLAG_SINCE] == NULL ||
	    log_parse_since(o->text[FLAG_SINCE], &filter.since_ms, &err) == 0) &&
	    (path = log_path(o, &err)) != NULL) {
		if ((rc = trail_read(path, &filter, &log, &err)) == 0)
			rc = log_write(path, &log, options_format(o) == OUTPUT_JSON, &err);
		trail_log_release(&log);
	}
	free(real);
	return rc == 0 ? 0 : report_error(&err);
}

static void
log_check_json(struct json_out *o, const char *path, const struct trail_check *c)
{
	json_out_object(o, NULL);
	json_out_text(o, "schema", "propseal.log.verify/1");
	json_out_text(o, "trail", path);
	json_out_uint(o, "files", c->files);
	json_out_uint(o, "lines", c->lines);
	json_out_uint(o, "last", c->last);
	json_out_text(o, "hash", c->hash[0] != '\0' ? c->hash : NULL);
	json_out_uint(o, "running", c->running);
	json_out_rows(o, "findings");
	for (size_t i = 0; i < c->findings.len; i++) {
		const struct trail_finding *f = vec_at(&c->findings, i);

		json_out_object(o, NULL);
		json_out_text(o, "fault", trail_fault_name(f->fault));
		json_out_text(o, "file", f->file);
		json_out_uint(o, "line", f->line);
		json_out_uint(o, "n", f->n);
		json_out_uint(o, "count", f->count);
		json_out_text(o, "text", f->text);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
}

static void
log_check_text(struct buf *out, const char *path, const struct trail_check *c)
{
	for (size_t i = 0; i < c->findings.len; i++) {
		const struct trail_finding *f = vec_at(&c->findings, i);

		log_visible(out, f->file);
		buf_printf(out, ":%zu: %s\n", f->line, f->text);
	}
	if (c->lines == 0) {
		buf_append_str(out, "no line yet in ");
		log_visible(out, path);
		buf_append_char(out, '\n');
		return;
	}
	buf_printf(out, "%llu line%s in %zu file%s, ", (unsigned long long)c->lines,
	    c->lines == 1 ? "" : "s", c->files, c->files == 1 ? "" : "s");
	if (c->findings.len == 0)
		buf_append_str(out, "the chain is whole");
	else
		buf_printf(out, "%zu finding%s", c->findings.len, c->findings.len == 1 ? "" : "s");
	if (c->running > 0)
		buf_printf(out, ", %zu change%s at work", c->running, c->running == 1 ? "" : "s");
	buf_printf(out, "; the last line is %llu, %s\n", (unsigned long long)c->last, c->hash);
}

int
commands_log_verify(const struct options *o)
{
	struct trail_check check;
	struct json_out json;
	struct error err;
	struct buf out;
	const char *path = log_path(o, &err);
	int rc = -1;

	if (path == NULL)
		return report_error(&err);
	buf_init(&out, OUT_MAX);
	if (trail_verify(path, &check, &err) == 0) {
		if (options_format(o) == OUTPUT_JSON) {
			json_out_init(&json, &out);
			log_check_json(&json, path, &check);
			rc = json_out_finish(&json, &err);
		} else {
			log_check_text(&out, path, &check);
			rc = 0;
		}
		if (rc == 0)
			rc = output_write(&out, &err);
		if (rc == 0 && check.findings.len > 0)
			rc = EXIT_FINDINGS;
	}
	trail_check_release(&check);
	buf_release(&out);
	return rc == -1 ? report_error(&err) : rc;
}

/* --- undoing --- */

/* The number of a change that is in the trail, and is not at work. */
static int
undo_find(const char *path, const char *number, uint64_t *change, char **environment,
    struct error *err)
{
	static const struct trail_filter all;
	const struct trail_change *c = NULL;
	struct trail_log log;
	int rc;

	if (!number_parse(number, strlen(number), UINT64_MAX / 2, change)) {
		error_set(err, ERROR_USAGE, "this is no number of a change: %.100s", number);
		return error_hint(err, "`propseal log show` lists them");
	}
	rc = trail_read(path, &all, &log, err);
	for (size_t i = 0; rc == 0 && c == NULL && i < log.changes.len; i++)
		if (((struct trail_change *)vec_at(&log.changes, i))->n == *change)
			c = vec_at(&log.changes, i);
	if (rc == 0 && c == NULL) {
		error_set(err, ERROR_MISSING, "there is no change %llu in the trail",
		    (unsigned long long)*change);
		error_place(err, path, 0);
		rc = error_hint(err, "`propseal log show` lists them");
	} else if (rc == 0 && c->running) {
		rc = error_set(err, ERROR_BUSY, "change %llu is at work",
		    (unsigned long long)*change);
	} else if (rc == 0 && c->outcome == TRAIL_FAILED) {
		rc = error_set(err, ERROR_REFUSED, "change %llu failed: nothing was changed",
		    (unsigned long long)*change);
	} else if (rc == 0 && kept_is_of_another(c)) {
		error_set(err, ERROR_REFUSED, "change %llu was made by user %s",
		    (unsigned long long)*change, c->user != NULL ? c->user : "of another number");
		rc = error_hint(err, "who made it has what undoes it");
	} else if (rc == 0 && c->environment != NULL) {
		*environment = strdup(c->environment);
	}
	trail_log_release(&log);
	return rc;
}

/* Load what the change was about. */
static int
undo_load(struct change *c, const struct kept *k, struct error *err)
{
	const struct kept_file *f;

	for (size_t i = 0; k->why == NULL && i < k->files.len; i++) {
		f = vec_at(&k->files, i);
		if (f->is_secrets ? change_files(c, NULL, f->path, false, err) != 0 :
		    change_config(c, f->path, err) == NULL)
			return -1;
	}
	return 0;
}

static int
undo_run(struct change *c, const struct kept *k, uint64_t change, struct error *err)
{
	struct scan_users users;
	size_t count = 0;
	int rc;

	/* Why it cannot be comes before any question for a key. */
	if (k->why != NULL) {
		error_set(err, ERROR_REFUSED, "change %llu cannot be undone: %s",
		    (unsigned long long)change, k->why);
		return -1;
	}
	if (undo_load(c, k, err) != 0 || (c->secrets != NULL && change_key(c, err) != 0) ||
	    change_start(c, err) != 0 || (c->secrets != NULL &&
	    secrets_file_unlock(c->secrets, c->master, err) != 0))
		return -1;
	scan_users_init(&users, change_options(c), c);
	plan_set_users(c->plan, &users.face);
	rc = undo_plan(c->plan, c->configs.items, k, &count, err);
	plan_set_users(c->plan, NULL);
	scan_users_release(&users);
	if (rc != 0)
		return -1;
	if (count == 0)
		plan_note(c->plan, "all is as it was before change %llu",
		    (unsigned long long)change);
	return change_finish(c, NULL, err);
}

int
commands_log_undo(const struct options *o)
{
	char *environment = NULL;
	struct change c;
	struct error err;
	struct kept k = { .why = NULL };
	uint64_t change;
	const char *path = log_path(o, &err);
	int rc = -1;

	change_from_flags(&c, o);
	if (path != NULL && undo_find(path, o->args[0], &change, &environment, &err) == 0 &&
	    kept_read(path, change, &k, &err) == 0) {
		c.environment = environment;
		rc = undo_run(&c, &k, change, &err);
	}
	rc = change_status(&c, rc, &err);
	kept_release(&k);
	free(environment);
	return rc;
}
