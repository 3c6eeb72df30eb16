#ifndef SECRETS_INSPECT_H
#define SECRETS_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

struct document;
struct document_format;
struct error;
struct rules;
struct secrets_file;
struct vec;

/*
 * What a configuration says other than whoever wrote it meant, so that a
 * secret stands where no rule by its key finds it, or the service reads
 * something else.  No text here holds a byte of a value.
 */
enum remark_level {
	REMARK_PART,	/* what a REMARK_CUT before it left behind: to be hidden, not told */
	REMARK_NOTE,	/* the service reads it, though perhaps not as it was meant */
	REMARK_WRONG,	/* the service does not read it */
	REMARK_CUT	/* a secret would stay in clear text: nothing here is to be sealed */
};

struct remark {
	enum remark_level level;
	const char *kind;	/* a stable word for machines */
	size_t entry;		/* DOCUMENT_NONE: it is about the file */
	size_t line;		/* of the cause */
	bool hides_value;	/* the value holds a secret, */
	bool hides_key;		/* and so does the key */
	const char *text;
	const char *hint;
};

/**
 * inspect_document(r, d, s, remarks, err):
 * Append to ${remarks} (a vector of struct remark) what there is to say of
 * the configuration ${d}, in the order of its entries.  With an unlocked
 * secrets file ${s} (else NULL) JAAS is looked at as Kafka does, with what its
 * references stand for.  ERROR_MEMORY.
 */
int inspect_document(const struct rules *r, const struct document *d,
    const struct secrets_file *s, struct vec *remarks, struct error *err);

/* The same, but of values only that they are cut: for who asks which keys are hidden. */
int inspect_cuts(const struct rules *r, const struct document *d, struct vec *remarks,
    struct error *err);

/* The remark for which entry ${i} is hidden, or NULL.  ${*at}, 0 at first, is
 * where to go on: it is asked for the entries in their order. */
const struct remark *inspect_hidden(const struct vec *remarks, size_t *at, size_t i);

/* Does the value of entry ${i} go on behind it, in lines that are read as
 * other entries?  ${*out}: the remark. */
bool inspect_is_cut(const struct rules *r, const struct document *d, size_t i,
    struct remark *out);

/* The kind of the remark on a byte order mark before the first key, of which it becomes a part. */
#define INSPECT_BYTE_ORDER_MARK "byte-order-mark"

/* And of the one on a password in a comment of JAAS, which stays when the options are sealed. */
#define INSPECT_JAAS_COMMENT "jaas-comment"

/* Does a `${` in the value that is not closed make text of a reference of ours? */
bool inspect_is_unclosed_ours(const void *value, size_t n);

/* Is the value the beginning of a reference, to whatever provider, and no more? */
bool inspect_is_unclosed_reference(const void *value, size_t n);

/* What the value is, if it stands for one that is yet to be filled in, or that another
 * tool puts there (value.h), or NULL.  A reference of Kafka's is none. */
const char *inspect_placeholder(const void *value, size_t n);

/* $NAME of a shell, which may as well be a password. */
bool inspect_is_variable(const void *value, size_t n);

/* Why entry ${i} with this value is left as it is unless somebody names it: a placeholder,
 * null, or a parameter of a config provider.  NULL: it is not. */
const char *inspect_why_left(const struct document *d, size_t i, const void *value, size_t n);

/* Is it a parameter of a config provider?  Kafka resolves no references in
 * those: the provider is made with the value as it stands. */
bool inspect_is_provider_parameter(const struct document *d, size_t i);
bool inspect_names_provider_parameter(const struct document_format *f, const char *key,
    size_t len);

/* Whose file this is, if it is one that knows no config providers (log4j,
 * librdkafka, ZooKeeper), or NULL. */
const char *inspect_foreign(const struct document *d);

/* Two configurations, entry by entry as their reader sees them. */

enum compare_result {
	COMPARE_SAME,		/* the same text */
	COMPARE_FORM,		/* equal once references are resolved */
	COMPARE_DIFFERENT,
	COMPARE_UNKNOWN,	/* there is a reference that could not be resolved */
	COMPARE_ONLY_A,
	COMPARE_ONLY_B
};

/* The word for machines: same, equal, different, unknown, only-a, only-b. */
const char *compare_name(enum compare_result r);

struct compare_entry {
	const char *key;
	size_t len;
	size_t a;	/* the winning entry in each, or DOCUMENT_NONE */
	size_t b;
	enum compare_result result;
};

/* What resolves references of ours. */
struct compare_sides {
	const struct secrets_file *s;	/* on both sides, when it is unlocked; NULL: */
	const struct resolver *a, *b;	/* on each; NULL: nothing does.  ERROR_MISSING: not now */

	/* Do the references of a text mean the same on both sides?  1, 0, -1; NULL: they do. */
	int (*alike)(void *cookie, const char *value, size_t n, struct error *err);
	void *cookie;
};

/**
 * compare_documents(a, b, sides, each, cookie, err):
 * Call ${each} for every key of either, those of ${a} first, in the order of
 * the files.  A call that returns other than 0 ends it, as does ERROR_MEMORY.
 */
int compare_documents(const struct document *a, const struct document *b,
    const struct compare_sides *sides,
    int (*each)(void *cookie, const struct compare_entry *e, struct error *err),
    void *cookie, struct error *err);

#endif /* !SECRETS_INSPECT_H */
