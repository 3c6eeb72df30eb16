#include "ui/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "estate/environments.h"
#include "estate/estate.h"

#define ROWS_MAX ((size_t)1 << 26)
#define TEXT_MAX ((size_t)1 << 20)
#define PATH_BYTES_MAX 65536

/* --- the rows of the outline --- */

const struct findings_group *
findings_group(const struct findings *f, size_t i)
{
	return vec_at(&f->groups, i);
}

const struct findings_row *
findings_row(const struct findings *f, size_t i)
{
	return vec_at(&f->rows, i);
}

static size_t
findings_groups(const void *findings)
{
	return ((const struct findings *)findings)->groups.len;
}

static size_t
findings_items(const void *findings, size_t group)
{
	return findings_group(findings, group)->count;
}

static const struct findings_row *
findings_item(const struct findings *f, size_t group, size_t item)
{
	return findings_row(f, findings_group(f, group)->first + item);
}

static struct outline_id
findings_id(const void *findings, size_t group, size_t item)
{
	const struct findings_group *g = findings_group(findings, group);
	const struct findings_row *r;
	const char *id;

	if (item == OUTLINE_HEAD) {
		id = g->kind == FINDINGS_GROUP ? g->name : g->kind == FINDINGS_UNREAD ?
		    "\001unread" : "\001nowhere";
		return (struct outline_id){ id, strlen(id), 0 };
	}
	r = findings_item(findings, group, item);
	id = r->finding != NULL ? r->id : r->unread->file;
	return (struct outline_id){ id, strlen(id), item + 1 };
}

/* A finding is searched for by its key, else by its file. */
static struct outline_id
findings_text(const void *findings, size_t group, size_t item)
{
	const struct findings *f = findings;
	const struct findings_group *g = findings_group(f, group);
	const struct findings_row *r;
	const char *text = g->name;

	if (item != OUTLINE_HEAD) {
		r = findings_item(f, group, item);
		if (r->finding != NULL && r->finding->key_len > 0)
			return (struct outline_id){ r->finding->key, r->finding->key_len, 0 };
		text = r->finding != NULL ? audit_file(f->audit, r->finding->file) :
		    r->unread->file;
	}
	return (struct outline_id){ text, strlen(text), 0 };
}

static bool
findings_passes_row(unsigned int filter, const struct findings_row *r)
{
	if (r->finding == NULL)
		return filter != FINDINGS_FIXABLE;
	switch (filter) {
	case FINDINGS_OPEN:
		return findings_counts(r->finding);
	case FINDINGS_ERRORS:
		return findings_counts(r->finding) && r->finding->level == AUDIT_ERROR;
	case FINDINGS_FIXABLE:
		return findings_counts(r->finding) && r->fixable;
	default:
		return true;
	}
}

static bool
findings_passes(const void *findings, unsigned int filter, size_t group, size_t item)
{
	const struct findings_group *g = findings_group(findings, group);

	if (item != OUTLINE_HEAD)
		return findings_passes_row(filter, findings_item(findings, group, item));
	for (size_t i = 0; i < g->count; i++)
		if (findings_passes_row(filter, findings_item(findings, group, i)))
			return true;
	return false;
}

const char *
findings_letter(enum audit_level l)
{
	return l == AUDIT_ERROR ? "E" : l == AUDIT_WARNING ? "W" : "n";
}

static void
findings_facts(const void *findings, size_t group, size_t item, struct filter_facts *out)
{
	const struct findings *f = findings;
	const struct findings_row *r;

	if (item == OUTLINE_HEAD)
		return;
	r = findings_item(f, group, item);
	if (r->finding == NULL) {
		out->state = 'X';
		out->file = r->unread->file;
		return;
	}
	out->state = *findings_letter(r->finding->level);
	out->environment = findings_environment(f, r->finding);
	out->rule = audit_rule_text(r->finding->rule)->id;
	out->file = audit_file(f->audit, r->finding->file);
	out->key = r->finding->key;
	out->key_len = r->finding->key_len;
}

