#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/keys.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "crypto/key.h"
#include "document/document.h"
#include "document/edits.h"
#include "file/file.h"
#include "plan/configuration.h"
#include "plan/plan.h"
#include "seal/keying.h"
#include "seal/render.h"
#include "seal/seal.h"
#include "secrets/inspect.h"
#include "secrets/mask.h"
#include "secrets/rules.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* A key of 32 bytes has 44 characters; the frame around it is short. */
#define KEY_TEXT_MAX 1024
#define LIST_MAX (64U << 20)
#define TEXT_MAX (256U << 20)
#define LEFT_MAX 20	/* secrets that are left are named up to here */

/* What the two characters \n in a literal text are. */
enum meaning { IS_TEXT, IS_LINE_END, IS_UNCLEAR };

struct passphrases {
	struct buf old;
	struct buf new;
};

/* The length of the blank at ${p}, 0 when there is none. */
static size_t
blank(const char *p, size_t n)
{
	uint32_t cp;
	size_t len = n == 0 ? 0 : text_utf8_decode((const unsigned char *)p, n, &cp);

	return len > 0 && text_is_blank(p, len) ? len : 0;
}

static void
trim_blanks(const char **p, size_t *n)
{
	size_t len, start;

	while ((len = blank(*p, *n)) > 0) {
		*p += len;
		*n -= len;
	}
	while (*n > 0) {
		start = *n - 1;
		while (start > 0 && ((unsigned char)(*p)[start] & 0xc0) == 0x80)
			start--;
		if (blank(*p + start, *n - start) != *n - start)
			break;
		*n = start;
	}
}

