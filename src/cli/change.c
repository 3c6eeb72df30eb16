#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/text.h"
#include "base/vec.h"
#include "cli/change.h"
#include "cli/keys.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "file/file.h"
#include "plan/change.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "secrets/reference.h"
#include "secrets/secrets_file.h"

/* The descriptor that a value names, or -1. */
static int
descriptor_of(const struct buf *spec)
{
	const char *p = (const char *)spec->data;
	int fd = 0;
	size_t i;

	if (spec->len == 1 && p[0] == '-')
		return STDIN_FILENO;
	if (spec->len < 4 || spec->len > 8 || memcmp(p, "fd:", 3) != 0)
		return -1;
	for (i = 3; i < spec->len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		fd = 10 * fd + (p[i] - '0');
	}
	return fd;
}

static bool
is_file(const struct buf *spec)
{
	return spec->len > 1 && spec->data[0] == '@';
}

bool
source_is_literal(const struct options *o, enum flag_id id)
{
	const struct buf *spec = &o->secret[id];

	return o->given[id] && !is_file(spec) && descriptor_of(spec) < 0;
}

static void
warn_literal(enum flag_id id)
{
	const char *name = flag_get(id)->name;

	if (id == FLAG_CONFIG_TEXT)
		report_warning("give --config @FILE, or --config - and the text on standard input",
		    "values on the command line can be seen by other users of this host and "
		    "stay in the shell's history");
	else
		report_warning("give @FILE, - (standard input), fd:N, or leave the flag out to "
		    "be asked",
		    "the value of --%s on the command line can be seen by other users of this "
		    "host and stays in the shell's history", name);
}

/* `@` or `fd:` and no name or number behind it, as an empty variable leaves it. */
static int
check_spec(enum flag_id id, const struct buf *spec, struct error *err)
{
	bool at = spec->len == 1 && spec->data[0] == '@';
	bool fd = spec->len >= 3 && memcmp(spec->data, "fd:", 3) == 0 && descriptor_of(spec) < 0;

	if (!at && !fd)
		return 0;
	error_set(err, ERROR_USAGE, "--%s has %s with no %s behind it", flag_get(id)->name,
	    at ? "@" : "fd:", at ? "file name" : "number");
	return error_hint(err, at ? "write @FILE" : "write fd:N, the number of an open descriptor");
}

int
source_read(const struct options *o, enum flag_id id, struct buf *out, struct error *err)
{
	const struct buf *spec = &o->secret[id];
	struct buf path;
	int fd, rc;

	if (id != FLAG_CONFIG_TEXT && check_spec(id, spec, err) != 0)
		return -1;

	if (is_file(spec)) {
		/* The name of a file is no secret. */
		buf_init(&path, 4096);
		buf_append(&path, spec->data + 1, spec->len - 1);
		rc = buf_check(&path, err);
		if (rc == 0)
			rc = file_read_stream(buf_cstr(&path), out, err);
		buf_release(&path);
		return rc;
	}
	if ((fd = descriptor_of(spec)) >= 0)
		return file_read_fd(fd, fd == STDIN_FILENO ? "standard input" :
		    "the descriptor of fd:N", out, err);
	if (spec->len > 0)
		warn_literal(id);
	buf_append(out, spec->data, spec->len);
	return buf_check(out, err);
}

/* What the reference says when nothing is given, where nobody can be asked. */
static int
no_terminal(enum flag_id id, struct error *err)
{
	const char *name = flag_get(id)->name;

	error_set(err, ERROR_USAGE, "no --%s, and no terminal to ask for it", name);
	return error_hint(err, "give --%s @FILE, - (standard input) or fd:N", name);
}

/*
 * Every byte of a passphrase counts, also those that an editor or a shell put
 * in without being asked.
 */
