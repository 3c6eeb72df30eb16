#ifndef DOCUMENT_JAAS_H
#define DOCUMENT_JAAS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/*
 * A JAAS login configuration as it stands in a value such as that of
 * sasl.jaas.config:
 *
 *     <LoginModule class> <flag> <option>=<value> ... ;
 *
 * once or several times; the flag is required, requisite, sufficient or
 * optional.  It is cut where Kafka cuts it (JaasConfig, which drives a
 * java.io.StreamTokenizer; measured with JDK 17), so whatever Kafka accepts
 * is read as Kafka reads it, or refused when a person would read it in
 * another way.  Beyond Kafka, read are: a missing last `;`, a `/` inside an
 * unquoted value (for Kafka the start of a comment), and an unquoted
 * ${provider:...} as one piece, whatever is in it.
 *
 * Nothing is copied: the value's bytes must outlive the struct jaas, and
 * offsets are into them.  Time is linear in the value, but for the sorting
 * of its options.
 *
 * Kafka puts what references stand for into the text before it reads it.  So
 * a value that is replaced, quotes and all, by a reference to it is for Kafka
 * the same text as before.
 */
struct jaas;

#define JAAS_NONE ((size_t)-1)

struct jaas_option {
	const char *class;	/* of its login module */
	size_t class_len;
	size_t module;		/* < jaas_modules */
	size_t ordinal;		/* from 1, among the modules of that class */
	const char *name;	/* without quotes */
	size_t name_len;
	size_t start;		/* of the option: its name, or the quote before it */
	size_t from, to;	/* the value, with its quotes */
	size_t inner_from, inner_to;	/* without */
	bool quoted;
	bool tight;		/* the next token follows its quotes directly: what takes their
				   place and has none needs a blank behind it */
	bool shadowed;		/* a later option of the name hides it (last wins) */
	size_t previous;	/* the option of this name that it hides, or JAAS_NONE */
};

/**
 * jaas_parse(value, n, err):
 * Take the ${n} bytes at ${value}, decoded, apart.  NULL:
 * ERROR_FORMAT: this is no JAAS, so there is nothing in it to address;
 * ERROR_REFUSED: it is one (there is a flag, or a LoginModule is named), but
 * not one that can be read in one way only, so that a part of a secret could
 * stay behind; ERROR_LIMIT, ERROR_MEMORY.  The error's text tells the column
 * in the value, counted in characters, and nothing of the value itself.
 */
struct jaas *jaas_parse(const void *value, size_t n, struct error *err);
void jaas_free(struct jaas *j);

/* Does the last login module end with its `;`? */
bool jaas_is_closed(const struct jaas *j);

/**
 * jaas_fault(j, hint):
 * What Kafka's own reader would refuse, which is read here nevertheless: a
 * missing last `;`, or a value or name without quotes that is no word for it.
 * A reference in the place of a value is none.  NULL: nothing; else the text,
 * and in ${*hint} the way out.
 */
const char *jaas_fault(const struct jaas *j, const char **hint);

/* Login modules, and options of all of them in the order of the text. */
size_t jaas_modules(const struct jaas *j);
size_t jaas_count(const struct jaas *j);
struct jaas_option jaas_option(const struct jaas *j, size_t i);

/**
 * jaas_find(j, path, len):
 * The option that `<LoginModule>/<option>` names, or JAAS_NONE.  The second
 * module of a class is written `<LoginModule>#2`, and so on; the first has no
 * number.  Everything behind the first `/` is the option.  Of several options
 * of one name it is the last, which is the one that Kafka reads.
 */
size_t jaas_find(const struct jaas *j, const char *path, size_t len);

/* The module of such a path, whether or not it has the option, or JAAS_NONE. */
size_t jaas_find_module(const struct jaas *j, const char *path, size_t len);

/* Append `<key>/<LoginModule>[#k]/<option>`, the name of option ${i}. */
void jaas_address_append(const struct jaas *j, size_t i, const char *key, size_t len,
    struct buf *out);

/**
 * jaas_insertion(j, module, name, len, value, n, at, out, err):
 * A new option of ${module} < jaas_modules: append to ${out} the text, with
 * the blanks around it, that is to be inserted at ${*at}, behind the module's
 * last option.  ${value} is written as it is: it must be quoted, or one word,
 * or a reference.  ERROR_EXISTS: the module has the option; ERROR_REFUSED: no
 * quotes make the name one word.
 */
int jaas_insertion(const struct jaas *j, size_t module, const char *name, size_t len,
    const void *value, size_t n, size_t *at, struct buf *out, struct error *err);

/**
 * jaas_removal(j, i, from, to):
 * What to take away to be rid of option ${i}: the option and the blanks
 * behind it up to the next; of a module's last option, only the option.  True:
 * nothing parts it from the word before it, so that a blank has to take its place.
 */
bool jaas_removal(const struct jaas *j, size_t i, size_t *from, size_t *to);

/* May this configuration key hold JAAS: "jaas" in any case, and not at its start? */
bool jaas_key(const char *key, size_t len);

/* Is the option's value a secret, going by its name? */
bool jaas_option_is_secret(const char *name, size_t len);

#endif /* !DOCUMENT_JAAS_H */
