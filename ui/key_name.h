#ifndef UI_KEY_NAME_H
#define UI_KEY_NAME_H

#include <stddef.h>
#include <stdint.h>

#define KEY_NAME_MAX 16

/* A key's name for people, such as "Space", "^L", "w". */
const char *key_name_of(uint32_t key, char name[KEY_NAME_MAX]);

/* The key of a name (${n} bytes; words and ^x in any case), 0 for none. */
uint32_t key_name_parse(const char *name, size_t n);

#endif /* !UI_KEY_NAME_H */
