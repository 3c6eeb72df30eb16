#include <sys/stat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "estate/estate.h"
#include "file/file.h"
#include "plan/change.h"
#include "secrets/secrets_file.h"
#include "ui/app.h"
#include "ui/canvas.h"
#include "ui/files.h"
#include "ui/model.h"
#include "ui/options.h"
#include "ui/steps.h"
#include "ui/term.h"
#include "ui/where.h"

#define DEFAULT_NAME "secrets.properties"
#define FILES_MAX 1000000
#define GROUPS_MAX 4096
#define GROUP_ROWS 6	/* shown at a time, on a screen with room */
#define SMALL_ROWS 8	/* lower, one field is shown at a time */
#define LABEL_COLS 14

/* Files that have no secrets file yet, below one folder: they belong together. */
struct group {
	char *name;
	char *folder;		/* with a slash; NULL: the one that was asked for */
	size_t files, clear;
	struct vec paths;	/* strings (vec_push_string) */
};

enum { FOCUS_GROUP, FOCUS_NAME, FOCUS_PATH, FOCUS_REMOTE, FOCUS_COUNT };

#define INI_NAME "propseal.ini"
#define INI_MAX ((size_t)1 << 20)
#define PATH_MAX_BYTES 4096
#define LOCK_MS 10000
#define LINE_MAX_BYTES 197	/* which the reader takes in one line */

/* Is all of it seen where it is read, and UTF-8? */
static bool
section_is_plain(const char *text, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t i = 0; i < n; i += len)
		if ((len = text_utf8_decode((const unsigned char *)text + i, n - i, &cp)) == 0 ||
		    text_is_treacherous(cp))
			return false;
	return true;
}

/* Would the file read it as it is written? */
static int
section_check(const char *what, const char *text, bool is_name, struct error *err)
{
	const size_t n = strlen(text);
	const char *p = text;

	while (*p != '\0' && (unsigned char)*p >= ' ' && *p != 0x7f &&
	    strchr(is_name ? "[];#\"'" : ";#\"'", *p) == NULL)
		p++;
	if (*p == '\0' && n > 0 && text[0] != ' ' && text[n - 1] != ' ' &&
	    section_is_plain(text, n))
		return 0;
	error_set(err, ERROR_FORMAT, "%s cannot stand in " INI_NAME, what);
	return error_hint(err, "it has no blank at its ends, and none of ; # \" ' [ ]");
}

/* Is what was asked for a file, and not a folder? */
static bool
where_is_file(const struct app *a)
{
	const char *path = a->options->paths[0];
	struct file_id id;

	return file_identify(path, &id, NULL) == 0 && id.exists ? !S_ISDIR(id.mode) :
	    scope_format(a->options->scope, path) != NULL;
}

/* The folder that was asked for. */
static int
section_root(const struct app *a, struct buf *out, struct error *err)
{
	const char *path = a->options->paths[0];
	char *folder = where_is_file(a) ? file_folder(path) : strdup(path);
	int rc = folder == NULL ? error_memory(err) : 0;

	if (rc == 0) {
		/* A file in it need not exist, the folder does. */
		struct buf inside;

		buf_init(&inside, PATH_MAX_BYTES);
		buf_printf(&inside, "%s/" INI_NAME, folder);
		rc = model_absolute_path(buf_cstr(&inside), out, err);
		buf_release(&inside);
	}
	free(folder);
	return rc;
}

/* A path as it stands in ${ini}: from its folder on, if it is below that. */
static const char *
section_relative(const char *ini, const char *path)
{
	const size_t n = (size_t)(file_basename(ini) - ini);

	return strncmp(ini, path, n) == 0 && path[n] != '\0' ? path + n : path;
}

static void
section_append(const struct section *s, const char *ini, struct buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_append_char(out, '\n');
	buf_printf(out, "%s[environment %s]\nsecrets-file = %s\nremote-path = %s\n",
	    out->len > 0 ? "\n" : "", s->name, section_relative(ini, s->secrets_file),
	    s->remote_path);
	if (s->folder == NULL)
		return;
	buf_append_str(out, "files = ");
	/* What stands between patterns, or is special in one. */
	for (const char *p = section_relative(ini, s->folder); *p != '\0'; p++)
		buf_append_char(out, strchr(" \t,[]*!\\", *p) != NULL ? '?' : *p);
	buf_append_char(out, '\n');
}