static const struct outline_ops findings_ops = {
	.groups = findings_groups,
	.items = findings_items,
	.id = findings_id,
	.text = findings_text,
	.passes = findings_passes,
	.facts = findings_facts,
	.states = "EWnX",
	.problems = "EWnX",
};

/* The right pane: lines of a text. */

static size_t
lines_groups(const void *findings)
{
	return ((const struct findings *)findings)->lines.len;
}

static struct outline_id
lines_id(const void *findings, size_t group, size_t item)
{
	const struct findings *f = findings;
	const struct findings_line *l = vec_at(&f->lines, group);

	(void)item;
	return (struct outline_id){ (const char *)f->text.data + l->at, l->len, 0 };
}

static const struct outline_ops lines_ops = {
	.groups = lines_groups,
	.id = lines_id,
};

/* --- the state --- */

void
findings_open(struct findings *f)
{
	memset(f, 0, sizeof(*f));
	vec_init(&f->names, sizeof(char *), ROWS_MAX);
	vec_init(&f->homes, sizeof(char *), ROWS_MAX);
	vec_init(&f->changed, sizeof(int64_t), ROWS_MAX);
	vec_init(&f->lines, sizeof(struct findings_line), ROWS_MAX);
	buf_init(&f->text, TEXT_MAX);
	outline_init(&f->panes.right, &lines_ops, f);
	vec_init(&f->groups, sizeof(struct findings_group), ROWS_MAX);
	vec_init(&f->rows, sizeof(struct findings_row), ROWS_MAX);
	outline_init(&f->panes.left, &findings_ops, f);
	f->panes.left.folded = false;
}

void
findings_close(struct findings *f)
{
	outline_release(&f->panes.left);
	outline_release(&f->panes.right);
	vec_release(&f->groups);
	vec_release(&f->rows);
	vec_release(&f->lines);
	vec_release_strings(&f->names);
	vec_release_strings(&f->homes);
	vec_release(&f->changed);
	map_free(f->by_name);
	buf_release(&f->text);
	audit_free(f->audit);
	f->audit = NULL;
}

void
findings_take(struct findings *f, struct audit *a)
{
	outline_hold(&f->panes.left);
	vec_release(&f->groups);
	vec_release(&f->rows);
	audit_free(f->audit);
	f->audit = a;
	memset(&f->counts, 0, sizeof(f->counts));
	f->fixable = 0;
}

/* --- what the estate has of a finding --- */

int
findings_name_files(struct findings *f, const struct estate *e, struct error *err)
{
	struct buf name;
	size_t strip;
	int rc = 0;

	(void)audit_root(f->options.roots, f->options.root_count, &strip);
	vec_release_strings(&f->names);
	vec_init(&f->names, sizeof(char *), ROWS_MAX);
	vec_release_strings(&f->homes);
	vec_init(&f->homes, sizeof(char *), ROWS_MAX);
	f->changed.len = 0;
	map_free(f->by_name);
	if ((f->by_name = map_new()) == NULL)
		return error_memory(err);
	buf_init(&name, PATH_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < estate_count(e); i++) {
		const struct estate_file *file = estate_file(e, i);
		const char *told;
		int64_t *changed = vec_push(&f->changed);
		/* An audit that goes on knows of none yet. */
		const char *home = (file->is_secrets_file || !f->is_whole) &&
		    file->environment != NULL ? file->environment->name : "";

		buf_clear(&name);
		audit_append_name(&name, audit_below_root(file->path, strip));
		told = vec_push_string(&f->names, (const char *)name.data, name.len);
		if (changed != NULL)
			*changed = file->changed;
		if (told == NULL || changed == NULL ||
		    map_put(f->by_name, told, name.len, i) != 0 ||
		    vec_push_string(&f->homes, home, strlen(home)) == NULL)
			rc = error_memory(err);
	}
	buf_release(&name);
	return rc;
}