static int
read_text(const char *spec, struct buf *out, bool *lines, struct error *err)
{
	*lines = true;
	if (strcmp(spec, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", out, err);
	if (spec[0] == '@' && spec[1] != '\0')
		return file_read_stream(spec + 1, out, err);
	*lines = false;
	buf_append_str(out, spec);
	return buf_check(out, err);
}

static size_t
count_items(const struct buf *text, bool lines)
{
	size_t n = 1;
	size_t i;

	for (i = 0; i < text->len; i++)
		n += text->data[i] == ',' || (lines && text->data[i] == '\n');
	return n;
}

static int
key_list_split(struct key_list *l, bool lines, bool trim, struct error *err)
{
	const char *p = (const char *)l->text.data;
	const char *end = p + l->text.len;
	const char *item;
	size_t len;

	for (;;) {
		for (len = 0; p + len < end; len++) {
			if (p[len] == ',' || (lines && p[len] == '\n'))
				break;
		}
		item = p;
		p += len;
		if (lines && len > 0 && item[len - 1] == '\r')
			len--;
		if (trim)
			trim_blanks(&item, &len);
		if (len > 0) {
			l->keys[l->count] = item;
			l->lens[l->count++] = len;
		} else if (!lines) {
			error_set(err, ERROR_MISSING, "configuration key \"\" not present in the "
			    "configuration file");
			return error_hint(err, "there is a comma too many in --config");
		}
		if (p == end)
			return 0;
		p++;
	}
}

int
key_list_read(const struct options *o, bool trim, struct key_list *out, struct error *err)
{
	const char *spec = o->text[FLAG_CONFIG_KEYS];
	size_t n;
	bool lines;

	memset(out, 0, sizeof(*out));
	buf_init(&out->text, LIST_MAX);
	if (spec == NULL)
		return 0;
	if (read_text(spec, &out->text, &lines, err) != 0)
		return -1;
	if (text_is_blank(out->text.data, out->text.len))
		return 0;
	n = count_items(&out->text, lines);
	out->keys = calloc(n, sizeof(*out->keys));
	out->lens = calloc(n, sizeof(*out->lens));
	if (out->keys == NULL || out->lens == NULL)
		return error_memory(err);
	return key_list_split(out, lines, trim, err);
}

void
key_list_release(struct key_list *l)
{
	free(l->keys);
	free(l->lens);
	buf_release(&l->text);
	memset(l, 0, sizeof(*l));
}

static size_t
skip_blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/*
 * `confluent secret` makes every \n a line end, and so cuts the password
 * C:\new in two.  Here it is one where an entry follows, and stays text where
 * only a word does.  Behind a drive's letter, and where a blank would be all
 * that separates a key from its value, it might be either.
 */
static enum meaning
meaning_of(const char *text, size_t at, size_t n, const struct document *config)
{
	const char *p = text + at;
	size_t start = skip_blanks(p, n - at), end;
	bool dot = false;

	n -= at;
	if (start == n)
		return IS_LINE_END;
	for (end = start; end < n && strchr("=: \t\r\n", p[end]) == NULL; end++) {
		if (p[end] == '\\' && end + 1 < n && p[++end] == 'n')
			return IS_TEXT;
		dot |= p[end] == '.';
	}
	if (end == start || end == n || p[end] == '\r' || p[end] == '\n')
		return IS_TEXT;
	if (document_find(config, p + start, end - start) != DOCUMENT_NONE)
		return IS_LINE_END;
	if (at > 2 && text[at - 3] == ':')
		return IS_UNCLEAR;
	end += skip_blanks(p + end, n - end);
	return dot || (end < n && (p[end] == '=' || p[end] == ':')) ? IS_LINE_END : IS_UNCLEAR;
}

static int
unclear(struct error *err)
{
	error_set(err, ERROR_USAGE, "--config holds the two characters \\n, and it is not clear "
	    "whether they separate entries or belong to a value");
	return error_hint(err, "write \\\\n for the two characters in a value; put entries on "
	    "lines of their own, or in a file for --config @FILE");
}

/* Copy the literal text with each \n made a line end or, escaped, text. */
static int
resolve_newlines(const struct buf *in, const struct document *config, struct buf *out,
    struct error *err)
{
	const char *p = (const char *)in->data;
	bool kept = false;
	size_t i;

	for (i = 0; i < in->len; i++) {
		if (p[i] != '\\' || i + 1 == in->len) {
			buf_append_char(out, p[i]);
			continue;
		}
		i++;
		if (p[i] != 'n') {
			buf_append(out, p + i - 1, 2);
			continue;
		}
		switch (meaning_of(p, i + 1, in->len, config)) {
		case IS_LINE_END:
			buf_append_char(out, '\n');
			break;
		case IS_TEXT:
			buf_append_str(out, "\\\\n");
			kept = true;
			break;
		case IS_UNCLEAR:
			return unclear(err);
		}
	}
	if (kept)
		report_note("the two characters \\n in --config stay in the value: no KEY= "
		    "follows them");
	return buf_check(out, err);
}

/*
 * In the path to a JSON value `\\.` is a dot of a name.  As .properties the
 * backslash would be dropped, and with it the meaning: double it, in keys.
 */
static int
config_text_keep_paths(struct buf *text, struct error *err)
{
	const char *p = (const char *)text->data;
	bool in_key = true;
	struct buf out;
	int rc;

	buf_init_secret(&out, 2 * (size_t)TEXT_MAX);
	for (size_t i = 0; i < text->len; i++) {
		if (p[i] == '\\' && i + 1 < text->len) {
			buf_append_str(&out, in_key && p[i + 1] == '.' ? "\\\\" : "\\");
			buf_append_char(&out, p[++i]);
			continue;
		}
		if (p[i] == '\n' || p[i] == '\r')
			in_key = true;
		else if (p[i] == '=' || p[i] == ':')
			in_key = false;
		buf_append_char(&out, p[i]);
	}
	if ((rc = buf_check(&out, err)) == 0)
		buf_move(text, &out);
	buf_release(&out);
	return rc;
}

/* An odd number of backslashes at the end: a reader would drop the last. */
static int
config_text_check_end(const struct buf *text, struct error *err)
{
	size_t n = 0;

	while (n < text->len && text->data[text->len - 1 - n] == '\\')
		n++;
	if (n % 2 == 0)
		return 0;
	error_set(err, ERROR_USAGE, "--config ends with a lone backslash, which would be lost");
	return error_hint(err, "the text is read as .properties: write \\\\ for a backslash");
}

/* A backslash that a reader drops, or makes a control character. */
static void
warn_escapes(const struct document *d, size_t i)
{
	const unsigned char *raw;
	struct buf key;
	const char *k;
	size_t n, j, len;

	raw = document_raw_value(d, i, &n);
	for (j = 0; j + 1 < n; j++) {
		if (raw[j] == '\\' && strchr("\\:=#! u\r\n", raw[++j]) == NULL)
			break;
	}
	if (j + 1 >= n)
		return;
	k = document_key(d, i, &len);
	buf_init(&key, 4096);
	text_append_visible(&key, k, len);
	report_warning("write \\\\ for a backslash that belongs to the value",
	    "%s: a backslash in --config begins an escape, as in .properties", buf_cstr(&key));
	buf_release(&key);
}

/* A key without a separator: is it one whose value was forgotten? */
static bool
is_bare(const struct document *d, size_t i)
{
	const unsigned char *p = document_bytes(d)->data;
	size_t start, end, n;

	(void)document_raw_value(d, i, &n);
	document_span(d, i, &start, &end);
	return n == 0 && memchr(p + start, '=', end - start) == NULL &&
	    memchr(p + start, ':', end - start) == NULL;
}

static int
config_text_check_entries(const struct document *d, const struct document *config, bool literal,
    struct error *err)
{
	struct remark cut;
	const char *key;
	size_t i, len;

	for (i = 0; i < document_count(d); i++) {
		key = document_key(d, i, &len);
		if (inspect_is_cut(NULL, d, i, &cut)) {
			error_set(err, ERROR_REFUSED, "%s", cut.text);
			error_place(err, document_file(d), cut.line);
			error_key(err, key, len);
			return error_hint(err, "%s", cut.hint);
		}
		if (len == 0) {
			error_set(err, ERROR_USAGE, "there is no key before the separator");
			error_place(err, document_file(d), document_line(d, i));
			return error_hint(err, "an entry is KEY=VALUE");
		}
		if (is_bare(d, i) && document_find(config, key, len) != DOCUMENT_NONE) {
			error_set(err, ERROR_USAGE, "the key is there already, and no value is "
			    "given for it");
			error_place(err, document_file(d), document_line(d, i));
			error_key(err, key, len);
			return error_hint(err, "an entry is KEY=VALUE; write KEY= for an empty "
			    "value");
		}
		if (document_shadowed(d, i)) {
			error_set(err, ERROR_USAGE, "the key is given twice");
			error_place(err, document_file(d), document_line(d, i));
			return error_key(err, key, len);
		}
		if (literal)
			warn_escapes(d, i);
	}
	return 0;
}

static const char *
source_name(const struct options *o)
{
	const struct buf *spec = &o->secret[FLAG_CONFIG_TEXT];

	if (source_is_literal(o, FLAG_CONFIG_TEXT))
		return "--config";
	return spec->data[0] == '@' ? "--config @FILE" : "standard input";
}

/**
 * config_text_read(o, config, empty, err):
 * The keys and values of `add` and `update` --config, as a .properties
 * document (caller frees): from @FILE, - or the literal text, whose two
 * characters \n are a line end only where an entry follows; else they stay
 * what they are, or the text is refused when nobody can tell.  ${config} is
 * the configuration, whose keys are known.  ERROR_USAGE: nothing in it (with
 * the text ${empty}), no key before the separator, a key twice, a backslash
 * at the end.  No error holds a value.
 */
static struct document *
config_text_read(const struct options *o, const struct document *config, const char *empty,
    struct error *err)
{
	bool literal = source_is_literal(o, FLAG_CONFIG_TEXT);
	struct document *d = NULL;
	struct buf raw, text;

	buf_init_secret(&raw, TEXT_MAX);
	buf_init_secret(&text, TEXT_MAX);
	if (source_read(o, FLAG_CONFIG_TEXT, &raw, err) != 0)
		goto out;
	if (literal) {
		if (config_text_check_end(&raw, err) != 0 ||
		    resolve_newlines(&raw, config, &text, err) != 0)
			goto out;
	} else
		buf_move(&text, &raw);
	if (document_format(config)->escape != '\0' && config_text_keep_paths(&text, err) != 0)
		goto out;
	d = document_parse(&text, DOCUMENT_ENTRIES, source_name(o), err);
	if (d == NULL)
		goto out;
	if (document_count(d) == 0 && document_problem(d, NULL) == 0) {
		error_set(err, ERROR_USAGE, "%s", empty);
		error_hint(err, "an entry is KEY=VALUE");
	} else if (document_problem(d, err) == 0 && config_text_check_entries(d, config, literal,
	    err) == 0)
		goto out;
	document_free(d);
	d = NULL;
out:
	buf_release(&raw);
	buf_release(&text);
	return d;
}

struct seal_options
sealing_options(const struct options *o)
{
	const char *cipher = o->text[FLAG_CIPHER];
	struct seal_options so = {
		.remote = o->text[FLAG_REMOTE_SECRETS_FILE],
		.replace = o->on[FLAG_REPLACE],
		.cipher = SEALED_GCM,
		.rules = config_rules(o->config),
		.provider_class = config_provider_class(o->config),
	};

	if (cipher != NULL && strcmp(cipher, "cbc") == 0)
		so.cipher = SEALED_CBC;
	return so;
}

/* Plan to seal each entry of ${text}. */
static int
seal_all(struct change *c, const struct document *text, bool must_exist, struct error *err)
{
	struct seal_options so = sealing_options(change_options(c));
	struct buf value;
	const char *key;
	size_t i, len;
	int rc = 0;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (i = 0; i < document_count(text) && rc == 0; i++) {
		key = document_key(text, i, &len);
		buf_clear(&value);
		rc = document_value(text, i, &value, err);
		if (rc == 0)
			rc = seal_value(c->plan, c->config, key, len, value.data, value.len,
			    must_exist, &so, err);
	}
	buf_release(&value);
	return rc;
}

/**
 * sealing_put(o, must_exist, empty, err):
 * The whole of `add` (${must_exist} false) and `update`: seal the values of
 * --config.  ${empty} is said when there are none.
 */
static int
sealing_put(const struct options *o, bool must_exist, const char *empty, struct error *err)
{
	struct document *text = NULL;
	struct change c;
	int rc = -1;

	if (change_open(&c, o, true, err) != 0)
		goto out;
	if ((text = config_text_read(o, c.config->doc, empty, err)) == NULL)
		goto out;
	if (change_key(&c, err) != 0 || change_start(&c, err) != 0 ||
	    seal_prepare(c.plan, c.master, err) != 0)
		goto out;
	if (seal_all(&c, text, must_exist, err) == 0)
		rc = change_finish(&c, NULL, err);
out:
	document_free(text);
	change_close(&c);
	return rc;
}

/* The table of the reference: one row of two columns. */
static void
append_key_table(struct buf *out, const struct buf *key)
{
	size_t i;
	int row;

	for (row = 0; row < 3; row++) {
		if (row == 1) {
			buf_append_str(out, "| Master Key | ");
			buf_append(out, key->data, key->len);
			buf_append_str(out, " |\n");
			continue;
		}
		buf_append_str(out, "+------------+");
		for (i = 0; i < key->len + 2; i++)
			buf_append_char(out, '-');
		buf_append_str(out, "+\n");
	}
}

/*
 * Apply a plan that brings a new master key, and print it on standard output
 * as `confluent secret` does (a table or YAML; JSON has it in the result), and
 * on standard error the advice to save it.
 */
static int
finish_with_key(struct change *c, const struct key *k, struct error *err)
{
	enum output_format format = options_format(change_options(c));
	struct buf key, text;
	int rc = -1;

	buf_init_secret(&key, KEY_TEXT_MAX);
	buf_init_secret(&text, KEY_TEXT_MAX);
	key_append_base64(k, &key);
	if (buf_check(&key, err) != 0)
		goto out;
	rc = change_finish(c, k, err);
	if (rc != 0 || c->dry)
		goto out;
	if (format == OUTPUT_HUMAN)
		append_key_table(&text, &key);
	else if (format == OUTPUT_YAML) {
		buf_append_str(&text, "master_key: ");
		buf_append(&text, key.data, key.len);
		buf_append_char(&text, '\n');
	}
	rc = output_write(&text, err);
	if (rc == 0)
		report_line("Save the master key. It cannot be retrieved later.");
	else
		error_hint(err, KEY_NOT_SEEN);
out:
	buf_release(&key);
	buf_release(&text);
	return rc;
}

static int
generate(struct change *c, const struct options *o, struct buf *passphrase, struct error *err)
{
	struct key *master = NULL;
	int rc;

	if (change_open(c, o, true, err) != 0)
		return -1;
	if (source_passphrase(o, FLAG_PASSPHRASE, "Passphrase of the new master key: ", true,
	    passphrase, err) != 0 || change_start(c, err) != 0)
		return -1;
	rc = rotate_generate(c->plan, passphrase->data, passphrase->len, &master, err);
	if (rc == 0)
		rc = finish_with_key(c, master, err);
	key_free(master);
	return rc;
}

int
commands_generate(const struct options *o)
{
	struct change c = { 0 };
	struct buf passphrase;
	struct error err;
	int rc;

	buf_init_secret(&passphrase, SOURCE_PASSPHRASE_MAX);
	rc = generate(&c, o, &passphrase, &err);
	buf_release(&passphrase);
	return change_status(&c, rc, &err);
}

static int
seal_keys(struct change *c, const struct key_list *keys, const struct seal_options *so,
    struct error *err)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		if (seal_key(c->plan, c->config, keys->keys[i], keys->lens[i], so, err) != 0)
			return -1;
	}
	return 0;
}

