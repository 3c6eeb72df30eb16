#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "document/document.h"
#include "document/scope.h"
#include "file/file.h"
#include "merge/merge.h"

/*
 * One text, a file or not: which form it has, whether it is looked at, and
 * what is told of it besides what stands in its entries.
 */

/* Not a text, whatever its name says. */
static bool
audit_is_binary(const struct buf *b, const char **why)
{
	static const unsigned char marks[][2] = { { 0xff, 0xfe }, { 0xfe, 0xff } };

	*why = NULL;
	for (size_t i = 0; i < 2; i++)
		if (b->len >= 2 && memcmp(b->data, marks[i], 2) == 0)
			*why = "UTF-16, which no program reads as configuration";
	if (*why == NULL && b->len > 0 && memchr(b->data, '\0', b->len) != NULL)
		*why = "there are NUL bytes in it";
	return *why != NULL;
}

/* A baseline, or a report: lines of JSON, and numbers under the names of forms. */
static bool
audit_is_ours(const struct buf *b)
{
	const size_t n = b->len < 48 ? b->len : 48;

	return n > 0 && b->data[0] == '{' && (memmem(b->data, n, "\"ps1:", 5) != NULL ||
	    memmem(b->data, n, "propseal.audit/", 15) != NULL);
}

static bool
audit_name_has(const char *name, const char *word)
{
	return text_contains_nocase(name, strlen(name), word);
}

struct form_name
audit_form_name(const struct audit *a, const char *path)
{
	const struct document_format *format = scope_format(a->o->scope, path);
	struct form_name f = form_of_name(path);

	/* What endings say is known here, and more of it. */
	if (format != scope_format(NULL, path))
		f.form = format == &document_json ? FORM_JSON : FORM_PROPERTIES;
	return f;
}

bool
audit_takes(struct audit *a, const char *name)
{
	const struct form_name f = audit_form_name(a, name);

	if (f.form == FORM_NONE && !f.text)
		return false;
	if (scope_takes_folder(a->o->scope, name))
		return true;
	a->counts.seen++;
	a->counts.skipped[AUDIT_SKIP_IGNORED]++;
	return false;
}

/* Is it the place of an unfinished merge?  Its line, 0: it is not. */
static size_t
audit_conflict(const struct buf *b)
{
	return b->len > 0 && (memmem(b->data, b->len, "<<<<<<<", 7) != NULL ||
	    memmem(b->data, b->len, ">>>>>>>", 7) != NULL) ? markers_line(b) : 0;
}

/* Are all lines `name: password`, of a file whose name speaks of users?  YAML looks the same. */
static bool
audit_is_user_list(const char *name, const char *text, size_t n)
{
	const char *end = text + n, *colon, *to;
	size_t lines = 0;

	if (!audit_name_has(name, "user") && !audit_name_has(name, "basic") &&
	    !audit_name_has(name, "passwd"))
		return false;
	for (; text < end; text = to + 1) {
		if ((to = memchr(text, '\n', (size_t)(end - text))) == NULL)
			to = end;
		if (to == text || *text == '#')
			continue;
		colon = memchr(text, ':', (size_t)(to - text));
		if (colon == NULL || colon == text || colon + 2 >= to || colon[1] != ' ' ||
		    memchr(text, ' ', (size_t)(colon - text)) != NULL ||
		    memchr(colon + 2, ' ', (size_t)(to - colon) - 2) != NULL)
			return false;
		lines++;
	}
	return lines > 0;
}