/* The entry of a key: on the finding's line if there are several. */
static const struct estate_entry *
entry_of_key(const struct estate_file *file, const char *key, size_t len, size_t line)
{
	const struct estate_entry *found = NULL, *e;

	for (size_t i = 0; i < file->count; i++) {
		e = &file->entries[i];
		if (e->key_len == len && memcmp(e->key, key, len) == 0 &&
		    (found == NULL || e->line <= line))
			found = e;
	}
	return found;
}

/* The option ${option} (${n} bytes) of a login configuration under ${key}. */
static const struct estate_entry *
entry_of_option(const struct estate_file *file, const char *key, size_t len, const char *option,
    size_t n)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct estate_entry *e = &file->entries[i];

		if (e->key_len > len + n + 1 && memcmp(e->key, key, len) == 0 &&
		    e->key[len] == '/' && e->key[e->key_len - n - 1] == '/' &&
		    memcmp(e->key + e->key_len - n, option, n) == 0)
			return e;
	}
	return NULL;
}

/* Is it still the file of that name?  The estate may be another than when its files were named. */
static bool
findings_is_named(const struct findings *f, const struct estate_file *file, const char *name)
{
	struct buf told;
	size_t strip;
	bool same;

	(void)audit_root(f->options.roots, f->options.root_count, &strip);
	buf_init(&told, PATH_BYTES_MAX);
	audit_append_name(&told, audit_below_root(file->path, strip));
	same = !told.failed && strcmp(buf_cstr(&told), name) == 0;
	buf_release(&told);
	return same;
}

bool
findings_find(const struct findings *f, const struct estate *e,
    const struct audit_finding *finding, const struct estate_file **file,
    const struct estate_entry **entry)
{
	const char *name = audit_file(f->audit, finding->file), *option;
	size_t i;

	*entry = NULL;
	if (f->by_name == NULL || !map_get(f->by_name, name, strlen(name), &i) ||
	    i >= estate_count(e) || !findings_is_named(f, estate_file(e, i), name))
		return false;
	*file = estate_file(e, i);
	if (finding->key_len == 0)
		return true;
	*entry = entry_of_key(*file, finding->key, finding->key_len, finding->line);
	option = memrchr(finding->key, '#', finding->key_len);
	if (*entry == NULL && option != NULL)
		*entry = entry_of_option(*file, finding->key, (size_t)(option - finding->key),
		    option + 1, finding->key_len - (size_t)(option - finding->key) - 1);
	if (*entry == NULL && option != NULL)
		*entry = entry_of_key(*file, finding->key, (size_t)(option - finding->key),
		    finding->line);
	return true;
}

/* --- making the rows --- */

/* A row with what it is sorted by. */
struct sorting {
	struct findings_row row;
	const char *group;	/* NULL: of no environment */
	size_t place;		/* of its group */
	size_t number;		/* in the audit */
	enum findings_order order;
	int64_t changed;	/* when its file was; 0: not known */
};

const char *
findings_environment(const struct findings *f, const struct audit_finding *a)
{
	const char *name = audit_environment(f->audit, a->file);
	const char *file = audit_file(f->audit, a->file);
	size_t i;

	if (name != NULL || f->by_name == NULL || !map_get(f->by_name, file, strlen(file), &i))
		return name;
	name = vec_string(&f->homes, i);
	return name[0] != '\0' ? name : NULL;
}

/* Which group a finding is in. */
static const char *
sorting_group(const struct findings *f, const struct audit_finding *a)
{
	switch (f->grouping) {
	case FINDINGS_BY_RULE:
		return audit_rule_text(a->rule)->id;
	case FINDINGS_BY_FILE:
		return audit_file(f->audit, a->file);
	default:
		return findings_environment(f, a);
	}
}

static int
by_group(const void *x, const void *y)
{
	const struct sorting *a = x, *b = y;
	int rc;

	if ((a->group == NULL) != (b->group == NULL))
		return a->group == NULL ? 1 : -1;
	rc = a->group != NULL ? strcmp(a->group, b->group) : 0;
	return rc != 0 ? rc : a->number < b->number ? -1 : a->number > b->number;
}