/* The notes of another plan, a line each. */
static void
note_lines(struct plan *p, const char *notes)
{
	size_t len;

	for (; *notes != '\0'; notes += len + (notes[len] == '\n')) {
		len = strcspn(notes, "\n");
		plan_note(p, "%.*s", (int)len, notes);
	}
}

/* What `encrypt` without --config leaves behind. */
struct left {
	struct change *change;
	size_t entry;
	size_t count;
};

static int
note_left(void *cookie, const struct clear *found, struct error *err)
{
	struct left *l = cookie;
	const struct configuration *config = l->change->config;

	(void)err;
	if (l->count++ < LEFT_MAX)
		plan_note_key(l->change->plan, config->path, document_line(config->doc, l->entry),
		    found->address, found->address_len, "stays in clear text, and may be a "
		    "secret: --config takes it");
	return 0;
}

/* The rule of `encrypt` is the reference's; other secrets are named. */
static int
note_all_left(struct change *c, const struct rules *rules, struct error *err)
{
	const struct document *d = c->config->doc;
	struct edits *edits = plan_config_edits(c->plan, c->config, err);
	struct left l = { .change = c };
	struct buf value;
	const char *key;
	size_t len;
	int rc = edits != NULL ? 0 : -1;

	buf_init_secret(&value, BUF_MAX_FILE);
	for (; rc == 0 && l.entry < document_count(d); l.entry++) {
		key = document_key(d, l.entry, &len);
		buf_clear(&value);
		rc = edits_value(edits, l.entry, &value, err);
		if (rc == 0 && value.len > 0)
			rc = clear_each(rules, key, len, (const char *)value.data, value.len,
			    note_left, &l, err);
	}
	buf_release(&value);
	if (l.count > LEFT_MAX)
		plan_note(c->plan, "%zu more that may be secrets stay in clear text: `propseal "
		    "file show` lists them", l.count - LEFT_MAX);
	return rc;
}

