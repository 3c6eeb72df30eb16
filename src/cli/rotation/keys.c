#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/change.h"
#include "cli/keys.h"
#include "cli/rotation/session.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "crypto/key.h"
#include "file/file.h"
#include "plan/change.h"
#include "secrets/key_source.h"
#include "secrets/secrets_file.h"

/* The keys of a rotation: the present ones for `plan`, the new ones for all that follows. */

#define KEYS_MAX ((size_t)1 << 20)	/* bytes of --keys, of a passphrase */
#define MADE_MAX ((size_t)64 << 20)	/* bytes of a file of new keys */
#define TRIES 3

/* A line of --keys: which file, and its key or passphrase. */
struct key_line {
	char *file;		/* as it is written */
	dev_t dev;
	ino_t ino;
	bool there;		/* dev and ino are known */
	size_t line;
	struct key *key;	/* NULL: */
	struct buf passphrase;
};

/* --- the file of --keys --- */

static int
line_fail(const struct finder *f, size_t line, const char *text, const char *hint,
    struct error *err)
{
	error_set(err, ERROR_USAGE, "%s", text);
	error_place(err, f->o->text[FLAG_KEYS_FILE], line);
	return error_hint(err, "%s", hint);
}

/* A failure at a line of --keys, whatever it was. */
static int
line_place(const struct finder *f, size_t line, struct error *err)
{
	if (err->hint[0] == '\0')
		error_hint(err, "this is the source of line %zu of %s", line,
		    f->o->text[FLAG_KEYS_FILE]);
	return -1;
}

static int
line_passphrase(struct key_line *l, const char *source, struct error *err)
{
	if (source[0] != '@' || source[1] == '\0')
		return error_set(err, ERROR_USAGE, "a passphrase comes from a file: "
		    "passphrase:@FILE");
	return file_read_stream(source + 1, &l->passphrase, err) != 0 ? -1 :
	    passphrase_normalise(&l->passphrase, err);
}

/* Without unsetting it: several lines may name it. */
static int
line_variable(struct key_line *l, const char *name, struct error *err)
{
	const char *value = getenv(name);
	size_t n = value != NULL ? strlen(value) : 0;

	while (n > 0 && (value[n - 1] == '\n' || value[n - 1] == ' '))
		n--;
	if (n == 0)
		return error_set(err, ERROR_MISSING, "the environment variable %s is not set",
		    name);
	return (l->key = key_from_base64(value, n, err)) == NULL ? -1 : 0;
}

static int
line_ring(struct key_line *l, const struct key_source *from, struct error *err)
{
	struct key_ring *ring = key_ring_read(from, err);
	const struct key *k;

	if (ring == NULL)
		return -1;
	if (key_ring_count(ring) == 0)
		error_set(err, ERROR_KEY, "there is no key");
	else if ((k = key_ring_key(ring, 0)) != NULL)
		l->key = key_copy(k, err);
	key_ring_free(ring);
	return l->key != NULL ? 0 : -1;
}

static int
line_source(struct finder *f, struct key_line *l, const char *source, struct error *err)
{
	static const char *const kinds[] = { "file:", "env:", "command:", "passphrase:", "fd:" };
	struct key_source from = { .file = source };
	const char *rest = NULL;
	size_t kind = 0;

	while (kind < 5 && strncmp(source, kinds[kind], strlen(kinds[kind])) != 0)
		kind++;
	if (kind == 5 || *(rest = source + strlen(kinds[kind])) == '\0')
		return line_fail(f, l->line, "this is no source of a key", "it is file:F, "
		    "env:NAME, "
		    "command:CMD, passphrase:@F or fd:N", err);
	if (kind == 1)
		return line_variable(l, rest, err);
	if (kind == 3)
		return line_passphrase(l, rest, err);
	if (kind == 0)
		from.file = rest;
	if (kind == 2)
		from = (struct key_source){ .command = keys_command,
			.cookie = (void *)(uintptr_t)rest };
	return line_ring(l, &from, err);
}

/* Where the file of a line is: from here, or from the folder of the --keys file. */
static void
line_find(const struct finder *f, struct key_line *l)
{
	char *folder = file_folder(f->o->text[FLAG_KEYS_FILE]);
	char *path = folder != NULL ? file_join(folder, l->file) : NULL;
	struct stat st;

	if (stat(l->file, &st) == 0 ||
	    (l->file[0] != '/' && path != NULL && stat(path, &st) == 0)) {
		l->there = true;
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
	free(path);
	free(folder);
}

static char *
trim(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n > 0 && strchr(" \t\r", text[n - 1]) != NULL)
		text[--n] = '\0';
	return text;
}