/* Is no line longer than the file may have them? */
static int
section_check_lines(const struct section *s, const char *ini, struct error *err)
{
	struct buf text;
	size_t longest = 0, n;
	int rc;

	buf_init(&text, INI_MAX);
	section_append(s, ini, &text);
	for (const char *p = buf_cstr(&text); *p != '\0'; p += n + 1) {
		n = strcspn(p, "\n");
		longest = n > longest ? n : longest;
	}
	rc = buf_check(&text, err);
	buf_release(&text);
	if (rc != 0 || longest <= LINE_MAX_BYTES)
		return rc;
	error_set(err, ERROR_LIMIT, "name or path is too long for " INI_NAME);
	return error_hint(err, "a line of it may have %d bytes", LINE_MAX_BYTES);
}

/**
 * section_place(a, s, ini, err):
 * Append which propseal.ini it goes into: the one that counts for the secrets
 * file's folder already, else a new one in the folder that was asked for.
 * ERROR_FORMAT, ERROR_EXISTS: a name or a path that cannot stand there.
 */
static int
section_place(const struct app *a, const struct section *s, struct buf *ini, struct error *err)
{
	const struct environment_source *from = a->options->environments;
	const struct environment_section *all = NULL;
	const char *above = "";
	char *folder;
	size_t n = 0;
	int rc;

	if (from == NULL) {
		error_set(err, ERROR_REFUSED, "no " INI_NAME " is read here");
		return -1;
	}
	if (section_check("this name", s->name, true, err) != 0 ||
	    section_check("this path of the secrets file", s->secrets_file, false, err) != 0 ||
	    section_check("this remote path", s->remote_path, false, err) != 0 ||
	    (s->folder != NULL && section_check("the folder of these files", s->folder, false,
	    err) != 0))
		return -1;
	if ((folder = file_folder(s->secrets_file)) == NULL)
		return error_memory(err);
	rc = from->sections(from->cookie, folder, &all, &n, &above, err);
	free(folder);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (strcmp(all[i].name, s->name) == 0) {
			error_set(err, ERROR_EXISTS, "there is an environment of this name");
			return error_place(err, all[i].ini, all[i].line);
		}
	if (rc == 0 && above[0] != '\0')
		buf_printf(ini, "%s/" INI_NAME, above);
	else if (rc == 0)
		rc = section_root(a, ini, err);
	if (rc == 0 && (rc = buf_check(ini, err)) == 0)
		rc = section_check_lines(s, buf_cstr(ini), err);
	return rc;
}

struct section_edit {
	const struct section *section;
	const char *ini;
};

static int
section_edit(void *cookie, struct buf *content, struct error *err)
{
	const struct section_edit *e = cookie;

	section_append(e->section, e->ini, content);
	return buf_check(content, err);
}

/* Write it there, behind what is there, and have it read from now on; then the estate is to be
 * scanned anew.  Errors: those, and of change_edit_file. */
static int
section_write(struct app *a, const struct section *s, struct error *err)
{
	const struct environment_source *from = a->options->environments;
	struct section_edit edit = { .section = s };
	struct buf ini, key, notes;
	int rc;

	buf_init(&ini, PATH_MAX_BYTES);
	buf_init(&key, PATH_MAX_BYTES);
	buf_init(&notes, BUF_MAX_FILE);
	buf_printf(&key, "environment %s", s->name);
	rc = section_place(a, s, &ini, err);
	if (rc == 0 && (rc = buf_check(&key, err)) == 0) {
		edit.ini = buf_cstr(&ini);
		rc = change_edit_file(a->options->trail, LOCK_MS, edit.ini, buf_cstr(&key),
		    section_edit, &edit, &notes, err);
		app_complain_lines(a, &notes);
	}
	if (rc == 0)
		from->changed(from->cookie);
	buf_release(&notes);
	buf_release(&key);
	buf_release(&ini);
	return rc;
}

static struct group *
group_at(const struct where *w, size_t i)
{
	return vec_at(&w->groups, i);
}

static struct group *
group_chosen(const struct where *w)
{
	return w->groups.len > 0 ? group_at(w, w->list.cursor) : NULL;
}

const struct vec *
where_files(const struct where *w)
{
	return w->groups.len > 0 ? &group_chosen(w)->paths : NULL;
}

/* The one that has the focus, which is not on the groups. */
static struct line_edit *
where_field(struct where *w)
{
	return w->focus == FOCUS_NAME ? &w->name : w->focus == FOCUS_PATH ? &w->path : &w->remote;
}

