#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/settings.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "document/scope.h"
#include "estate/environments.h"
#include "file/file.h"
#include "secrets/reference.h"
#include "secrets/rules.h"
#include "trail/trail.h"
#include "ui/keymap.h"

#define KEY_PREFIX "key."
#define FOUND_MAX 1000000

struct config {
	struct config_place places[CONFIG_PLACES];	/* the weakest first */
	struct config_value values[SETTING_COUNT];
	struct bindings bindings;
	struct look looks[STYLE_COUNT];
	struct rules *rules;
	struct scope *scope;
	struct environment_source source;
	struct buf trail_path;		/* where no setting names one */
	char command[64];		/* its words */
	struct trail trail;
	pthread_mutex_t found_lock;	/* an audit may ask beside the interface */
	struct vec found;	/* of struct found *: propseal.ini of environments */
};

/* A propseal.ini at or above a configuration file. */
struct found {
	char *path;
	struct config_file *file;	/* NULL: it must not be used */
	struct error problem;		/* why */
	bool is_former;			/* it was changed since; what was found stays */
};

/* How a style of the interface looks. */
#define LOOK_OF(style, text) [SETTING_FIRST_LOOK + (int)(style)] = { "theme", \
	FIELD(text, SETTING_IS_LOOK), .flag = FLAG_COUNT }

#define FIELD(text, kind) .field = { .name = text, .type = kind }