static int
encrypt_all(struct change *c, const struct options *o, const struct key_list *keys,
    struct error *err)
{
	struct seal_options so = sealing_options(o);
	size_t count = 0;
	char *notes;

	if (change_open(c, o, true, err) != 0 || change_key(c, err) != 0 ||
	    change_start(c, err) != 0 || seal_prepare(c->plan, c->master, err) != 0)
		return -1;
	if (keys->count > 0) {
		if (seal_keys(c, keys, &so, err) != 0)
			return -1;
		return change_finish(c, NULL, err);
	}
	if (seal_default(c->plan, c->config, &so, &count, err) != 0)
		return -1;
	if (count == 0) {
		/* Nor is a data key made for nothing. */
		if ((notes = strdup(plan_notes(c->plan))) == NULL)
			return error_memory(err);
		plan_free(c->plan);
		if (change_plan(c, err) == 0)
			note_lines(c->plan, notes);
		free(notes);
		if (c->plan == NULL)
			return -1;
		plan_note(c->plan, "nothing to seal: no key contains \"password\"%s",
		    rules_has_secret(so.rules) ? " or is one of secret-keys" : "");
	}
	if (note_all_left(c, so.rules, err) != 0)
		return -1;
	return change_finish(c, NULL, err);
}

/* Run the body of a command that --config gives keys to. */
static int
run_with_keys(const struct options *o, bool trim, int (*body)(struct change *c,
    const struct options *o, const struct key_list *keys, struct error *err))
{
	struct change c = { 0 };
	struct error err;
	struct key_list keys;
	int rc;

	rc = key_list_read(o, trim, &keys, &err);
	if (rc == 0)
		rc = body(&c, o, &keys, &err);
	key_list_release(&keys);
	return change_status(&c, rc, &err);
}

