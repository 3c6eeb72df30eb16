#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/**
 * text_utf8_decode(p, n, cp):
 * Decode one UTF-8 sequence from the ${n} > 0 bytes at ${p}.  Returns its
 * length and the code point, or 0 when the bytes are not valid UTF-8
 * (overlong, surrogate, above U+10FFFF, cut).
 */
size_t text_utf8_decode(const unsigned char *p, size_t n, uint32_t *cp);

/* Encode ${cp} (surrogates too, as three bytes) into ${out}; its length. */
size_t text_utf8_encode(uint32_t cp, unsigned char out[4]);

/**
 * text_invalid_length(p, n):
 * For bytes that text_utf8_decode refuses: how many of them Java's UTF-8
 * decoder replaces by one U+FFFD (measured with JDK 17).  The longest prefix
 * of a valid sequence, at least 1, as in Unicode 15, section 3.9,
 * "Substitution of Maximal Subparts", but for one thing: ED and two
 * continuation bytes (an encoded surrogate) are replaced as a whole.
 */
size_t text_invalid_length(const unsigned char *p, size_t n);

/* Is it UTF-8 from end to end? */
bool text_is_utf8(const void *bytes, size_t n);

/* Does it move the cursor, change the direction of writing, or not show? */
bool text_is_treacherous(uint32_t cp);

/**
 * text_append_visible(out, bytes, n):
 * Append for a person to read: control characters, DEL, C1, bidirectional
 * overrides and undecodable bytes become \n, \t, \xNN or \u{NNNN}, so that no
 * text can drive a terminal or hide in one.
 */
void text_append_visible(struct buf *out, const void *bytes, size_t n);

/* The same of a text of lines: line ends and tabs stay. */
void text_append_lines(struct buf *out, const void *bytes, size_t n);

/* How many of ${n} bytes, from the first on, are printable ASCII other than
 * '"' and '\\': what needs no second look in almost any text. */
size_t text_plain_length(const void *bytes, size_t n);

/**
 * text_append_json(out, bytes, n):
 * Append as a JSON string with its quotes (RFC 8259), with escapes for what is
 * treacherous.  Undecodable bytes
 * become U+FFFD as Java's decoder does; the three-byte form of a surrogate
 * (from a lone \uD800 escape) becomes the escape again.
 */
void text_append_json(struct buf *out, const void *bytes, size_t n);

/* Append percent-encoded, as one segment of a URL's path or a value of its query. */
void text_append_percent(struct buf *out, const char *text, size_t n);

/* Append as one word of a shell, in single quotes. */
void text_append_shell(struct buf *out, const char *text, size_t n);

/* Append a path as a word of a command that people copy: in quotes only where it needs them, and
 * never as a flag.  (`-` alone is standard input.) */
void text_append_word(struct buf *out, const char *path);

/* The same for a format: ${out}, or ${path} where it is too long for it. */
#define TEXT_WORD_MAX 1024
const char *text_word(const char *path, char out[TEXT_WORD_MAX]);

/*
 * What a backslash and ${letter} stand for in JSON, and the other way round:
 * the letter itself, and 0, where there is no such escape.
 */
unsigned char text_unescape_letter(unsigned char letter);
char text_escape_letter(uint32_t cp);

/* Append the escape of a character in JSON, with its letter or as \uXXXX. */
void text_append_escape(struct buf *out, uint32_t cp);
void text_append_unit(struct buf *out, uint32_t unit);

/* Is at ${p} the three-byte form of half a surrogate pair?  And what it is. */
bool text_is_half(const unsigned char *p, size_t n);
uint32_t text_half(const unsigned char *p);

/*
 * Are at ${p}, where a half is, both halves side by side?  They can only come
 * from bytes that do not decode: as escapes they would be read as a pair.
 */
bool text_is_split_pair(const unsigned char *p, size_t n);

/* A word (ASCII, lower case) that is looked for often. */
struct text_word {
	const char *word;
	size_t len;
	char rare;		/* its letter that texts have least */
};

/* Where the word stands last in the bytes, in any ASCII case; ${n}: nowhere. */
size_t text_find_word(const void *bytes, size_t n, const struct text_word *w);

/* Is ${needle} (ASCII, lower case) in the bytes, in any ASCII case? */
bool text_contains_nocase(const void *bytes, size_t n, const char *needle);

/* Is it one of ${count} words, byte by byte? */
bool text_is_one_of(const void *bytes, size_t n, const char *const words[], size_t count);

/* The order of two byte strings: as of memcmp, and a beginning comes before the whole. */
int text_compare(const void *a, size_t n, const void *b, size_t m);

/* A copy with a NUL behind it, whatever bytes there are.  NULL: no memory.  The caller frees. */
char *text_copy(const void *bytes, size_t n);

/* Only Unicode white space (Go's strings.TrimSpace set), or nothing at all. */
bool text_is_blank(const void *bytes, size_t n);

/*
 * Shell patterns over byte strings: `*` any run, `?` one character (UTF-8; a
 * byte that does not decode counts as one), `[a-z]`, `[!a-z]` one of a set of
 * ASCII characters, `\x` the character x itself.  A `[` without its `]` is
 * an ordinary character.  Time is at most the product of both lengths.
 */
#define GLOB_NOCASE 1U	/* ASCII letters match in either case */
#define GLOB_PATH 2U	/* `*`, `?` and sets do not match a `/` */

/* Does the pattern match all of the ${n} bytes? */
bool glob_match(const char *pattern, const void *text, size_t n, unsigned int flags);

/* Has it any of the special characters? */
bool glob_is_pattern(const char *pattern);

/* Of ASCII, whatever the locale is. */
static inline bool
ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* What stands between the words of a line; its end may be \r\n. */
static inline bool
ascii_is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static inline bool
ascii_is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
ascii_is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
ascii_is_letter(int c)
{
	return ascii_is_lower(c) || ascii_is_upper(c);
}

static inline bool
ascii_is_alnum(int c)
{
	return ascii_is_letter(c) || ascii_is_digit(c);
}

static inline char
ascii_lower(char c)
{
	return ascii_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

#endif /* !BASE_TEXT_H */