static const struct setting settings[SETTING_FIRST_KEY] = {
	[SETTING_SECRETS_FILE] = { "files", FIELD("secrets-file", SETTING_IS_PATH),
	    .flag = FLAG_LOCAL_SECRETS_FILE },
	[SETTING_REMOTE_PATH] = { "files", FIELD("remote-path", SETTING_IS_REMOTE),
	    .flag = FLAG_REMOTE_SECRETS_FILE },
	[SETTING_REPLACE] = { "files", .field = { .name = "replace", .type = SETTING_SWITCH,
	    .choices = "no|yes" }, .flag = FLAG_REPLACE, .built_in = "no" },
	[SETTING_PROVIDER_CLASS] = { "files", FIELD("provider-class", SETTING_IS_CLASS),
	    .flag = FLAG_COUNT, .built_in = REFERENCE_PROVIDER_CLASS },
	[SETTING_PATTERNS] = { "files", FIELD("patterns", SETTING_IS_PATTERNS),
	    .flag = FLAG_COUNT, .built_in = SCOPE_BUILT_IN },
	[SETTING_IGNORE] = { "files", FIELD("ignore", SETTING_IS_IGNORED), .flag = FLAG_COUNT },
	[SETTING_SECRET_KEYS] = { "rules", FIELD("secret-keys", SETTING_IS_KEYS),
	    .flag = FLAG_COUNT },
	[SETTING_PUBLIC_KEYS] = { "rules", FIELD("public-keys", SETTING_IS_KEYS),
	    .flag = FLAG_COUNT },
	[SETTING_KEY_COMMAND] = { "keys", FIELD("command", SETTING_IS_COMMAND),
	    .flag = FLAG_MASTER_KEY_COMMAND, .own = true },
	[SETTING_KEY_VARIABLES] = { "keys", FIELD("variables", SETTING_IS_VARIABLES),
	    .flag = FLAG_MASTER_KEY_VARIABLE, .own = true },
	[SETTING_TAGS] = { "keys", .field = { .name = "tags", .type = SETTING_CHOICE,
	    .choices = "any|required" }, .flag = FLAG_COUNT, .built_in = "any",
	    .own = true },
	[SETTING_TRAIL] = { "files", FIELD("trail", SETTING_IS_PATH), .flag = FLAG_COUNT,
	    .own = true },
	[SETTING_TRAIL_REQUIRED] = { "files", .field = { .name = "trail-required",
	    .type = SETTING_SWITCH, .choices = "no|yes" }, .flag = FLAG_COUNT, .built_in = "no",
	    .own = true },
	[SETTING_TRAIL_SIZE] = { "files", .field = { .name = "trail-size", .type = SETTING_SIZE,
	    .min = 4096, .max = (uint64_t)1 << 29 }, .flag = FLAG_COUNT, .built_in = "8388608",
	    .own = true },
	[SETTING_UNDO_DAYS] = { "files", .field = { .name = "undo-days", .type = SETTING_SIZE,
	    .max = 3650 }, .flag = FLAG_COUNT, .built_in = "30", .own = true },
	[SETTING_THEME] = { "ui", .field = { .name = "theme", .type = SETTING_CHOICE,
	    .choices = THEME_NAMES }, .flag = FLAG_THEME, .built_in = "default" },
	[SETTING_SCREEN_READER] = { "ui", .field = { .name = "screen-reader",
	    .type = SETTING_SWITCH, .choices = "no|yes" }, .flag = FLAG_SCREEN_READER,
	    .built_in = "no" },
	[SETTING_REVEAL] = { "ui", FIELD("reveal-seconds", SETTING_IS_SECONDS),
	    .flag = FLAG_REVEAL_TIME, .built_in = "10" },
	[SETTING_COPY] = { "ui", FIELD("copy-seconds", SETTING_IS_SECONDS),
	    .flag = FLAG_COPY_TIME, .built_in = "45" },
	[SETTING_LOCK] = { "ui", FIELD("lock-seconds", SETTING_IS_SECONDS),
	    .flag = FLAG_LOCK_TIME, .built_in = "300" },
	[SETTING_LOCK_TIMEOUT] = { "locks", FIELD("timeout-seconds", SETTING_IS_SECONDS),
	    .flag = FLAG_LOCK_TIMEOUT, .built_in = "60" },
	[SETTING_REGISTRY_URL] = { "registry", FIELD("url", SETTING_IS_URL), .flag = FLAG_URL,
	    .own = true },
	[SETTING_REGISTRY_USER] = { "registry", FIELD("user", SETTING_TEXT), .flag = FLAG_USER,
	    .own = true },
	[SETTING_REGISTRY_PASSWORD_FILE] = { "registry", FIELD("password-file", SETTING_IS_PATH),
	    .flag = FLAG_PASSWORD_FILE, .own = true },
	[SETTING_REGISTRY_TOKEN_FILE] = { "registry", FIELD("token-file", SETTING_IS_PATH),
	    .flag = FLAG_TOKEN_FILE, .own = true },
	[SETTING_REGISTRY_CA] = { "registry", FIELD("ca", SETTING_IS_PATH), .flag = FLAG_CA,
	    .own = true },
	[SETTING_REGISTRY_CERT] = { "registry", FIELD("cert", SETTING_IS_PATH), .flag = FLAG_CERT,
	    .own = true },
	[SETTING_REGISTRY_CERT_KEY] = { "registry", FIELD("cert-key", SETTING_IS_PATH),
	    .flag = FLAG_CERT_KEY, .own = true },
	LOOK_OF(STYLE_TEXT, "text"),
	LOOK_OF(STYLE_TITLE, "title"),
	LOOK_OF(STYLE_HEAD, "head"),
	LOOK_OF(STYLE_FILE, "file"),
	LOOK_OF(STYLE_CLEAR, "clear"),
	LOOK_OF(STYLE_SEALED, "sealed"),
	LOOK_OF(STYLE_DANGLING, "dangling"),
	LOOK_OF(STYLE_OTHER, "other"),
	LOOK_OF(STYLE_DAMAGED, "damaged"),
	LOOK_OF(STYLE_MARK, "mark"),
	LOOK_OF(STYLE_KEY, "key"),
	LOOK_OF(STYLE_NOTE, "note"),
	LOOK_OF(STYLE_NOTICE, "notice"),
	LOOK_OF(STYLE_ERROR, "error"),
	LOOK_OF(STYLE_FRAME, "frame"),
	LOOK_OF(STYLE_ADDED, "added"),
	LOOK_OF(STYLE_REMOVED, "removed"),
	LOOK_OF(STYLE_FIELD, "field"),
	[SETTING_ENVIRONMENT_SECRETS] = { SETTING_ENVIRONMENTS,
	    FIELD("secrets-file", SETTING_IS_PATH), .flag = FLAG_LOCAL_SECRETS_FILE },
	[SETTING_ENVIRONMENT_REMOTE] = { SETTING_ENVIRONMENTS,
	    FIELD("remote-path", SETTING_IS_REMOTE), .flag = FLAG_REMOTE_SECRETS_FILE },
	[SETTING_ENVIRONMENT_FILES] = { SETTING_ENVIRONMENTS, FIELD("files", SETTING_IS_IGNORED),
	    .flag = FLAG_COUNT },
};