int
commands_encrypt(const struct options *o)
{
	return run_with_keys(o, true, encrypt_all);
}

static int
decrypt(struct change *c, const struct options *o, const struct key_list *keys, struct error *err)
{
	struct buf text;
	int rc;

	if (change_open(c, o, false, err) != 0 || change_key(c, err) != 0 ||
	    secrets_file_unlock(c->secrets, c->master, err) != 0)
		return -1;
	buf_init_secret(&text, BUF_MAX_FILE);
	rc = render_opened(c->config, c->secrets, keys->keys, keys->lens, keys->count,
	    o->on[FLAG_ANY_NAME], &text, err);
	if (rc == 0) {
		keys_say_doubts(c->secrets);
		if (text.len == 0)
			report_note("nothing to open: no value refers to a sealed entry");
		rc = change_write_output(c, o->text[FLAG_OUTPUT_FILE], &text, err);
	}
	buf_release(&text);
	return rc;
}

int
commands_decrypt(const struct options *o)
{
	return run_with_keys(o, true, decrypt);
}

int
commands_add(const struct options *o)
{
	struct error err;

	if (sealing_put(o, false, "add failed: empty list of new configs", &err) != 0)
		return report_error(&err);
	return 0;
}

/* What the reference says; the file is changed even if nobody hears it. */
static const char done[] = "Updated the encrypted secrets.\n";