/* Which form, by name and content. */
static enum form
audit_form(const struct form_name *f, const char *name, const struct buf *b)
{
	const char *text = (const char *)b->data;
	enum form told;

	if (f->form != FORM_NONE && f->form != FORM_CREDENTIALS)
		return form_of_content(f->form, text, b->len);
	/* Ours, with patterns of keys below names like those of secrets. */
	if (strcmp(file_basename(name), "propseal.ini") == 0)
		return FORM_NONE;
	told = form_of_text(text, b->len);
	if (f->form == FORM_CREDENTIALS)
		return told == FORM_JSON ? FORM_JSON : FORM_CREDENTIALS;
	/* Of AWS and others, with sections. */
	if (told == FORM_NONE && *text == '[' && audit_name_has(name, "credentials"))
		return FORM_PROPERTIES;
	if (told == FORM_YAML && f->text && audit_is_user_list(file_basename(name), text, b->len))
		return FORM_CREDENTIALS;
	/* Prose has lines of `Word: more`, too. */
	if (told == FORM_YAML && strcmp(name, "-") != 0 && !(b->len > 3 &&
	    memcmp(text, "---", 3) == 0) && memmem(text, b->len, "apiVersion:", 11) == NULL)
		return FORM_NONE;
	/* Lines of word:word are passwords only where the name says so. */
	if (told == FORM_CREDENTIALS && !audit_name_has(name, "cred") &&
	    !audit_name_has(name, "user") && !audit_name_has(name, "pass") &&
	    !audit_name_has(name, "auth") && !audit_name_has(name, "basic") &&
	    !audit_name_has(name, "secret"))
		return FORM_NONE;
	return told;
}

bool
audit_lists_users(const char *text, size_t n)
{
	static const char connector[] = "\"connector.class\"";
	const char *first = memchr(text, '{', n);
	size_t left;

	if (first == NULL || memmem(text, n, connector, sizeof(connector) - 1) != NULL)
		return false;
	left = n - (size_t)(++first - text);
	return memchr(first, '{', left) == NULL && memchr(first, '[', left) == NULL;
}

/* Is it a secret that others have seen?  What was wrong besides is of no interest any more. */
static bool
audit_is_leak(const struct audit_finding *f)
{
	return f->rule == AUDIT_COMMENT || f->rule == AUDIT_CUT || f->rule == AUDIT_UNSEALED ||
	    (f->level == AUDIT_ERROR && f->rule <= AUDIT_MASTER_KEY_IN_FILE);
}

/* Of what was committed: each secret of a key once, where it came in. */
static int
audit_keep_leaks(struct audit_source *s, const char *path, struct error *err)
{
	struct audit *a = s->a;
	size_t kept = s->first, ignored;
	struct buf b;
	char *key;
	int rc = 0;

	if (a->leaked == NULL && (a->leaked = map_new()) == NULL)
		return error_memory(err);
	buf_init(&b, BUF_MAX_FILE);
	for (size_t i = s->first; i < a->findings.len; i++) {
		struct audit_finding f = *audit_finding(a, i);

		buf_clear(&b);
		buf_printf(&b, "%d %llx %s", (int)f.rule, (unsigned long long)f.value, path);
		buf_append_char(&b, '\0');
		buf_append(&b, f.key, f.key_len);
		if (!audit_is_leak(&f) || map_get(a->leaked, b.data, b.len, &ignored)) {
			free((char *)(uintptr_t)f.key);
			continue;
		}
		key = vec_push_string(&a->leaks, (const char *)b.data, b.len);
		if (key == NULL || map_put(a->leaked, key, b.len, 0) != 0)
			rc = error_memory(err);
		*audit_finding(a, kept++) = f;
	}
	a->findings.len = kept;
	buf_release(&b);
	return rc;
}

int
audit_is_seen(struct audit *a, const struct file_id *id, struct error *err)
{
	const uint64_t place[2] = { (uint64_t)id->dev, (uint64_t)id->ino };
	const char *key;
	size_t by;

	if (!id->exists || !a->o->once)
		return 0;
	if (a->seen == NULL && (a->seen = map_new()) == NULL)
		return error_memory(err);
	/* By the same path it has another name, which is told as well. */
	if (map_get(a->seen, place, sizeof(place), &by))
		return by != a->path_number;
	key = vec_push_string(&a->places, (const char *)place, sizeof(place));
	return key != NULL && map_put(a->seen, key, sizeof(place), a->path_number) == 0 ? 0 :
	    error_memory(err);
}