const struct setting *
setting_get(enum setting_id id)
{
	return &settings[id];
}

unsigned
setting_kind(enum setting_id id)
{
	return id < SETTING_FIRST_KEY ? settings[id].field.type : (unsigned)SETTING_IS_BINDING;
}

const char *
setting_section(enum setting_id id)
{
	return id < SETTING_FIRST_KEY ? settings[id].section : "ui";
}

enum action_id
setting_action(enum setting_id id)
{
	return (enum action_id)(id - SETTING_FIRST_KEY);
}

const char *
setting_name(enum setting_id id, char name[SETTING_NAME_MAX])
{
	if (id < SETTING_FIRST_KEY)
		return settings[id].field.name;
	snprintf(name, SETTING_NAME_MAX, KEY_PREFIX "%s",
	    keymap_action(setting_action(id))->name);
	return name;
}

bool
setting_is_list(enum setting_id id)
{
	unsigned kind = setting_kind(id);

	return kind == SETTING_IS_PATTERNS || kind == SETTING_IS_IGNORED ||
	    kind == SETTING_IS_KEYS || kind == SETTING_IS_VARIABLES;
}

bool
setting_is_own(enum setting_id id)
{
	return id < SETTING_FIRST_KEY && settings[id].own;
}

const char **
setting_part(enum setting_id id, struct environment_section *s)
{
	switch ((int)id) {
	case SETTING_ENVIRONMENT_SECRETS:
		return &s->secrets_file;
	case SETTING_ENVIRONMENT_REMOTE:
		return &s->remote_path;
	case SETTING_ENVIRONMENT_FILES:
		return &s->files;
	default:
		return NULL;
	}
}

enum setting_id
setting_find(const char *section, const char *name)
{
	char own[SETTING_NAME_MAX];
	int id;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_section((enum setting_id)id), section) == 0 &&
		    strcmp(setting_name((enum setting_id)id, own), name) == 0)
			break;
	}
	return (enum setting_id)id;
}

bool
setting_has_section(const char *section)
{
	int id;

	for (id = 0; id < SETTING_FIRST_KEY; id++) {
		if (strcmp(settings[id].section, section) == 0)
			return true;
	}
	return false;
}

int
setting_hint_sections(struct error *err)
{
	const char *told;
	char list[512];
	size_t n = 0;
	int id, before;

	for (id = 0; id < SETTING_FIRST_KEY && n < sizeof(list); id++) {
		told = settings[id].section;
		for (before = 0; strcmp(settings[before].section, told) != 0; before++)
			;
		if (before == id)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s[%s%s]",
			    n > 0 ? ", " : "", told,
			    strcmp(told, SETTING_ENVIRONMENTS) == 0 ? " NAME" : "");
	}
	list[n < sizeof(list) ? n : sizeof(list) - 1] = '\0';
	return error_hint(err, "the sections are %s", list);
}

const char *
setting_near_section(const char *section)
{
	int id;

	for (id = 0; id < SETTING_FIRST_KEY; id++) {
		if (near_word(section, strlen(section), settings[id].section))
			return settings[id].section;
	}
	return NULL;
}

const char *
setting_near_name(const char *section, const char *name, char near[SETTING_NAME_MAX])
{
	size_t best = NEAR_NOT, d;
	int id, found = SETTING_COUNT;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_section((enum setting_id)id), section) != 0)
			continue;
		d = near_distance(name, strlen(name), setting_name((enum setting_id)id, near));
		if (d < best) {
			best = d;
			found = id;
		}
	}
	return found == SETTING_COUNT ? NULL : setting_name((enum setting_id)found, near);
}

const char *
setting_section_with(const char *name)
{
	char own[SETTING_NAME_MAX];
	int id;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (strcmp(setting_name((enum setting_id)id, own), name) == 0)
			return setting_section((enum setting_id)id);
	}
	return NULL;
}

void
config_free(struct config *c)
{
	size_t i;

	if (c == NULL)
		return;
	buf_release(&c->trail_path);
	for (i = 0; i < CONFIG_PLACES; i++) {
		free(c->places[i].path);
		config_file_free(c->places[i].file);
	}
	for (i = 0; i < c->found.len; i++) {
		struct found *f = *(struct found **)vec_at(&c->found, i);

		config_file_free(f->file);
		free(f->path);
		free(f);
	}
	vec_release(&c->found);
	(void)pthread_mutex_destroy(&c->found_lock);
	rules_free(c->rules);
	scope_free(c->scope);
	free(c);
}