static void
warn_odd_passphrase(enum flag_id id, const struct buf *p)
{
	static const char *const hint = "printf %s 'the passphrase' >FILE writes nothing else";
	const char *name = flag_get(id)->name, *text = (const char *)p->data;
	size_t n = p->len;

	if (n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		report_warning(hint, "the text of --%s is UTF-16, and is taken byte by byte", name);
	else if (memchr(text, '\0', n) != NULL)
		report_warning(hint, "there is a NUL in the text of --%s", name);
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		report_warning(hint, "the text of --%s begins with a byte order mark, which counts",
		    name);
	if (memchr(text, '\r', n) != NULL)
		report_warning(hint, "there is a carriage return in the text of --%s, which counts",
		    name);
	if (memchr(text, '\n', n) != NULL)
		report_warning(hint, "the text of --%s has several lines, which all count", name);
	if (text[0] == ' ' || text[0] == '\t' || text[n - 1] == ' ' || text[n - 1] == '\t')
		report_warning(hint, "the text of --%s begins or ends with a blank, which counts",
		    name);
}

int
source_passphrase(const struct options *o, enum flag_id id, const char *text, bool twice,
    struct buf *out, struct error *err)
{
	int rc;

	if (o->given[id])
		rc = source_read(o, id, out, err);
	else if (!askpass_available())
		rc = no_terminal(id, err);
	else if (twice)
		rc = askpass_twice(text, out, err);
	else
		rc = askpass_line(text, out, err);
	if (rc != 0 || passphrase_normalise(out, err) != 0)
		return -1;
	warn_odd_passphrase(id, out);
	return 0;
}

static bool
one_stream(const struct options *o)
{
	int fd = descriptor_of(&o->secret[FLAG_PASSPHRASE]);

	return fd >= 0 && fd == descriptor_of(&o->secret[FLAG_PASSPHRASE_NEW]);
}

/* Two lines, the last line end may be missing. */
static int
read_lines(const struct options *o, struct buf *old, struct buf *new, struct error *err)
{
	const unsigned char *end;
	struct buf both;
	size_t n;
	int rc = -1;

	buf_init_secret(&both, 2 * SOURCE_PASSPHRASE_MAX);
	if (source_read(o, FLAG_PASSPHRASE, &both, err) != 0)
		goto out;
	end = both.len > 0 ? memchr(both.data, '\n', both.len) : NULL;
	n = end != NULL ? (size_t)(end - both.data) + 1 : both.len;
	buf_append(old, both.data, n);
	buf_append(new, both.data + n, both.len - n);
	end = new->len > 0 ? memchr(new->data, '\n', new->len) : NULL;
	if (new->len == 0 || (end != NULL && (size_t)(end - new->data) + 1 < new->len)) {
		error_set(err, ERROR_USAGE, "expected two lines: the passphrase and the new one");
		error_hint(err, "or give one of the two by @FILE or fd:N");
		goto out;
	}
	if (buf_check(old, err) == 0 && buf_check(new, err) == 0 &&
	    passphrase_normalise(old, err) == 0 && passphrase_normalise(new, err) == 0) {
		warn_odd_passphrase(FLAG_PASSPHRASE, old);
		warn_odd_passphrase(FLAG_PASSPHRASE_NEW, new);
		rc = 0;
	}
out:
	buf_release(&both);
	return rc;
}

int
source_passphrases(const struct options *o, struct buf *old, struct buf *new, struct error *err)
{
	if (one_stream(o))
		return read_lines(o, old, new, err);
	if (o->given[FLAG_PASSPHRASE] &&
	    source_passphrase(o, FLAG_PASSPHRASE, NULL, false, old, err) != 0)
		return -1;
	return source_passphrase(o, FLAG_PASSPHRASE_NEW, "Passphrase of the new master key: ",
	    true, new, err);
}

#define DIFF_MAX BUF_MAX_FILE
#define KEY_TEXT_MAX 1024

const struct options *
change_options(const struct change *c)
{
	return c->cookie;
}

static struct key *
change_find_key(void *cookie, const struct secrets_file *s, struct error *err)
{
	return master_find(cookie, s, err);
}

static void
change_add_hint(void *cookie, enum change_file file, struct error *err)
{
	const struct options *o = cookie;

	if (file == CHANGE_SECRETS)
		options_hint(o, FLAG_LOCAL_SECRETS_FILE, err);
	else if (file == CHANGE_OUTPUT)
		error_hint(err, "give another --output-file");
	else
		error_hint(err, o->arg_count == 0 ? "check --config-file" :
		    "check the FILE that the command names");
}

bool
change_waiting(void *cookie, const char *path, int waited_ms, int left_ms)
{
	(void)cookie;
	(void)left_ms;
	if (waited_ms == 0)
		report_note("waiting for another propseal that is changing %s", path);
	return true;
}

static bool
change_writing(void *cookie, const char *path, int waited_ms, int left_ms)
{
	(void)cookie;
	(void)left_ms;
	if (waited_ms == 0)
		report_note("waiting for another program that has %s open for writing", path);
	return true;
}

/* A second file of one base name gets entries of its own by another one. */
int
change_check_base_name(const struct change *c, struct error *err)
{
	const char *name = c->base_name;

	if (name == NULL || (name[0] != '\0' && strpbrk(name, "/:}\r\n") == NULL))
		return 0;
	error_set(err, ERROR_USAGE, "--base-name is empty, or has a `/`, `:`, `}` or line end in "
	    "it");
	return error_hint(err, "a name such as broker2-server.properties");
}

void
change_from_flags(struct change *c, const struct options *o)
{
	static const struct change_callbacks callbacks = { .waiting = change_waiting,
		.writing = change_writing, .key = change_find_key, .hint = change_add_hint };

	change_init(c, &callbacks, (void *)(uintptr_t)o);
	c->policy = keys_policy(o);
	c->lock_timeout_ms = options_lock_timeout(o);
	c->dry = o->on[FLAG_DRY_RUN];
	c->base_name = o->text[FLAG_BASE_NAME];
	c->scope = config_scope(o->config);
	c->trail = config_trail(o->config);
}

int
change_open_files(struct change *c, const struct options *o, const char *secrets, bool may_create,
    struct error *err)
{
	const char *config = o->arg_count > 0 ? o->args[0] : NULL;

	change_from_flags(c, o);
	if (config != NULL && change_check_base_name(c, err) != 0)
		return -1;
	return change_files(c, config, secrets, may_create, err);
}

int
change_open(struct change *c, const struct options *o, bool may_create, struct error *err)
{
	return change_open_files(c, o, o->text[FLAG_LOCAL_SECRETS_FILE], may_create, err);
}

/* Plans as JSON, with a key that was made for one (NULL: none). */
static int
change_write_json(const struct plan *const p[], struct apply *const a[], size_t n,
    const struct key *made, struct error *err)
{
	struct json_out o;
	struct buf text, key;
	int rc;

	buf_init_secret(&text, DIFF_MAX);
	buf_init_secret(&key, KEY_TEXT_MAX);
	json_out_init(&o, &text);
	/* A key comes first and on a line of its own, as from `confluent secret`. */
	if (made != NULL)
		json_out_pretty(&o);
	json_out_object(&o, NULL);
	if (made != NULL) {
		key_append_base64(made, &key);
		json_out_text_n(&o, "master_key", key.data, key.len);
	}
	diff_write_json(p, a, n, &o);
	json_out_end(&o);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = output_write_json(&o, err);
	buf_release(&key);
	buf_release(&text);
	return rc;
}

static int
change_show(const struct plan *p, bool json, struct error *err)
{
	struct buf text;
	int rc;

	if (json)
		return change_write_json(&p, NULL, 1, NULL, err);
	buf_init(&text, DIFF_MAX);
	rc = diff_append(p, &text, err);
	if (rc == 0)
		rc = output_write_diff(&text, err);
	buf_release(&text);
	return rc;
}

int
change_tell(struct change *c, const struct key *made, struct error *err)
{
	struct buf files;

	buf_init(&files, DIFF_MAX);
	diff_append_files(&c->applied, &files);
	if (files.len > 0)
		report_change("%s", buf_cstr(&files));
	else
		report_note("nothing to change");
	buf_release(&files);
	if (options_format(change_options(c)) != OUTPUT_JSON)
		return 0;
	if (change_write_json((const struct plan *const[]){ c->plan },
	    (struct apply *const[]){ &c->applied }, 1, made, err) == 0)
		return 0;
	return error_hint(err, "%s", made != NULL ? KEY_NOT_SEEN : plan_is_empty(c->plan) ?
	    "nothing was changed" : "the files are changed");
}

void
change_say_lines(const char *lines)
{
	size_t len;

	while (*lines != '\0') {
		len = strcspn(lines, "\n");
		if (len > 0)
			report_note("%.*s", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

void
change_say_notes(const struct plan *p)
{
	change_say_lines(plan_notes(p));
}

int
change_write_told(const struct options *o, int lock_timeout_ms, const char *path, bool is_new,
    const struct buf *content, struct error *err)
{
	struct buf notes;
	int rc;

	buf_init(&notes, BUF_MAX_FILE);
	rc = change_write_file(config_trail(o->config), lock_timeout_ms, path, is_new, content,
	    &notes, err);
	change_say_lines(buf_cstr(&notes));
	buf_release(&notes);
	return rc;
}

int
change_apply_told(struct change *c, struct error *err)
{
	int rc = change_apply(c, err);
	const struct apply *a = &c->applied;

	if (a->notes.len > 0 && !a->notes.failed)
		change_say_lines((const char *)a->notes.data);
	for (size_t i = 0; i < a->count && a->several; i++)
		if (a->results[i].why != NULL)
			report_error(a->results[i].why);
	return rc;
}

/* A path that the service would not find the secrets file by. */
static void
note_remote_path(struct plan *p, const char *remote)
{
	size_t n = strlen(remote);
	struct file_id id;

	if (remote[0] == '~')
		plan_note(p, "the remote path %s begins with ~, which is no home folder to the "
		    "service", remote);
	else if (remote[0] != '/')
		plan_note(p, "the remote path %s is relative: the service looks for it from its "
		    "own working folder", remote);
	if (n > 0 && (remote[n - 1] == '/' ||
	    (file_identify(remote, &id, NULL) == 0 && id.exists && S_ISDIR(id.mode))))
		plan_note(p, "the remote path %s is a folder, and has to name a file", remote);
}

/* A secrets file that we make is ours alone; the service may be another user. */
static void
note_readers(const struct change *c)
{
	struct file_id new = { .exists = true, .uid = geteuid(), .gid = getegid(), .mode = 0600 };
	const char *path = c->secrets != NULL ? secrets_file_path(c->secrets) : NULL, *own;
	char reader[TEXT_WORD_MAX], word[TEXT_WORD_MAX];
	bool is_new = path != NULL && !secrets_file_id(c->secrets)->exists;
	const struct configuration *config;

	for (size_t i = 0; path != NULL && i < c->configs.len; i++) {
		config = *(struct configuration **)vec_at(&c->configs, i);
		if (!config->id.exists || file_shares_readers(&config->id,
		    is_new ? &new : secrets_file_id(c->secrets)))
			continue;
		own = text_word(path, word);
		/* One can have what it asks for. */
		plan_note(c->plan, "who reads %s cannot read the %ssecrets file: chown "
		    "--reference=%s %s && chmod 640 %s", config->path, is_new ? "new " : "",
		    text_word(config->path, reader), own, own);
		return;
	}
}

/* References of the file whose path is none that the secrets file notes for
 * itself: the entry's name decides here, and their reader looks elsewhere. */
static void
note_other_paths_of(const struct change *c, const struct configuration *config)
{
	const struct document *d = config->doc;
	struct reference r;
	struct buf value;
	size_t start, end;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (size_t i = 0; i < document_count(d); i++) {
		buf_clear(&value);
		if (document_shadowed(d, i) || !reference_may_be_in(d, i) ||
		    document_value(d, i, &value, NULL) != 0)
			continue;
		for (end = 0; resolve_next((const char *)value.data, value.len, end, &r, &start,
		    &end);)
			if (reference_is_ours(&r) && r.path != NULL &&
			    !secrets_file_notes(c->secrets, r.path, r.path_len) &&
			    plan_first(c->plan, "path", "", r.path, r.path_len, NULL) == 1)
				plan_note(c->plan, "%s:%zu: refers to %.*s, which is not the "
				    "path that %s notes for itself: the entry's name decided",
				    config->path, document_line(d, i), (int)r.path_len, r.path,
				    secrets_file_path(c->secrets));
	}
	buf_release(&value);
}

static void
note_other_paths(const struct change *c)
{
	if (c->secrets == NULL || secrets_file_remote_count(c->secrets) == 0)
		return;
	for (size_t i = 0; i < c->configs.len; i++)
		note_other_paths_of(c, *(struct configuration **)vec_at(&c->configs, i));
}

void
change_note_settings(const struct change *c)
{
	static const enum flag_id decide[] = { FLAG_LOCAL_SECRETS_FILE, FLAG_REMOTE_SECRETS_FILE,
		FLAG_REPLACE };
	const struct options *o = change_options(c);
	const struct config_value *class = o->config == NULL ? NULL :
	    config_get(o->config, SETTING_PROVIDER_CLASS);
	const char *text;

	if (class != NULL && class->foreign)
		plan_note(c->plan, "%s:%zu, which is in the work tree, says provider-class = %s",
		    class->file, class->line, class->text);
	for (size_t i = 0; i < sizeof(decide) / sizeof(decide[0]); i++) {
		text = o->text[decide[i]];
		if (o->from[decide[i]].foreign && (text != NULL || o->on[decide[i]]))
			plan_note(c->plan, "%s:%zu, which is in the work tree, says --%s%s%s",
			    o->from[decide[i]].file, o->from[decide[i]].line,
			    flag_get(decide[i])->name, text != NULL ? " " : "",
			    text != NULL ? text : "");
	}
	if (o->text[FLAG_REMOTE_SECRETS_FILE] != NULL && !plan_is_empty(c->plan))
		note_remote_path(c->plan, o->text[FLAG_REMOTE_SECRETS_FILE]);
	if (!plan_is_empty(c->plan))
		note_readers(c);
	note_other_paths(c);
}

/* Show the plan or apply it. */
static int
change_end(struct change *c, const struct key *made, struct error *err)
{
	/* The diff has the notes in it. */
	if (c->dry)
		return change_show(c->plan, options_format(change_options(c)) == OUTPUT_JSON, err);
	change_say_notes(c->plan);
	if (!plan_is_empty(c->plan) && change_apply_told(c, err) != 0) {
		if (apply_done(&c->applied) > 0)
			(void)change_tell(c, made, NULL);
		return -1;
	}
	return change_tell(c, made, err);
}

int
change_finish(struct change *c, const struct key *made, struct error *err)
{
	change_note_settings(c);
	return change_end(c, made, err);
}

/* The plans of several changes as JSON; of a dry run, or as they were applied. */
static int
write_all(struct change *const c[], size_t n, bool applied, struct error *err)
{
	const struct plan **p = calloc(n + 1, sizeof(const struct plan *));
	struct apply **a = calloc(n + 1, sizeof(struct apply *));
	int rc = p == NULL || a == NULL ? error_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		p[i] = c[i]->plan;
		a[i] = &c[i]->applied;
	}
	if (rc == 0)
		rc = change_write_json(p, applied ? a : NULL, n, NULL, err);
	free(p);
	free(a);
	return rc;
}

int
change_show_all(struct change *const c[], size_t n, bool json, struct error *err)
{
	int rc = 0;

	if (json)
		return write_all(c, n, false, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = change_show(c[i]->plan, false, err);
	return rc;
}

int
change_tell_all(struct change *const c[], size_t n, bool left, bool json, struct error *err)
{
	struct buf files;

	buf_init(&files, DIFF_MAX);
	for (size_t i = 0; i < n; i++) {
		if (c[i]->plan == NULL || apply_done(&c[i]->applied) == 0)
			continue;
		if (files.len > 0)
			buf_append_str(&files, ", ");
		diff_append_files(&c[i]->applied, &files);
	}
	if (files.len > 0)
		report_change("%s", buf_cstr(&files));
	else
		report_note(left ? "nothing was changed" : "nothing to change");
	buf_release(&files);
	return json ? write_all(c, n, true, err) : 0;
}

int
change_status(struct change *c, int rc, const struct error *err)
{
	change_close(c);
	return rc == 0 ? 0 : report_error(err);
}

static void
warn_readable(const char *path)
{
	struct file_id id;

	if (file_identify(path, &id, NULL) == 0 && id.exists && S_ISREG(id.mode) &&
	    (id.mode & 077) != 0)
		report_warning("chmod 600 it", "others can read %s, which keeps its mode %03o",
		    path, (unsigned int)(id.mode & 07777));
}

int
change_write_output(struct change *c, const char *path, struct buf *text, struct error *err)
{
	if (output_is_stream(path)) {
		if (c->dry) {
			error_set(err, ERROR_USAGE, "--dry-run is for --output-file with a file");
			return error_hint(err, "`propseal file show` lists the entries");
		}
		/* A plan that is there was told: `render` has its own notes. */
		if (c->plan == NULL) {
			if (change_plan(c, err) != 0)
				return -1;
			note_other_paths(c);
			change_say_notes(c->plan);
		}
		return output_write_stream(path, text, err);
	}
	return change_write_outputs(c, &path, text, 1, err);
}

int
change_write_outputs(struct change *c, const char *const paths[], struct buf texts[], size_t n,
    struct error *err)
{
	if (change_outputs(c, paths, texts, n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		warn_readable(paths[i]);
	note_other_paths(c);
	return change_end(c, NULL, err);
}