int
commands_update(const struct options *o)
{
	struct error err;

	if (sealing_put(o, true, "update failed: empty list of update configs", &err) != 0)
		return report_error(&err);
	if (!o->on[FLAG_DRY_RUN] && options_format(o) != OUTPUT_JSON &&
	    output_write_fd(STDOUT_FILENO, "standard output", done, sizeof(done) - 1, &err) != 0) {
		error_hint(&err, "the files are changed");
		return report_error(&err);
	}
	return 0;
}

static void
hint_blank(const char *key, size_t len, struct error *err)
{
	if (err->code == ERROR_MISSING && (key[0] == ' ' || key[len - 1] == ' '))
		error_hint(err, "remove takes the blanks around a key as a part of it, as "
		    "`confluent secret` does: write KEY,KEY");
}

static int
remove_keys(struct change *c, const struct options *o, const struct key_list *keys,
    struct error *err)
{
	size_t i;

	if (keys->count == 0) {
		error_set(err, ERROR_USAGE, "no key in --config");
		return error_hint(err, "name the keys to remove, separated by commas");
	}
	if (change_open(c, o, false, err) != 0 || change_start(c, err) != 0)
		return -1;
	for (i = 0; i < keys->count; i++) {
		if (seal_remove(c->plan, c->config, keys->keys[i], keys->lens[i],
		    o->on[FLAG_ORPHAN], err) != 0) {
			hint_blank(keys->keys[i], keys->lens[i], err);
			return -1;
		}
	}
	return change_finish(c, NULL, err);
}