/* Read the file of a place.  It must be there only if the user named it. */
static int
read_place(struct config_place *p, struct buf *path, bool must_exist, struct error *err)
{
	if (buf_check(path, err) != 0)
		return -1;
	if (path->len == 0)
		return 0;
	if ((p->path = strdup(buf_cstr(path))) == NULL)
		return error_memory(err);
	p->file = config_file_read(p->path, p->origin == CONFIG_PROJECT &&
	    !config_find_is_own(p->path), NULL, NULL, err);
	if (p->file != NULL || (err->code == ERROR_MISSING && !must_exist))
		return 0;
	if (err->code == ERROR_MISSING)
		error_hint(err, "the environment variable " CONFIG_VARIABLE " names it; set it to "
		    "nothing to go without");
	return -1;
}

static int
config_read_files(struct config *c, struct error *err)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct buf path;
	int rc;

	c->places[0].origin = CONFIG_USER;
	c->places[1].origin = CONFIG_PROJECT;
	c->places[2].origin = CONFIG_ENVIRONMENT;
	if (variable != NULL && variable[0] == '\0')
		return 0;
	buf_init(&path, CONFIG_PATH_MAX);
	config_find_user(&path);
	rc = read_place(&c->places[0], &path, false, err);
	if (rc == 0) {
		buf_clear(&path);
		config_find_project(&path);
		rc = read_place(&c->places[1], &path, false, err);
	}
	if (rc == 0 && variable != NULL) {
		buf_clear(&path);
		buf_append_str(&path, variable);
		rc = read_place(&c->places[2], &path, true, err);
	}
	buf_release(&path);
	return rc;
}

static void
config_collect(struct config *c)
{
	const char *no_colour = getenv("NO_COLOR"), *variable, *said;
	struct config_value *trail = &c->values[SETTING_TRAIL];
	const struct config_file *f;
	struct error err;	/* none: it was checked where it was read */
	size_t i;
	int id;

	for (id = 0; id < SETTING_COUNT; id++) {
		if (id < SETTING_FIRST_KEY)
			c->values[id].text = setting_get((enum setting_id)id)->built_in;
		for (i = 0; i < CONFIG_PLACES; i++) {
			f = c->places[i].file;
			if (f == NULL || f->values[id].text == NULL ||
			    (f->foreign && id == SETTING_PUBLIC_KEYS))
				continue;
			c->values[id] = (struct config_value){ .text = f->values[id].text,
			    .origin = c->places[i].origin, .file = f->path,
			    .line = f->values[id].line, .foreign = f->foreign };
		}
		variable = id >= SETTING_FIRST_KEY || settings[id].flag == FLAG_COUNT ? NULL :
		    flag_get(settings[id].flag)->variable;
		said = variable != NULL ? getenv(variable) : NULL;
		if (said != NULL && said[0] != '\0')
			c->values[id] = (struct config_value){ .text = said,
			    .origin = CONFIG_ENVIRONMENT, .variable = variable };
	}
	buf_init(&c->trail_path, CONFIG_PATH_MAX);
	config_find_trail(&c->trail_path);
	if (trail->text == NULL && c->trail_path.len > 0)
		trail->text = buf_cstr(&c->trail_path);
	for (id = 0; id < STYLE_COUNT; id++)
		if (c->values[SETTING_FIRST_LOOK + id].text != NULL)
			(void)look_parse(c->values[SETTING_FIRST_LOOK + id].text, &c->looks[id],
			    &err);
	if (no_colour != NULL && no_colour[0] != '\0')
		c->values[SETTING_THEME] = (struct config_value){ .text = "monochrome",
		    .origin = CONFIG_ENVIRONMENT, .variable = "NO_COLOR" };
}

static int
clash(const struct config *c, enum action_id one, enum action_id two, uint32_t key,
    struct error *err)
{
	const struct config_value *v = &c->values[SETTING_FIRST_KEY + (int)two];
	const struct config_value *w = &c->values[SETTING_FIRST_KEY + (int)one];
	const char *names[2] = { keymap_action(one)->name, keymap_action(two)->name };
	char name[KEY_NAME_MAX];

