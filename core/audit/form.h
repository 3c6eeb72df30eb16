#ifndef AUDIT_FORM_H
#define AUDIT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

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

/* Is it `value` or the like, below the key of a secret?  password: { value: X } */
bool form_bears_value(const char *name, size_t len, const char *parent, size_t parent_len);

/* What form_read calls (inside core/audit). */
int form_read_jaas(const struct form_reader *r, struct error *err);
int form_read_env(const struct form_reader *r, struct error *err);
int form_read_systemd(const struct form_reader *r, struct error *err);
int form_read_yaml(const struct form_reader *r, struct error *err);
int form_read_shell(const struct form_reader *r, struct error *err);
int form_read_terraform(const struct form_reader *r, struct error *err);
int form_read_credentials(const struct form_reader *r, struct error *err);

#endif /* !AUDIT_FORM_H */