static int
read_line(struct finder *f, char *text, size_t number, struct error *err)
{
	char *equals, *name = trim(text), *source;
	struct key_line *l;

	if (name[0] == '\0' || name[0] == '#')
		return 0;
	/* The last one before a source: a file's name may hold one. */
	for (equals = strchr(name, '='); equals != NULL; equals = strchr(equals + 1, '=')) {
		source = equals + 1 + strspn(equals + 1, " \t");
		if (source[strcspn(source, ":= ")] == ':')
			break;
	}
	if (equals == NULL)
		return line_fail(f, number, "this is no line `SECRETS FILE = SOURCE`",
		    "a source is file:F, env:NAME, command:CMD, passphrase:@F or fd:N", err);
	if ((l = vec_push(&f->lines)) == NULL)
		return error_memory(err);
	buf_init_secret(&l->passphrase, KEYS_MAX);
	l->line = number;
	*equals = '\0';
	if ((l->file = strdup(trim(name))) == NULL)
		return error_memory(err);
	line_find(f, l);
	return line_source(f, l, trim(equals + 1), err) != 0 ? line_place(f, number, err) : 0;
}

static int
read_lines(struct finder *f, struct error *err)
{
	const char *path = f->o->text[FLAG_KEYS_FILE];
	char *next, *line;
	struct buf text;
	size_t number = 0;
	int rc;

	if (path == NULL)
		return 0;
	buf_init(&text, KEYS_MAX);
	rc = file_read_stream(path, &text, err);
	buf_append_char(&text, '\0');
	if (rc == 0)
		rc = buf_check(&text, err);
	if (rc == 0 && strlen((const char *)text.data) + 1 != text.len)
		rc = line_fail(f, 0, "it has a byte of zero", "it takes lines `SECRETS FILE = "
		    "SOURCE`", err);
	for (line = (char *)text.data; rc == 0 && *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		rc = read_line(f, line, ++number, err);
	}
	buf_release(&text);
	return rc;
}

static struct key_line *
line_of(const struct finder *f, const struct rotation_want *w)
{
	struct stat st;
	bool there = stat(w->path, &st) == 0;

	for (size_t i = 0; i < f->lines.len; i++) {
		struct key_line *l = vec_at(&f->lines, i);

		if (strcmp(l->file, w->file) == 0 ||
		    (there && l->there && l->dev == st.st_dev && l->ino == st.st_ino))
			return l;
	}
	return NULL;
}

/* --- flags --- */

static int
add_ring(struct finder *f, const struct key_source *from, struct error *err)
{
	struct key_ring *ring = key_ring_read(from, err), **slot;

	if (ring == NULL)
		return -1;
	if ((slot = vec_push(&f->rings)) == NULL) {
		key_ring_free(ring);
		return error_memory(err);
	}
	*slot = ring;
	return 0;
}

/* Every --master-key-file, the command, the variables and the credential. */
static int
read_rings(struct finder *f, struct error *err)
{
	const struct options *o = f->o;
	const char *command = o->text[FLAG_MASTER_KEY_COMMAND];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->item_count; i++)
		if (o->items[i].id == FLAG_MASTER_KEY_FILES)
			rc = add_ring(f, &(struct key_source){ .file = o->items[i].value }, err);
	return rc == 0 ? add_ring(f, &(struct key_source){ .all = true,
	    .command = command != NULL ? keys_command : NULL,
	    .cookie = (void *)(uintptr_t)command,
	    .variables = o->text[FLAG_MASTER_KEY_VARIABLE] }, err) : -1;
}

/* The descriptor of fd:N, or -1. */
static int
made_descriptor(const char *path)
{
	if (strncmp(path, "fd:", 3) != 0 || path[3] == '\0' || strlen(path) > 8 ||
	    strspn(path + 3, "0123456789") != strlen(path + 3))
		return -1;
	return atoi(path + 3);
}

static int
read_made(struct finder *f, struct error *err)
{
	const char *path = f->o->text[FLAG_NEW_MASTER_KEY_FILE];
	struct error why;

	if (path == NULL || made_descriptor(path) != -1)
		return 0;
	if (file_read(path, &f->made, NULL, &why) == 0) {
		f->made_there = true;
		return 0;
	}
	if (why.code == ERROR_MISSING)
		return 0;
	*err = why;
	return -1;
}