	/* Say it where the user's own line is: the stronger one, the later one. */
	if (w->origin > v->origin || (w->origin == v->origin && w->line > v->line)) {
		v = w;
		names[0] = keymap_action(two)->name;
		names[1] = keymap_action(one)->name;
	}
	error_set(err, ERROR_FORMAT, "the key %s of %s is that of %s too", key_name_of(key, name),
	    names[1], names[0]);
	error_place(err, v->file, v->line);
	return error_hint(err, "give one of them another key: `key.%s = ...`, `none` for no key",
	    names[0]);
}

static int
config_bind(struct config *c, struct error *err)
{
	const struct config_value *v;
	enum action_id one, two;
	uint32_t key;
	int id;

	bindings_init(&c->bindings);
	for (id = SETTING_FIRST_KEY; id < SETTING_COUNT; id++) {
		v = &c->values[id];
		if (v->text != NULL && bindings_set(&c->bindings,
		    setting_action((enum setting_id)id), v->text, err) != 0)
			return error_place(err, v->file, v->line);
	}
	if (bindings_conflict(&c->bindings, &one, &two, &key))
		return clash(c, one, two, key, err);
	return 0;
}

/* Call ${add} with each part of a list's value. */
static int
each(const struct config_value *v, int (*add)(struct config *, const char *, struct error *),
    struct config *c, struct error *err)
{
	const char *p = v->text;
	size_t len;
	char *part;
	int rc = 0;

	/* A built-in list is what core does by itself. */
	if (v->origin == CONFIG_BUILT_IN)
		return 0;
	while (rc == 0 && (p = config_value_next(p, &len)) != NULL) {
		if ((part = strndup(p, len)) == NULL)
			return error_memory(err);
		rc = add(c, part, err);
		free(part);
		p += len;
	}
	return rc;
}

static int
add_pattern(struct config *c, const char *part, struct error *err)
{
	return scope_add_pattern(c->scope, part, err);
}

static int
add_ignored(struct config *c, const char *part, struct error *err)
{
	return scope_add_ignored(c->scope, part, err);
}

static int
add_secret(struct config *c, const char *part, struct error *err)
{
	return rules_add_secret(c->rules, part, err);
}

static int
add_public(struct config *c, const char *part, struct error *err)
{
	return rules_add_public(c->rules, part, err);
}

/* What is in a propseal.ini, read once.  NULL: no memory. */
static const struct found *
found_at(struct config *c, const char *path, struct error *err)
{
	struct found *f, **slot;

	for (size_t i = 0; i < c->found.len; i++)
		if (!(f = *(struct found **)vec_at(&c->found, i))->is_former &&
		    strcmp(f->path, path) == 0)
			return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->path = strdup(path)) == NULL ||
	    (slot = vec_push(&c->found)) == NULL) {
		if (f != NULL)
			free(f->path);
		free(f);
		error_memory(err);
		return NULL;
	}
	*slot = f;
	f->file = config_file_read(path, !config_find_is_own(path), NULL, NULL, &f->problem);
	return f;
}

/* environment_source.sections */
static int
config_find_sections(void *cookie, const char *folder, const struct environment_section **out,
    size_t *count, const char **ini_folder, struct error *err)
{
	const char *variable = getenv(CONFIG_VARIABLE);
	struct config *c = cookie;
	const struct found *f = NULL;
	struct buf path;
	int rc = 0;

	*out = NULL;
	*count = 0;
	*ini_folder = "";
	buf_init(&path, CONFIG_PATH_MAX);
	if (variable == NULL || variable[0] != '\0')
		config_find_above(folder, &path);
	if (path.len > 0) {
		(void)pthread_mutex_lock(&c->found_lock);
		f = found_at(c, buf_cstr(&path), err);
		(void)pthread_mutex_unlock(&c->found_lock);
		rc = f != NULL ? 0 : -1;
	}
	buf_release(&path);
	if (f != NULL && f->file == NULL) {
		if (err != NULL)
			*err = f->problem;
		rc = -1;
	} else if (f != NULL) {
		*out = f->file->environments.items;
		*count = f->file->environments.len;
		*ini_folder = f->file->folder;
	}
	return rc;
}

