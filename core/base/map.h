#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16	/* bytes */

/*
 * SipHash-1-3, 64 bits: one round a word and three at the end, otherwise as
 * in https://www.aumasson.jp/siphash/siphash.pdf.  To tell values apart within
 * a process, as hash tables do; never for what leaves it.
 */
uint64_t siphash_13(const unsigned char key[SIPHASH_KEY], const void *bytes,
    size_t n);

/* The key of this process's tables, random; -1: there is none to be had. */
int siphash_seed(unsigned char key[SIPHASH_KEY]);

/*
 * A hash table from byte strings to numbers, for indexes into arrays.  Keys
 * are not copied: they must outlive the map.  The hash is SipHash-1-3 with a
 * key that nobody knows (siphash_seed), so that a hostile file cannot make
 * look-ups slow.
 */
struct map;

struct map *map_new(void);
void map_free(struct map *m);

/* Set ${key}'s value, replacing an older one.  -1: no memory. */
int map_put(struct map *m, const void *key, size_t len, size_t value);

/* Where the value of ${key} is kept, 0 if there was none: valid until the next key is put.
 * NULL: no memory. */
size_t *map_value(struct map *m, const void *key, size_t len);

/* Fetch a value; false when the key is not there. */
bool map_get(const struct map *m, const void *key, size_t len, size_t *value);

size_t map_count(const struct map *m);

#endif /* !BASE_MAP_H */
