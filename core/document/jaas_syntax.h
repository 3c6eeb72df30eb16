#ifndef DOCUMENT_JAAS_SYNTAX_H
#define DOCUMENT_JAAS_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "document/jaas.h"

/*
 * What jaas_parse.c finds, jaas_places.c sorts, and jaas.c answers from.
 * Offsets fit 32 bits.
 */

struct jaas_module {
	uint32_t class;
	uint32_t class_len;
	uint32_t ordinal;
	uint32_t end;		/* of its last token but the `;` */
};

struct jaas_item {
	uint32_t module;
	uint32_t name;
	uint32_t name_len;
	uint32_t start;
	uint32_t from;
	uint32_t to;
	uint32_t previous;	/* 1 + the option, 0: none */
	bool shadowed;
};

/* A module by its class, or an option by its module and name. */
struct jaas_place {
	const unsigned char *name;
	uint32_t len;
	uint32_t group;		/* the option's module, 0 for a module */
	uint32_t index;
};

struct jaas {
	const unsigned char *p;
	size_t n;
	struct vec modules;	/* struct jaas_module */
	struct vec items;	/* struct jaas_item */
	struct jaas_place *by_class;	/* modules.len of them, sorted */
	struct jaas_place *by_name;	/* items.len */
};

/* As Kafka sets up its tokenizer: all control characters are blanks. */
static inline bool
jaas_is_blank(unsigned char c)
{
	return c <= ' ';
}

static inline bool
jaas_is_quote(unsigned char c)
{
	return c == '"' || c == '\'';
}

static inline bool
jaas_is_line_end(unsigned char c)
{
	return c == '\n' || c == '\r';
}

/* Fill by_class and by_name, and what follows from them.  -1: no memory. */
int jaas_places_sort(struct jaas *j);

/* Of ${n} places, the first of the name, where it is or would be; with
 * ${behind}, the first behind it. */
size_t jaas_places_search(const struct jaas_place *x, size_t n, size_t group, const char *name,
    size_t len, bool behind);
bool jaas_places_is_named(const struct jaas_place *x, size_t group, const char *name, size_t len);

#endif /* !DOCUMENT_JAAS_SYNTAX_H */