/* environment_source.changed */
static void
config_find_anew(void *cookie)
{
	struct config *c = cookie;

	(void)pthread_mutex_lock(&c->found_lock);
	for (size_t i = 0; i < c->found.len; i++)
		(*(struct found **)vec_at(&c->found, i))->is_former = true;
	(void)pthread_mutex_unlock(&c->found_lock);
}

static int
config_settle(struct config *c, struct error *err)
{
	const struct config_file *user = c->places[0].file;
	const struct config_value own = { .origin = CONFIG_USER,
		.text = user != NULL && user->values[SETTING_SECRET_KEYS].text != NULL ?
		user->values[SETTING_SECRET_KEYS].text : "" };

	config_collect(c);
	if (config_bind(c, err) != 0 || (c->rules = rules_new(err)) == NULL ||
	    (c->scope = scope_new(err)) == NULL)
		return -1;
	if (each(&c->values[SETTING_PATTERNS], add_pattern, c, err) != 0 ||
	    each(&c->values[SETTING_IGNORE], add_ignored, c, err) != 0 ||
	    each(&c->values[SETTING_SECRET_KEYS], add_secret, c, err) != 0)
		return -1;
	if (c->values[SETTING_SECRET_KEYS].foreign && each(&own, add_secret, c, err) != 0)
		return -1;
	return each(&c->values[SETTING_PUBLIC_KEYS], add_public, c, err);
}

static struct config *
new_config(struct error *err)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		error_memory(err);
		return NULL;
	}
	c->source = (struct environment_source){ config_find_sections, c, config_find_anew };
	(void)pthread_mutex_init(&c->found_lock, NULL);
	vec_init(&c->found, sizeof(struct found *), FOUND_MAX);
	return c;
}

const struct environment_source *
config_sections(const struct config *c)
{
	return c != NULL ? &c->source : NULL;
}

struct config *
config_load(struct error *err)
{
	struct config *c = new_config(err);

	if (c != NULL && (config_read_files(c, err) != 0 || config_settle(c, err) != 0)) {
		config_free(c);
		c = NULL;
	}
	return c;
}

struct config *
config_single(struct config_file *file, struct error *err)
{
	struct config *c = new_config(err);

	if (c == NULL) {
		config_file_free(file);
		return NULL;
	}
	c->places[0].origin = CONFIG_ENVIRONMENT;
	c->places[0].file = file;
	if (config_settle(c, err) == 0)
		return c;
	config_free(c);
	return NULL;
}

const struct config_place *
config_place(const struct config *c, size_t i)
{
	return &c->places[i];
}

const struct config_value *
config_get(const struct config *c, enum setting_id id)
{
	return &c->values[id];
}

/* Fill in the flag of a setting, unless it was given. */
static void
apply(const struct config_value *v, enum flag_id id, struct options *o)
{
	if (v->text == NULL || o->given[id])
		return;
	if (flag_get(id)->kind == FLAG_IS_SECONDS)
		o->seconds[id] = (int)strtol(v->text, NULL, 10);
	else if (flag_get(id)->kind == FLAG_IS_SWITCH)
		o->on[id] = strcmp(v->text, "yes") == 0;
	else
		o->text[id] = v->text;
	o->from[id] = (struct options_origin){ v->file, v->line, v->foreign, (int)v->origin };
}

void
config_tell_unused(const struct config *c)
{
	const struct config_file *f;

	for (size_t i = 0; i < CONFIG_PLACES; i++) {
		f = c->places[i].file;
		if (f != NULL && f->foreign && f->values[SETTING_PUBLIC_KEYS].text != NULL)
			report_note("%s:%zu: public-keys is not used: who can write a "
			    OPTIONS_FILE_NAME " in a git work tree must not hide secrets; your "
			    "own ~/.config/propseal/" OPTIONS_FILE_NAME " may say so",
			    f->path, f->values[SETTING_PUBLIC_KEYS].line);
	}
}

#define NO_TRAIL "/dev/null"
#define TRAIL_FOLDERS 3		/* .local/state/propseal */

