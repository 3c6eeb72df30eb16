#ifndef SHOW_TABLE_H
#define SHOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "secrets/state.h"

struct document;

/* One line of `file show`. */
struct show_entry {
	const char *key;
	size_t key_len;
	size_t line;
	enum entry_state state;
	bool sensitive;
	bool masked;		/* the value is not to be shown */
};

/* The output of `file show`: an aligned table, or JSON. */
struct show_table {
	bool json;
	size_t key_width;
	size_t line_width;
	size_t entries;
	size_t counts[STATE_DAMAGED + 1];
	size_t clear_secrets;	/* plain and sensitive */
	struct buf out;		/* secret */
};

void show_table_init(struct show_table *t, bool json);
void show_table_release(struct show_table *t);

/* ${d} is what is shown: its name, its format, the widths of its columns. */
void show_table_begin(struct show_table *t, const struct document *d);
void show_table_add(struct show_table *t, const struct show_entry *e,
    const struct buf *value);
void show_table_end(struct show_table *t);

#endif /* !SHOW_TABLE_H */