/* The user typed there: it follows the group no more. */
static void
where_typed(struct where *w, const struct app *a)
{
	w->name_typed |= w->focus == FOCUS_NAME;
	w->path_typed |= w->focus == FOCUS_PATH;
	w->remote_typed |= w->focus == FOCUS_REMOTE;
	where_suggest(w, a);
}

static bool
group_add(struct where *w, const struct app *a, const struct tree_root *root)
{
	const struct tree *t = &a->model->tree;
	struct group *g = vec_push(&w->groups);
	const char *path;
	size_t i;

	if (g == NULL)
		return false;
	vec_init(&g->paths, sizeof(char *), FILES_MAX);
	g->name = strdup(root->name);
	g->files = root->tally.files;
	g->clear = root->tally.clear;
	for (i = root->row + 1; i < t->rows.len && tree_row(t, i)->file != NULL; i++) {
		path = tree_row(t, i)->file->path;
		if (g->folder == NULL && strcmp(root->id, "./") != 0)
			g->folder = text_copy(path, strlen(root->id) +
			    (size_t)(model_show_path(a->model, path) - path));
		if (vec_push_string(&g->paths, path, strlen(path)) == NULL)
			return false;
	}
	return g->name != NULL;
}

/* The folders without a secrets file; the one that the cursor is in is chosen. */
static bool
where_groups(struct where *w, const struct app *a)
{
	const struct tree_root *selected = selection_get(a).root;
	const struct tree_root *root;
	size_t i;

	for (i = 0; i < a->model->tree.roots.len; i++) {
		root = tree_root(&a->model->tree, i);
		if (root->environment != NULL)
			continue;
		if (root == selected)
			w->list.cursor = w->groups.len;
		if (!group_add(w, a, root))
			return false;
	}
	list_fit(&w->list, w->groups.len, GROUP_ROWS);
	return true;
}

/* What it is called without a section: by the folder of its secrets file, below the root. */
static void
where_suggest_name(struct where *w, const struct app *a)
{
	const char *shown = model_show_path(a->model, w->path.text);
	const char *base = file_basename(shown);

	buf_clear(&w->named);
	if (base > shown + 1)
		buf_append(&w->named, shown, (size_t)(base - shown) - 1);
	else
		buf_append_char(&w->named, '.');
	if (!w->name_typed)
		line_edit_set(&w->name, buf_cstr(&w->named));
}

/* What stands in the fields until the user types there. */
void
where_suggest(struct where *w, const struct app *a)
{
	const struct group *g = group_chosen(w);
	const char *folder = a->options->paths[0];
	size_t len = strlen(folder);
	struct buf path, whole;
	struct error err;

	buf_init(&path, LINE_EDIT_MAX);
	buf_init(&whole, LINE_EDIT_MAX);
	if (g != NULL && g->folder != NULL) {
		folder = g->folder;
		len = strlen(folder);
	} else if (where_is_file(a)) {
		while (len > 0 && folder[len - 1] != '/')
			len--;
	}
	buf_append(&path, folder, len);
	if (len > 0 && folder[len - 1] != '/')
		buf_append_char(&path, '/');
	buf_append_str(&path, DEFAULT_NAME);
	if (!w->path_typed)
		line_edit_set(&w->path, buf_cstr(&path));
	if (!w->remote_typed && a->options->remote_path != NULL)
		line_edit_set(&w->remote, a->options->remote_path);
	else if (!w->remote_typed && model_absolute_path(w->path.text, &whole, &err) == 0)
		line_edit_set(&w->remote, buf_cstr(&whole));
	where_suggest_name(w, a);
	buf_release(&whole);
	buf_release(&path);
}

/* Is it to have another name than its folder's? */
static bool
where_is_named(struct where *w)
{
	return w->name.len > 0 && strcmp(w->name.text, buf_cstr(&w->named)) != 0;
}