static void
config_set_trail(struct config *c, const struct command *command)
{
	const struct config_value *v = &c->values[SETTING_TRAIL];
	const struct setting_field *size = &setting_get(SETTING_TRAIL_SIZE)->field;
	const struct setting_field *days = &setting_get(SETTING_UNDO_DAYS)->field;

	snprintf(c->command, sizeof(c->command), "%s%s%s",
	    command->group != NULL ? command->group : "", command->group != NULL ? " " : "",
	    command->name);
	c->trail = (struct trail){ .path = v->text,
		.makes_folders = v->origin == CONFIG_BUILT_IN ? TRAIL_FOLDERS : 0,
		.required = strcmp(c->values[SETTING_TRAIL_REQUIRED].text, "yes") == 0,
		.command = c->command };
	(void)setting_store(size, &c->trail.rotate_at, c->values[SETTING_TRAIL_SIZE].text, NULL);
	(void)setting_store(days, &c->trail.keep_days, c->values[SETTING_UNDO_DAYS].text, NULL);
}

const char *
config_trail_path(const struct config *c)
{
	const char *path = c == NULL ? NULL : c->values[SETTING_TRAIL].text;

	return path == NULL || strcmp(path, NO_TRAIL) == 0 ? NULL : path;
}

const struct trail *
config_trail(const struct config *c)
{
	if (c == NULL || (c->trail.path != NULL && strcmp(c->trail.path, NO_TRAIL) == 0 &&
	    !c->trail.required))
		return NULL;
	return &c->trail;
}

const struct trail *
config_trail_of(struct config *c, const struct command *command)
{
	if (c != NULL)
		config_set_trail(c, command);
	return config_trail(c);
}

/* Is it the same file?  Neither need be there. */
static bool
config_is_same_file(const char *a, const char *b)
{
	struct path one = PATH_NONE, two = PATH_NONE;
	bool same = strcmp(a, b) == 0 || (path_open(&one, a, NULL) == 0 &&
	    path_open(&two, b, NULL) == 0 && strcmp(one.real, two.real) == 0);

	path_close(&one);
	path_close(&two);
	return same;
}

/* The path of a file that names a secrets file, too, is where that one lies, and no other. */
static void
config_pair_remote(const struct config *c, struct options *o)
{
	const struct config_value *v = &c->values[SETTING_REMOTE_PATH];
	const char *local = o->text[FLAG_LOCAL_SECRETS_FILE];
	const char *beside;

	if (o->from[FLAG_REMOTE_SECRETS_FILE].file == NULL || local == NULL)
		return;
	for (size_t i = 0; i < CONFIG_PLACES; i++) {
		if (c->places[i].file == NULL || c->places[i].file->path != v->file)
			continue;
		beside = c->places[i].file->values[SETTING_SECRETS_FILE].text;
		if (beside == NULL || config_is_same_file(beside, local))
			continue;
		report_note("%s:%zu: remote-path is not used: it is that of %s", v->file, v->line,
		    beside);
		o->text[FLAG_REMOTE_SECRETS_FILE] = NULL;
		o->from[FLAG_REMOTE_SECRETS_FILE] = (struct options_origin){ NULL, 0, false, 0 };
	}
}

void
config_apply(struct config *c, struct options *o)
{
	const struct command_flag *f;
	int id;

	o->config = c;
	config_set_trail(c, o->command);
	for (id = 0; o->text[FLAG_CONFIG_FORMAT] != NULL && document_formats[id] != NULL; id++)
		if (strcmp(document_formats[id]->name, o->text[FLAG_CONFIG_FORMAT]) == 0)
			scope_set_format(c->scope, document_formats[id]);
	for (id = 0; id < SETTING_FIRST_KEY; id++) {
		for (f = o->command->flags; f->id != FLAG_COUNT; f++) {
			if (f->id == setting_get((enum setting_id)id)->flag)
				apply(&c->values[id], f->id, o);
		}
	}
	config_pair_remote(c, o);
}

const struct rules *
config_rules(const struct config *c)
{
	return c == NULL ? NULL : c->rules;
}

const struct scope *
config_scope(const struct config *c)
{
	return c == NULL ? NULL : c->scope;
}

const char *
config_provider_class(const struct config *c)
{
	return c == NULL ? NULL : c->values[SETTING_PROVIDER_CLASS].text;
}

const struct bindings *
config_bindings(const struct config *c)
{
	return c == NULL ? NULL : &c->bindings;
}

const struct look *
config_looks(const struct config *c)
{
	return c == NULL ? NULL : c->looks;
}