int
finder_open(struct finder *f, const struct options *o, bool new, struct error *err)
{
	*f = (struct finder){ .o = o };
	vec_init(&f->rings, sizeof(struct key_ring *), 1U << 16);
	vec_init(&f->lines, sizeof(struct key_line), 1U << 20);
	buf_init_secret(&f->passphrase, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&f->passphrase_new, SOURCE_PASSPHRASE_MAX);
	buf_init_secret(&f->made, MADE_MAX);
	if (o->given[FLAG_PASSPHRASE] && o->given[FLAG_PASSPHRASE_NEW]) {
		if (source_passphrases(o, &f->passphrase, &f->passphrase_new, err) != 0)
			return -1;
	} else if (o->given[FLAG_PASSPHRASE]) {
		if (source_passphrase(o, FLAG_PASSPHRASE, NULL, false, &f->passphrase, err) != 0)
			return -1;
	} else if (o->given[FLAG_PASSPHRASE_NEW] && source_passphrase(o, FLAG_PASSPHRASE_NEW,
	    NULL, false, &f->passphrase_new, err) != 0) {
		return -1;
	}
	if (read_lines(f, err) != 0 || read_rings(f, err) != 0)
		return -1;
	return new ? read_made(f, err) : 0;
}

void
finder_close(struct finder *f)
{
	for (size_t i = 0; i < f->rings.len; i++)
		key_ring_free(*(struct key_ring **)vec_at(&f->rings, i));
	vec_release(&f->rings);
	for (size_t i = 0; i < f->lines.len; i++) {
		struct key_line *l = vec_at(&f->lines, i);

		free(l->file);
		key_free(l->key);
		buf_release(&l->passphrase);
	}
	vec_release(&f->lines);
	key_free(f->last);
	buf_release(&f->passphrase);
	buf_release(&f->passphrase_new);
	buf_release(&f->made);
}

/* --- finding --- */

/* The key of a passphrase for what is wanted, if it is that. */
static struct key *
of_passphrase(const struct rotation_want *w, const struct buf *p)
{
	struct secrets_file *s;
	struct key *k = NULL;

	if (p->len == 0)
		return NULL;
	if (w->is_new && w->salt != NULL) {
		k = key_derive(p->data, p->len, w->salt, strlen(w->salt), w->iterations, w->length,
		    NULL);
	} else if (w->secrets != NULL) {
		(void)secrets_file_check_passphrase(w->secrets, p->data, p->len, NULL, &k, NULL);
	} else if ((s = secrets_file_load(w->path, NULL)) != NULL) {
		/* The master key stays: its salt is in the file. */
		(void)secrets_file_check_passphrase(s, p->data, p->len, NULL, &k, NULL);
		secrets_file_free(s);
	}
	if (k != NULL && rotation_key_fits(w, k))
		return k;
	key_free(k);
	return NULL;
}

static struct key *
copy_if_fits(const struct rotation_want *w, const struct key *k, struct error *err)
{
	return k != NULL && rotation_key_fits(w, k) ? key_copy(k, err) : NULL;
}

static struct key *
of_line(const struct rotation_want *w, const struct key_line *l, struct error *err)
{
	return l->key != NULL ? copy_if_fits(w, l->key, err) : of_passphrase(w, &l->passphrase);
}

/* A line of a file of new keys: a secrets file and a tab, or neither, and its key. */
struct made {
	const char *file;	/* NULL: the key is everybody's */
	size_t file_len;
	const char *key;
	size_t key_len;
};

static bool
made_next(const struct buf *b, size_t *at, struct made *out)
{
	const char *p, *end, *tab;
	size_t left = b->len - *at, n;

	if (left == 0)
		return false;
	p = (const char *)b->data + *at;
	end = memchr(p, '\n', left);
	n = end != NULL ? (size_t)(end - p) : left;
	*at += n + (end != NULL);
	tab = memchr(p, '\t', n);
	*out = (struct made){ .key = p, .key_len = n };
	if (tab != NULL)
		*out = (struct made){ p, (size_t)(tab - p), tab + 1, n - (size_t)(tab + 1 - p) };
	return true;
}

/* The key of the line that is about ${file}, or of the only one without a file. */
static struct key *
of_made(const struct finder *f, const char *file)
{
	struct made m;

	for (size_t at = 0; made_next(&f->made, &at, &m);)
		if (m.file == NULL ? m.key_len > 0 : m.file_len == strlen(file) &&
		    memcmp(m.file, file, m.file_len) == 0)
			return key_from_base64(m.key, m.key_len, NULL);
	return NULL;
}