/* The order within a group. */
static int
by_order(const struct sorting *a, const struct sorting *b)
{
	const struct audit_finding *one = a->row.finding, *other = b->row.finding;

	switch (a->order) {
	case FINDINGS_WORST:
		return one->level != other->level ? one->level > other->level ? -1 : 1 : 0;
	case FINDINGS_BY_KEY:
		return text_compare(one->key, one->key_len, other->key, other->key_len);
	case FINDINGS_NEWEST:
		return a->changed != b->changed ? a->changed > b->changed ? -1 : 1 : 0;
	default:
		return 0;
	}
}

static int
by_place_of_group(const void *x, const void *y)
{
	const struct sorting *a = x, *b = y;
	int c;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if ((c = by_order(a, b)) != 0)
		return c;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* The worst first: by errors, then warnings, then notes, then by name; what belongs
 * nowhere last. */
static int
by_badness(const void *x, const void *y)
{
	const struct findings_group *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	for (size_t l = AUDIT_LEVELS; l-- > 0;)
		if (a->levels[l] != b->levels[l])
			return a->levels[l] > b->levels[l] ? -1 : 1;
	return a->name != NULL && b->name != NULL ? strcmp(a->name, b->name) : 0;
}

static void
group_add(struct findings *f, struct findings_group *g, const struct findings_row *r)
{
	g->count++;
	if (!findings_counts(r->finding))
		return;
	g->levels[r->finding->level]++;
	g->fixable += r->fixable;
	f->fixable += r->fixable;
	if (r->finding->level > g->level)
		g->level = r->finding->level;
}

/* The groups of ${n} rows sorted by group, the worst first; each row gets its group's place. */
static int
groups_make(struct findings *f, struct sorting *all, size_t n, struct error *err)
{
	struct findings_group *g = NULL;
	size_t *place;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || (all[i].group == NULL) != (all[i - 1].group == NULL) ||
		    (all[i].group != NULL && strcmp(all[i].group, all[i - 1].group) != 0)) {
			if ((g = vec_push(&f->groups)) == NULL)
				return error_memory(err);
			g->kind = all[i].group == NULL ? FINDINGS_NOWHERE : FINDINGS_GROUP;
			g->name = all[i].group != NULL ? all[i].group : "no environment";
			g->first = f->groups.len - 1;
		}
		all[i].place = f->groups.len - 1;
		group_add(f, g, &all[i].row);
	}
	if (f->groups.len == 0)
		return 0;
	qsort(f->groups.items, f->groups.len, sizeof(struct findings_group), by_badness);
	if ((place = calloc(f->groups.len, sizeof(*place))) == NULL)
		return error_memory(err);
	for (size_t i = 0; i < f->groups.len; i++)
		place[findings_group(f, i)->first] = i;
	for (size_t i = 0; i < n; i++)
		all[i].place = place[all[i].place];
	free(place);
	return 0;
}

/* Rows in the order of the groups, and where each group begins. */
static int
rows_make(struct findings *f, struct sorting *all, size_t n, struct error *err)
{
	struct findings_row *row;
	size_t first = 0;

	if (n > 0)
		qsort(all, n, sizeof(*all), by_place_of_group);
	for (size_t i = 0; i < n; i++) {
		if ((row = vec_push(&f->rows)) == NULL)
			return error_memory(err);
		*row = all[i].row;
	}
	for (size_t i = 0; i < f->groups.len; i++) {
		struct findings_group *g = vec_at(&f->groups, i);

		g->first = first;
		first += g->count;
	}
	return 0;
}