static int
audit_text_read(struct audit *a, const struct audit_text *t, const struct file_id *id,
    struct error *err)
{
	const char *name = t->path != NULL ? t->path : t->name;
	const struct buf *content = t->content;
	const struct form_name f = audit_form_name(a, name);
	struct audit_source s = { .a = a, .name = t->name, .file = AUDIT_NONE,
		.origin = t->origin,
		.first = a->findings.len, .backup = f.backup,
		.text = (const char *)content->data, .n = content->len };
	struct error *why = &a->text_why;
	/* What is handed over has to be read, or told; so has kafka_server_jaas.conf. */
	const bool claims = f.form != FORM_NONE || strcmp(name, "-") == 0 ||
	    (f.text && audit_name_has(file_basename(name), "jaas"));
	struct audit_finding region = { .column = 1, .end_column = 1 };
	const char *reason;
	int rc;

	if (a->apart)
		a->id = *id;
	else if (id != NULL && (rc = audit_is_seen(a, id, err)) != 0)
		return rc == 1 ? 0 : -1;
	a->changed = id != NULL && id->exists ? 1000 * (int64_t)id->mtime.tv_sec : 0;
	a->counts.seen++;
	if (content->len == 0) {
		a->counts.read++;
		return 0;
	}
	if (audit_is_binary(content, &reason)) {
		if (!claims) {
			a->counts.skipped[AUDIT_SKIP_BINARY]++;
			return 0;
		}
		error_set(why, ERROR_FORMAT, "%s", reason);
		return audit_unreadable(a, t->name, why, err);
	}
	s.ours = audit_is_ours(content);
	s.form = t->form != FORM_NONE ? t->form : audit_form(&f, name, content);
	if (s.form == FORM_NONE) {
		a->counts.skipped[AUDIT_SKIP_OTHER]++;
		return 0;
	}
	a->counts.read++;
	a->counts.by_form[s.form]++;
	a->folder_waits = a->apart;
	if (id != NULL && !a->apart && audit_modes_folder(&s, err) != 0)
		return -1;
	if (a->o->keep_files && audit_source_name(&s, err) != 0)
		return -1;
	name = file_basename(name);
	s.users = s.form == FORM_JSON && (strncmp(name, "users", 5) == 0 ||
	    (strstr(name, "users.json") != NULL && audit_lists_users(s.text, s.n)));
	s.unresolved = strncmp(name, "log4j", 5) == 0 || strncmp(name, "zookeeper", 9) == 0 ||
	    strncmp(name, "logback", 7) == 0;
	region.line = region.end_line = audit_conflict(content);
	s.conflict = region.line > 0;
	if (s.conflict && audit_add(&s, AUDIT_CONFLICT, "", 0, &region, err) == NULL)
		return -1;
	rc = audit_source_read(&s, why);
	if (rc != 0 && why->code != ERROR_FORMAT && why->code != ERROR_REFUSED &&
	    why->code != ERROR_LIMIT) {
		*err = *why;
		return -1;
	}
	/* A template need not be of its form yet, nor what does not claim to be. */
	if (rc != 0 && claims && !s.ours && !f.is_template &&
	    memmem(s.text, s.n, "{{", 2) == NULL && memmem(s.text, s.n, "{%", 2) == NULL) {
		a->counts.read--;
		a->counts.by_form[s.form]--;
		if (audit_unreadable(a, s.name, why, err) != 0)
			return -1;
	}
	if (audit_modes_file(&s, id, err) != 0)
		return -1;
	if (t->origin == AUDIT_FROM_HISTORY && audit_keep_leaks(&s, name, err) != 0)
		return -1;
	/* What others say of a process or a connector is no remark of who keeps a file. */
	if (!a->o->no_suppressions && t->origin != AUDIT_FROM_PROCESS &&
	    t->origin != AUDIT_FROM_CONNECT && audit_suppress(&s, err) != 0)
		return -1;
	return audit_settle(&s, err);
}

int
audit_text(struct audit *a, const char *name, const struct buf *content, const struct file_id *id,
    struct error *err)
{
	return audit_text_read(a, &(struct audit_text){ .name = name, .content = content }, id,
	    err);
}

int
audit_text_from(struct audit *a, const struct audit_text *t, struct error *err)
{
	return audit_text_read(a, t, NULL, err);
}