static struct key *
of_rings(const struct finder *f, const struct rotation_want *w, struct error *err)
{
	struct key *k = NULL;

	for (size_t i = 0; k == NULL && i < f->rings.len; i++) {
		const struct key_ring *ring = *(struct key_ring **)vec_at(&f->rings, i);

		for (size_t j = 0; k == NULL && j < key_ring_count(ring); j++)
			k = copy_if_fits(w, key_ring_key(ring, j), err);
	}
	return k;
}

/* Ask for the new passphrase, or the key; what was typed may fit the others, too. */
static struct key *
ask_new(struct finder *f, const struct rotation_want *w, struct error *err)
{
	struct key *k = NULL, *typed;
	struct buf answer;

	buf_init_secret(&answer, SOURCE_PASSPHRASE_MAX);
	for (int i = 0; i < TRIES && k == NULL; i++) {
		buf_clear(&answer);
		if (askpass_line(w->salt != NULL ? "New passphrase of the rotation, or the new "
		    "key: " :
		    "Master key, or its passphrase: ", &answer, err) != 0)
			break;
		typed = key_from_base64((const char *)answer.data, answer.len, NULL);
		k = copy_if_fits(w, typed, err);
		key_free(typed);
		if (k == NULL && (k = of_passphrase(w, &answer)) != NULL) {
			buf_clear(&f->passphrase_new);
			buf_append(&f->passphrase_new, answer.data, answer.len);
		}
		if (k == NULL)
			report_note("this is not it");
	}
	buf_release(&answer);
	return k;
}

static struct key *
no_key(const struct finder *f, const struct rotation_want *w, struct error *err)
{
	bool any = f->lines.len > 0 || f->passphrase.len > 0 || f->passphrase_new.len > 0;

	for (size_t i = 0; i < f->rings.len; i++)
		any |= key_ring_count(*(struct key_ring **)vec_at(&f->rings, i)) > 0;
	if (!any && !w->is_new) {
		key_ring_missing(w->secrets, err);
	} else {
		error_set(err, ERROR_KEY, !any ? "there is no key" : w->is_new && w->salt != NULL ?
		    "none of the keys that are there is its new one" :
		    "none of the keys that are there opens it");
		error_hint(err, w->is_new && w->salt != NULL ? "give the passphrase that was "
		    "given to "
		    "`rotation plan` (--passphrase-new), or the new key (--master-key-file, "
		    "--new-master-key-file)" : "give its key (--master-key-file, --keys) or its "
		    "passphrase (--passphrase)");
	}
	error_place(err, w->path, 0);
	return NULL;
}

struct key *
finder_key(struct finder *f, const struct rotation_want *w, struct error *err)
{
	const struct key_line *l = line_of(f, w);
	struct error why = { .code = ERROR_NONE };
	struct key *k = NULL, *made;

	if (l != NULL && (k = of_line(w, l, &why)) == NULL && !w->is_new) {
		error_set(err, ERROR_KEY, "the key that %s:%zu names does not open it",
		    f->o->text[FLAG_KEYS_FILE], l->line);
		error_place(err, w->path, 0);
		error_hint(err, "correct the line, or --skip the file");
		return NULL;
	}
	if (k == NULL && w->is_new && f->last != NULL)
		k = copy_if_fits(w, f->last, &why);
	if (k == NULL && w->is_new && (made = of_made(f, w->file)) != NULL) {
		k = copy_if_fits(w, made, &why);
		key_free(made);
	}
	if (k == NULL)
		k = of_rings(f, w, &why);
	if (k == NULL && w->is_new)
		k = of_passphrase(w, &f->passphrase_new);
	if (k == NULL)
		k = of_passphrase(w, &f->passphrase);
	if (k == NULL && why.code == ERROR_NONE && askpass_available()) {
		if (!w->is_new)
			return keys_ask(w->secrets, err);
		if (!f->asked || w->salt == NULL) {
			f->asked = true;
			k = ask_new(f, w, &why);
		}
	}
	if (k == NULL && why.code != ERROR_NONE) {
		*err = why;
		return NULL;
	}
	if (k == NULL)
		return no_key(f, w, err);
	if (w->is_new) {
		key_free(f->last);
		f->last = key_copy(k, NULL);
	}
	return k;
}

