#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf;
struct error;

/*
 * The writer of JSON (RFC 8259): quotes, escapes, commas, nesting and layout
 * are its own.  It allocates nothing but what the buffer takes, which may be
 * a secret one, and never looks at what it wrote: the caller may send and
 * clear the buffer between two calls.
 *
 * Every value takes the ${key} of the member that it is, or NULL in an array
 * and for a text's outermost value.  Several outermost values follow each
 * other without anything between: json_out_finish ends each with a newline.
 *
 * Failure is sticky and the buffer's (buf.h): a run of calls needs one check
 * at its end.  A member without a key, a key in an array, a value too deep or
 * an end of nothing is a fault of the caller and fails the buffer too.
 */
#define JSON_OUT_DEPTH 80

/* How a compact text has a member's name, for readers that compare its bytes. */
#define JSON_NAME(name) "\"" name "\":"

struct json_out {
	struct buf *out;
	unsigned int depth;		/* of containers that are open */
	bool pretty;
	bool hides;			/* see json_out_hide */
	bool breaks;			/* the next item begins a line */
	unsigned char open[JSON_OUT_DEPTH];
};

/* Write into ${out}, compact: {"a":1,"b":[2,3]}. */
void json_out_init(struct json_out *o, struct buf *out);

/* From now on for people: an item a line, indented by two, "a": 1. */
void json_out_pretty(struct json_out *o);

/*
 * From now on texts escape whatever does not show or turns the direction of
 * writing too (C1, U+2028, U+202E, U+FEFF ...), and U+0000 becomes U+FFFD, as
 * the lines of an audit log want it.
 */
void json_out_hide(struct json_out *o);

/*
 * What the functions below call, with the length of a key that needs no escape
 * or JSON_OUT_SEEK, to look for that.  Of a literal the compiler knows it, which
 * spares a third of what a short member costs.
 */
#define JSON_OUT_SEEK SIZE_MAX
#define JSON_OUT_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

void json_out_put_object(struct json_out *o, const char *key, size_t len);
void json_out_put_array(struct json_out *o, const char *key, size_t len);
void json_out_put_text(struct json_out *o, const char *key, size_t len, const void *bytes,
    size_t n);
void json_out_put_number(struct json_out *o, const char *key, size_t len, bool negative,
    uint64_t n);
void json_out_put_raw(struct json_out *o, const char *key, size_t len, const void *json, size_t n);

static inline size_t
json_out_length(const char *key)
{
	if (!__builtin_constant_p(key != NULL ? strspn(key, JSON_OUT_PLAIN) : 0) || key == NULL)
		return JSON_OUT_SEEK;
	return key[strspn(key, JSON_OUT_PLAIN)] == '\0' ? strlen(key) : JSON_OUT_SEEK;
}

static inline void
json_out_object(struct json_out *o, const char *key)
{
	json_out_put_object(o, key, json_out_length(key));
}

static inline void
json_out_array(struct json_out *o, const char *key)
{
	json_out_put_array(o, key, json_out_length(key));
}

/* An array with a line for each of its elements, which are compact. */
void json_out_rows(struct json_out *o, const char *key);

/* An array on one line although the rest is pretty: ["a", "b"]. */
void json_out_list(struct json_out *o, const char *key);

/* End the innermost object or array. */
void json_out_end(struct json_out *o);

/* The next item begins a line, where the layout would not have it so. */
void json_out_break(struct json_out *o);

/* ${json} is one value as JSON already; it goes over as it is. */
static inline void
json_out_raw_n(struct json_out *o, const char *key, const void *json, size_t n)
{
	json_out_put_raw(o, key, json_out_length(key), json, n);
}

static inline void
json_out_raw(struct json_out *o, const char *key, const char *json)
{
	json_out_put_raw(o, key, json_out_length(key), json, strlen(json));
}

static inline void
json_out_bool(struct json_out *o, const char *key, bool yes)
{
	json_out_put_raw(o, key, json_out_length(key), yes ? "true" : "false", yes ? 4 : 5);
}

static inline void
json_out_null(struct json_out *o, const char *key)
{
	json_out_put_raw(o, key, json_out_length(key), "null", 4);
}

/* ${text} NULL: null.  Bytes that are not UTF-8 become as text_append_json says. */
static inline void
json_out_text_n(struct json_out *o, const char *key, const void *bytes, size_t n)
{
	json_out_put_text(o, key, json_out_length(key), bytes, n);
}

static inline void
json_out_text(struct json_out *o, const char *key, const char *text)
{
	if (text == NULL)
		json_out_null(o, key);
	else
		json_out_text_n(o, key, text, strlen(text));
}

void json_out_textf(struct json_out *o, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));	/* at most 1023 bytes; no secret */

static inline void
json_out_int(struct json_out *o, const char *key, int64_t n)
{
	json_out_put_number(o, key, json_out_length(key), n < 0,
	    n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static inline void
json_out_uint(struct json_out *o, const char *key, uint64_t n)
{
	json_out_put_number(o, key, json_out_length(key), false, n);
}

/* 0, or -1 with the reason: the buffer failed, or a container is still open. */
int json_out_check(const struct json_out *o, struct error *err);

/* The same behind a newline, which ends the text. */
int json_out_finish(struct json_out *o, struct error *err);

#endif /* !BASE_JSON_OUT_H */