static int
rows_add_unread(struct findings *f, struct error *err)
{
	struct findings_group *g;
	struct findings_row *row;
	const size_t n = audit_unread_count(f->audit);

	if (n == 0)
		return 0;
	if ((g = vec_push(&f->groups)) == NULL)
		return error_memory(err);
	*g = (struct findings_group){ .kind = FINDINGS_UNREAD, .name = "not read",
		.first = f->rows.len, .count = n };
	for (size_t i = 0; i < n; i++) {
		if ((row = vec_push(&f->rows)) == NULL)
			return error_memory(err);
		row->unread = audit_unread(f->audit, i);
	}
	return 0;
}

/* In other groups than before, the cursor stays on its finding. */
static void
findings_find_held(struct findings *f)
{
	struct outline *o = &f->panes.left;
	struct outline_id group, item;

	for (size_t g = 0; o->held_item != NULL && g < f->groups.len; g++)
		for (size_t i = 0; i < findings_group(f, g)->count; i++) {
			item = findings_id(f, g, i);
			if (item.len != o->held_item_len ||
			    memcmp(item.bytes, o->held_item, item.len) != 0)
				continue;
			group = findings_id(f, g, OUTLINE_HEAD);
			outline_hold_id(o, &group, &item);
			(void)outline_restore(o);
			return;
		}
}

/* When the file of a finding was changed, as the estate knows it; 0: it does not. */
static int64_t
findings_file_changed(const struct findings *f, const struct audit_finding *a)
{
	const char *file = audit_file(f->audit, a->file);
	size_t i;

	return f->order == FINDINGS_NEWEST && f->by_name != NULL &&
	    map_get(f->by_name, file, strlen(file), &i) && i < f->changed.len ?
	    *(const int64_t *)vec_at(&f->changed, i) : 0;
}

int
findings_arrange(struct findings *f, bool (*can_fix)(const void *cookie,
    const struct audit_finding *finding), const void *cookie, struct error *err)
{
	size_t n = f->audit != NULL ? audit_finding_count(f->audit) : 0;
	struct sorting *all = calloc(n + 1, sizeof(*all));
	int rc = 0;

	if (all == NULL)
		return error_memory(err);
	vec_release(&f->groups);
	vec_release(&f->rows);
	f->fixable = 0;
	for (size_t i = 0; i < n; i++) {
		const struct audit_finding *a = audit_finding(f->audit, i);

		all[i] = (struct sorting){ .row = { .finding = a }, .number = i,
			.group = sorting_group(f, a), .order = f->order };
		all[i].changed = findings_file_changed(f, a);
		all[i].row.fixable = can_fix != NULL && can_fix(cookie, a);
		audit_id_text(a->id, all[i].row.id);
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), by_group);
	if (groups_make(f, all, n, err) != 0 || rows_make(f, all, n, err) != 0 ||
	    (f->audit != NULL && rows_add_unread(f, err) != 0))
		rc = -1;
	free(all);
	if (f->audit != NULL)
		f->counts = audit_counts(f->audit);
	if (outline_build(&f->panes.left) == -1)
		rc = error_memory(err);
	if (!outline_restore(&f->panes.left))
		findings_find_held(f);
	return rc;
}

const struct findings_group *
findings_selected(const struct findings *f, const struct findings_row **row)
{
	const struct outline_row *at = outline_at(&f->panes.left);

	*row = NULL;
	if (at == NULL)
		return NULL;
	if (at->item != OUTLINE_HEAD)
		*row = findings_item(f, at->group, at->item);
	return findings_group(f, at->group);
}

/* --- for people --- */

const char *
findings_order_name(enum findings_order order)
{
	static const char *const names[FINDINGS_ORDERS] = { "worst first", "as in the files",
		"by name", "newest first" };

	return names[order];
}

void
findings_print_levels(const size_t levels[AUDIT_LEVELS], char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t l = AUDIT_LEVELS; l-- > 0 && used < size;)
		if (levels[l] > 0)
			used += (size_t)snprintf(out + used, size - used, "%s%zu%s",
			    used > 0 ? " " : "", levels[l],
			    findings_letter((enum audit_level)l));
}