static void
where_draw_groups(struct where *w, const struct rect *r)
{
	const struct group *g;
	unsigned int extra;
	char text[64];
	size_t i;
	int y, used;

	list_fit(&w->list, w->groups.len, (size_t)r->h);
	for (i = w->list.top; i < w->groups.len && i - w->list.top < w->list.height; i++) {
		g = group_at(w, i);
		y = r->y + (int)(i - w->list.top);
		extra = i == w->list.cursor && w->focus == FOCUS_GROUP ? STYLE_SELECTED : 0;
		if (extra != 0) {
			canvas_fill(y, r->x, r->w, STYLE_TEXT | extra);
			canvas_cursor(y, r->x, true);
		}
		canvas_text(y, r->x, 4, STYLE_MARK | extra, i == w->list.cursor ? "(*)" : "( )");
		snprintf(text, sizeof(text), " %zu %s, %zu in clear text", g->files,
		    g->files == 1 ? "file" : "files", g->clear);
		used = r->w < 50 ? 0 :
		    canvas_right(y, r->x + 4, r->w - 4, STYLE_NOTE | extra, text);
		canvas_text(y, r->x + 4, r->w - 4 - used, STYLE_TEXT | extra,
		    strcmp(g->name, ".") == 0 ? "all of this folder" : g->name);
	}
}

static void
where_draw_field(const struct line_edit *l, const struct rect *r, int y, const char *label,
    bool focus)
{
	int x = r->x;

	if (y >= r->y + r->h)
		return;
	if (r->w >= 40) {
		canvas_text(y, x, LABEL_COLS - 1, STYLE_NOTE, label);
		x += LABEL_COLS;
	}
	if (focus)
		line_edit_draw(l, y, x, r->x + r->w - x);
	else
		canvas_tail(y, x, r->x + r->w - x, STYLE_TEXT, l->text);
}

void
where_draw(struct where *w, const struct rect *r)
{
	static const char *const labels[] = { "", "name", "secrets file", "remote path" };
	struct rect rows = *r;
	int y;

	if (r->h < SMALL_ROWS) {
		canvas_text(r->y, r->x, r->w, STYLE_NOTE, w->focus == FOCUS_GROUP ?
		    "which files?" : labels[w->focus]);
		rows.y++;
		rows.h = r->h - 1;
		if (w->focus == FOCUS_GROUP)
			where_draw_groups(w, &rows);
		else
			where_draw_field(where_field(w), &rows, rows.y, "", true);
		return;
	}
	y = steps_text(r, r->y, "An environment is one secrets file with the configuration files "
	    "that refer to it; one master key opens it. Which files belong together?");
	rows.y = y + (r->h >= 14);
	rows.h = r->h >= 14 ? GROUP_ROWS : 2;
	if (w->groups.len < (size_t)rows.h)
		rows.h = (int)w->groups.len;
	where_draw_groups(w, &rows);
	y = rows.y + rows.h + (r->h >= 14);
	where_draw_field(&w->name, r, y++, labels[FOCUS_NAME], w->focus == FOCUS_NAME);
	where_draw_field(&w->path, r, y++, labels[FOCUS_PATH], w->focus == FOCUS_PATH);
	where_draw_field(&w->remote, r, y++, labels[FOCUS_REMOTE],
	    w->focus == FOCUS_REMOTE);
	if (w->focus == FOCUS_NAME)
		(void)steps_text(r, y + 1, where_is_named(w) ? "This name goes into the nearest "
		    "propseal.ini, as [environment NAME] with the two paths, when the secrets file "
		    "is written." : "It is called as its folder. Another name is written into the "
		    "nearest propseal.ini.");
	else
		(void)steps_text(r, y + 1, "The secrets file is new, for its owner only. The "
		    "remote path is where the services will read it, on the machine where they "
		    "run: it stands in every reference.");
}

bool
where_key(struct where *w, struct app *a, uint32_t k)
{
	size_t first = w->groups.len > 1 ? FOCUS_GROUP : FOCUS_NAME;

	if (k == INPUT_TAB || k == INPUT_BACKTAB) {
		do
			w->focus = (w->focus + (k == INPUT_TAB ? 1 : FOCUS_COUNT - 1)) %
			    FOCUS_COUNT;
		while (w->focus < first);
		return true;
	}
	if (w->focus == FOCUS_GROUP) {
		if (!list_key(&w->list, k == 'k' ? INPUT_UP : k == 'j' ? INPUT_DOWN : k))
			return false;
		where_suggest(w, a);
		return true;
	}
	if (!line_edit_key(where_field(w), k))
		return false;
	where_typed(w, a);
	return true;
}

void
where_paste(struct where *w, struct app *a, const struct buf *text, char *why, size_t size)
{
	if (w->focus == FOCUS_GROUP) {
		snprintf(why, size, "the pasted text was dropped: Tab goes to a field");
	} else if (line_edit_paste(where_field(w), text, why, size)) {
		where_typed(w, a);
	}
}

