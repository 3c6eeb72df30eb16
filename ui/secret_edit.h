#ifndef UI_SECRET_EDIT_H
#define UI_SECRET_EDIT_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Typing a secret: into a secret buffer, at its end only, never drawn. */
void secret_edit_key(struct buf *b, uint32_t key);

/* How many characters there are: so many bullets. */
size_t secret_edit_length(const struct buf *b);

#endif /* !UI_SECRET_EDIT_H */
