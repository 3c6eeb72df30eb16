#ifndef AUDIT_FORM_H
#define AUDIT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"

struct document;
struct error;

/*
 * The forms in which operators keep configuration, each read as items: a key,
 * a value, and where it stands.  Nothing here is edited; .properties and JSON
 * are read by core/document.
 */
enum form {
	FORM_NONE,
	FORM_PROPERTIES,
	FORM_JSON,
	FORM_JAAS,		/* login.conf: Section { module required ...; }; */
	FORM_ENV,		/* .env, an EnvironmentFile of systemd */
	FORM_SYSTEMD,		/* units and drop-ins */
	FORM_YAML,
	FORM_SHELL,
	FORM_TERRAFORM,
	FORM_CREDENTIALS,	/* user: password, a line each */
	FORMS
};

const char *form_name(enum form f);

/* What to do about a secret in a file that propseal does not edit; NULL: it does. */
const char *form_hint(enum form f);

/* What a file's name claims. */
struct form_name {
	enum form form;		/* FORM_NONE: nothing; the content may tell */
	bool text;		/* an ending that says no more than that it is text */
	bool backup;		/* the copy of an editor, a package or a person */
	bool is_template;	/* .j2, .tmpl and the like: may be broken in its own form */
};

struct form_name form_of_name(const char *path);

/* What the text itself says it is; FORM_NONE: it cannot be told. */
enum form form_of_text(const char *text, size_t n);

/* The form of a text whose name claims YAML or JSON: another one, where it holds nothing but
 * lines of that, such as key=value. */
enum form form_of_content(enum form claimed, const char *text, size_t n);

enum form_role {
	FORM_ENTRY,
	FORM_OPTION,	/* of a command: the key is COMMAND#OPTION */
	FORM_FILE,	/* the value is the path of a file of variables, to be read as well */
	FORM_PASSWORD,	/* a secret by where it stands, whatever its key */
	FORM_EMBEDDED,	/* a text of lines to be read again by itself */
	FORM_DECODED	/* the same, decoded or folded: its lines are not the file's */
};

struct form_item {
	enum form_role role;
	const char *key;
	size_t key_len;
	const char *name;	/* what the rules judge in its place; NULL: the key */
	size_t name_len;
	const char *value;	/* decoded */
	size_t n;
	size_t from, to;	/* where it stands in the text */
	size_t start;		/* where its entry begins, for what stands on the line before */
	bool shadowed;		/* a later one of the key hides it */
};

/*
 * Reads a text.  ${each} gets every item that ${wants} asks for by key and
 * undecoded value.  Both buffers are the reader's own, and secret.
 */
struct form_reader {
	const char *text;
	size_t n;
	const char *file;	/* for errors */
	bool (*wants)(void *cookie, const char *key, size_t len, const char *raw, size_t n);
	int (*each)(void *cookie, const struct form_item *i, struct error *err);
	void *cookie;
};

/**
 * form_read(f, r, err):
 * 0, or -1: ERROR_FORMAT with line and cause, the text is not of the form (what
 * stands before that place has been given); ERROR_MEMORY; what each returned.
 */
int form_read(enum form f, const struct form_reader *r, struct error *err);

/* The same of entries of .properties or JSON; not of what stands behind its document_problem. */
int form_read_document(const struct document *d, const struct form_reader *r, struct error *err);

/* What form_read calls (inside core/audit). */
int form_read_jaas(const struct form_reader *r, struct error *err);
int form_read_env(const struct form_reader *r, struct error *err);
int form_read_systemd(const struct form_reader *r, struct error *err);
int form_read_yaml(const struct form_reader *r, struct error *err);
int form_read_shell(const struct form_reader *r, struct error *err);
int form_read_terraform(const struct form_reader *r, struct error *err);
int form_read_credentials(const struct form_reader *r, struct error *err);

/* What the readers of forms share. */

/* Of the names of variables, keys and options. */
static inline bool
form_is_word(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* May it be the name of a variable, or a key with dots? */
bool form_is_variable(const char *p, size_t n);

/* Hand an item on, if it is asked for. */
int form_give(const struct form_reader *r, struct form_item *i, struct error *err);

/* -pX: may it be an option of one letter with its value, and no name of one? */
bool form_is_glued(const char *p, size_t n);

/* Is the value of an option of this name a secret, and not the name of a file with one? */
bool form_option_is_secret(const char *name, size_t len);

/* A program with options of one letter for passwords, of its name or path; NULL: none that is
 * known. */
const char *form_command(const char *word, size_t n);

/* Where in ${p}, an option of it, the password begins: 0: it takes none; ${n}: in the next word.
 * ${*between} stands between user and password there, '\0': there is no user. */
size_t form_option_asks(const char *command, const char *p, size_t n, char *between);

/* <<WORD at ${at}: its lines are from ${*from} up to ${*to}; go on at ${*next}. */
bool form_heredoc(const struct form_reader *r, size_t at, size_t *from, size_t *to, size_t *next);

/* The words of commands between two places; ${name}: what their options' keys
 * begin with, NULL: each command's own name. */
int form_read_command(const struct form_reader *r, size_t from, size_t to, const char *name,
    size_t name_len, struct error *err);

/* In a template of YAML: blank what stands by itself on its lines, and let values begin with
 * `$(` instead of `{{`.  All other bytes stay where they are. */
void form_hide_actions(char *p, size_t n);

#endif /* !AUDIT_FORM_H */
