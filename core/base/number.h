#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Numbers and bytes as text, and back.  For buffers that take no printf, and where that is slow. */

#define NUMBER_TEXT 21		/* room for any number, with its sign or a NUL */

/* The digits of ${n} to ${out}, without a NUL; how many there are. */
size_t number_text(uint64_t n, char out[NUMBER_TEXT]);

void number_append(struct buf *out, uint64_t n);
void number_append_signed(struct buf *out, int64_t n);

/**
 * number_parse(text, n, max, out):
 * The ${n} characters at ${text}, all of them digits, without a sign and
 * at most ${max}.  False: they are none of that (${*out} is as before).
 */
bool number_parse(const char *text, size_t n, uint64_t max, uint64_t *out);

/* The value of a hexadecimal digit of either case, or -1. */
int hex_digit(unsigned char c);

/* What four digits at ${p} stand for, or -1. */
int32_t hex_four(const unsigned char *p);

/* The 2 * ${n} digits (lower case) of ${n} bytes, without a NUL. */
void hex_text(const void *bytes, size_t n, char *out);
void hex_append(struct buf *out, const void *bytes, size_t n);

/* The ${digits} lowest digits of ${value}. */
void hex_append_number(struct buf *out, uint64_t value, unsigned int digits);

/**
 * hex_parse(text, n, out):
 * The ${n} bytes that 2 * ${n} digits at ${text} stand for.  False: there is another
 * character.  Takes the same time whatever the digits are: they may be a key.
 */
bool hex_parse(const char *text, size_t n, void *out);

/* The same only as hex_text writes it: so many bytes have one text. */
bool hex_parse_lower(const char *text, size_t n, void *out);

#endif /* !BASE_NUMBER_H */