int
commands_remove(const struct options *o)
{
	int status = run_with_keys(o, false, remove_keys);

	if (status == 0 && !o->on[FLAG_DRY_RUN])
		report_line("Deleted configuration values.");
	return status;
}

/* The old one is not needed: who has the key can do without. */
static int
read_passphrases(const struct options *o, struct passphrases *p, struct error *err)
{
	if (o->on[FLAG_MASTER_KEY])
		return source_passphrases(o, &p->old, &p->new, err);
	if (o->given[FLAG_PASSPHRASE_NEW]) {
		error_set(err, ERROR_USAGE, "--passphrase-new is for a new master key");
		return error_hint(err, "add --master-key, or leave --passphrase-new out");
	}
	return o->given[FLAG_PASSPHRASE] ?
	    source_passphrase(o, FLAG_PASSPHRASE, NULL, false, &p->old, err) : 0;
}

/* The passphrase, if one was given, must be the one of the key that was found. */
static int
check_passphrase(const struct change *c, const struct buf *passphrase, struct error *err)
{
	struct key *derived = NULL;
	int rc;

	if (!change_options(c)->given[FLAG_PASSPHRASE])
		return 0;
	rc = secrets_file_check_passphrase(c->secrets, passphrase->data, passphrase->len,
	    c->master, &derived, err);
	key_free(derived);
	return rc;
}

static int
rotate_rotate(struct change *c, const struct options *o, struct passphrases *p, struct error *err)
{
	bool master_too = o->on[FLAG_MASTER_KEY];
	bool data_too = o->on[FLAG_DATA_KEY] || !master_too;
	struct key *new_master = NULL;
	int rc = -1;

	if (change_open(c, o, false, err) != 0 || read_passphrases(o, p, err) != 0 ||
	    change_key(c, err) != 0 || change_start(c, err) != 0 ||
	    check_passphrase(c, &p->old, err) != 0)
		return -1;
	if (data_too && rotate_data_key(c->plan, c->master, NULL, NULL, err) != 0)
		return -1;
	if (master_too && rotate_master_key(c->plan, c->master, p->new.data, p->new.len,
	    &new_master, err) != 0)
		return -1;
	rc = master_too ? finish_with_key(c, new_master, err) : change_finish(c, NULL, err);
	key_free(new_master);
	return rc;
}

int
commands_rotate(const struct options *o)
{
	struct change c = { 0 };
	struct passphrases p;
	struct error err;
	int rc;

	buf_init_secret(&p.old, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&p.new, SOURCE_PASSPHRASE_MAX);
	rc = rotate_rotate(&c, o, &p, &err);
	buf_release(&p.old);
	buf_release(&p.new);
	return change_status(&c, rc, &err);
}