void
where_about(const struct where *w, struct about *out)
{
	out->types = w->focus != FOCUS_GROUP;
	about_key(out, INPUT_TAB, "next field");
	if (!out->types) {
		about_key(out, INPUT_DOWN, "next group of files");
		about_key(out, INPUT_UP, "previous group of files");
	}
}

static struct section
where_section(struct where *w, struct buf *folder)
{
	const struct group *g = group_chosen(w);
	struct error err;

	if (g != NULL && g->folder != NULL) {
		struct buf inside;

		/* A file in it need not exist. */
		buf_init(&inside, LINE_EDIT_MAX);
		buf_printf(&inside, "%s" DEFAULT_NAME, g->folder);
		if (model_absolute_path(buf_cstr(&inside), folder, &err) == 0)
			buf_truncate(folder, folder->len - strlen(DEFAULT_NAME));
		buf_release(&inside);
	}
	return (struct section){ w->name.text, buf_cstr(&w->absolute), w->remote.text,
		folder->len > 0 ? buf_cstr(folder) : NULL };
}

/* Can the name be written?  Else ${why} says why not. */
static bool
where_check_name(struct where *w, const struct app *a, char *why, size_t size)
{
	struct buf ini, folder;
	struct section s;
	struct error err;
	int rc;

	if (!where_is_named(w))
		return true;
	buf_init(&ini, LINE_EDIT_MAX);
	buf_init(&folder, LINE_EDIT_MAX);
	s = where_section(w, &folder);
	rc = section_place(a, &s, &ini, &err);
	if (rc != 0) {
		snprintf(why, size, "%.150s", err.text);
		w->focus = FOCUS_NAME;
	}
	buf_release(&folder);
	buf_release(&ini);
	return rc == 0;
}

int
where_name(struct where *w, struct app *a, struct error *err)
{
	struct buf folder;
	struct section s;
	int rc;

	if (!where_is_named(w))
		return 0;
	buf_init(&folder, LINE_EDIT_MAX);
	s = where_section(w, &folder);
	rc = section_write(a, &s, err);
	buf_release(&folder);
	return rc == 0 ? 1 : -1;
}

/* Is there a secrets file with a key already, or no folder for one? */
bool
where_check(struct where *w, struct app *a, char *why, size_t size)
{
	const struct environments *e = model_environments(a->model);
	const struct environment *x;
	struct buf other;
	struct error err;
	size_t i;

	buf_clear(&w->absolute);
	buf_init(&other, LINE_EDIT_MAX);
	if (text_is_blank(w->remote.text, w->remote.len)) {
		snprintf(why, size, "a remote path is needed");
		w->focus = FOCUS_REMOTE;
	} else if (w->path.len == 0 || model_absolute_path(w->path.text, &w->absolute, &err) ==
	    -1) {
		snprintf(why, size, "%.150s", w->path.len == 0 ?
		    "the secrets file needs a name" : err.text);
		w->focus = FOCUS_PATH;
	}
	for (i = 0; why[0] == '\0' && i < environments_count(e); i++) {
		x = environments_at(e, i);
		buf_clear(&other);
		if (x->secrets == NULL || model_absolute_path(x->path, &other, &err) == -1 ||
		    !buf_equal(&w->absolute, &other) ||
		    secrets_file_metadata(x->secrets)->data_key == NULL)
			continue;
		snprintf(why, size, "this secrets file has its master key already");
		w->focus = FOCUS_PATH;
	}
	buf_release(&other);
	return why[0] == '\0' && where_check_name(w, a, why, size);
}

int
where_init(struct where *w, const struct app *a)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->named, LINE_EDIT_MAX);
	buf_init(&w->absolute, LINE_EDIT_MAX);
	vec_init(&w->groups, sizeof(struct group), GROUPS_MAX);
	if (!where_groups(w, a))
		return -1;
	w->focus = w->groups.len > 1 ? FOCUS_GROUP : FOCUS_PATH;
	return 0;
}

void
where_release(struct where *w)
{
	struct group *g;
	size_t i;

	buf_release(&w->absolute);
	buf_release(&w->named);
	for (i = 0; i < w->groups.len; i++) {
		g = group_at(w, i);
		vec_release_strings(&g->paths);
		free(g->folder);
		free(g->name);
	}
	vec_release(&w->groups);
}