/* --- the new keys --- */

static int
keep_one(void *cookie, const struct rotation_want *w, const struct key *k, struct error *err)
{
	struct finder *f = ((struct rotation_cookie *)cookie)->finder;
	struct key *made = of_made(f, w->file);
	bool same = made != NULL && key_equal(made, k), there = made != NULL;

	key_free(made);
	if (same)
		return 0;
	if (there) {
		error_set(err, ERROR_EXISTS, "it holds another key than the new one of %s",
		    w->file);
		error_place(err, f->o->text[FLAG_NEW_MASTER_KEY_FILE], 0);
		return error_hint(err, "name a new file");
	}
	if (!w->common) {
		buf_append(&f->made, w->file, strlen(w->file));
		buf_append_char(&f->made, '\t');
	}
	key_append_base64(k, &f->made);
	buf_append_char(&f->made, '\n');
	return buf_check(&f->made, err);
}

/* Keys go into a file of one's own, which nobody else can read, and which holds nothing else. */
static int
check_made(const struct finder *f, const char *path, struct error *err)
{
	size_t at = 0, line = 0;
	struct made m;
	struct key *k;
	struct stat st;

	if (!f->made_there)
		return 0;
	if (stat(path, &st) != 0)
		return error_io(err, path, "cannot look at the file");
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		error_set(err, ERROR_REFUSED, "the file for the new master keys belongs to "
		    "another user, or others can get at it");
		error_place(err, path, 0);
		return error_hint(err, "name a new file, which is made with mode 0600, or chmod "
		    "600 this one");
	}
	while (made_next(&f->made, &at, &m)) {
		line++;
		k = key_from_base64(m.key, m.key_len, NULL);
		if (k == NULL) {
			error_set(err, ERROR_REFUSED, "it is no file of new master keys");
			error_place(err, path, line);
			return error_hint(err, "name a new file; it gets lines of a secrets file, "
			    "a tab and its key");
		}
		key_free(k);
	}
	return 0;
}

/* On the other screen of the terminal, which is in no scrollback, until it is said that they
 * are saved. */
static int
show_made(const struct finder *f, struct error *err)
{
	static const char begin[] = "\033[?1049h\033[H\033[2J", end[] = "\033[?1049l";
	struct buf text, after;
	bool yes = false;
	int rc;

	buf_init_secret(&text, MADE_MAX + 4096);
	buf_init(&after, 64);
	buf_append_str(&text, begin);
	buf_append_str(&text, "The new master keys.  They are shown this once; the new passphrase "
	    "gives them again.\n\n");
	buf_append(&text, f->made.data, f->made.len);
	buf_append_str(&after, end);
	rc = confirm(&text, "\nAre they saved? [y/N] ", &yes, err);
	if (output_write_fd(STDERR_FILENO, "the terminal", after.data, after.len, NULL) != 0 ||
	    rc != 0)
		rc = -1;
	else if (!yes)
		rc = error_set(err, ERROR_REFUSED, "the new keys are not saved, so nothing is "
		    "changed");
	buf_release(&text);
	buf_release(&after);
	return rc;
}

int
finder_keep(struct finder *f, struct rotation *r, const struct rotation_callbacks *cb,
    void *cookie, struct error *err)
{
	const char *path = f->o->text[FLAG_NEW_MASTER_KEY_FILE];
	bool shows = path == NULL && askpass_available() && !f->o->on[FLAG_YES];
	size_t before = f->made.len;
	int fd;

	if (!(rotation_kind(r) & ROTATION_MASTER_KEY))
		return 0;
	if (path == NULL && !shows) {
		report_note("the new master keys are not written anywhere: the new passphrase "
		    "gives "
		    "them; --new-master-key-file FILE writes them");
		return 0;
	}
	if (path != NULL && check_made(f, path, err) != 0)
		return -1;
	if (before > 0 && f->made.data[before - 1] != '\n')
		buf_append_char(&f->made, '\n');
	if (rotation_each_key(r, cb, keep_one, cookie, err) != 0)
		return -1;
	if (f->made.len == before)
		return 0;
	if (shows)
		return show_made(f, err);
	if ((fd = made_descriptor(path)) != -1)
		return output_write_fd(fd, path, f->made.data, f->made.len, err);
	if (change_write_told(f->o, 0, path, !f->made_there, &f->made, err) != 0)
		return -1;
	report_change("%s (the new master keys)", path);
	return 0;
}
