#ifndef UI_MARKS_H
#define UI_MARKS_H

#include <stdbool.h>
#include <stddef.h>

/* The entries that the user marked, by path and key: the pending set. */
struct marks;

struct marks *marks_new(void);
void marks_free(struct marks *m);

bool marks_has(const struct marks *m, const char *path, const char *key, size_t len);

/* Mark or unmark.  -1: no memory. */
int marks_set(struct marks *m, const char *path, const char *key, size_t len, bool on);

void marks_clear(struct marks *m);
size_t marks_count(const struct marks *m);

#endif /* !UI_MARKS_H */
