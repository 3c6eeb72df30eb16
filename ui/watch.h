#ifndef UI_WATCH_H
#define UI_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct estate;
struct scope;
struct vec;
struct watch;

/*
 * What other programs do to the files that are shown: told by inotify in the folders that were
 * searched, and where that cannot tell (a file system of the network, no more watches, what a
 * link leads to), by looking at their times of change every few seconds.
 */

/* ${may_ask}: inotify may be asked.  NULL: ERROR_MEMORY. */
struct watch *watch_new(bool may_ask, struct error *err);
void watch_free(struct watch *w);

/* Can be read when watch_read is due; -1: never. */
int watch_fd(const struct watch *w);

/* From now on for these files.  The estate, and what it is made of, must stay as it is until
 * this is called again.  Without memory there is less that is told. */
void watch_follow(struct watch *w, const struct estate *e, const struct scope *scope);

/* Take what inotify tells. */
void watch_read(struct watch *w);

/* When watch_tick is due, on clock_ms's clock; 0: not now. */
uint64_t watch_until(const struct watch *w);

/**
 * watch_tick(w, now, changed):
 * When it is due: append to ${changed} (of char *, which the caller frees) the files
 * of the estate that are others now.  True: files came, went or were renamed, or
 * there are too many, so that all must be looked for again.
 */
bool watch_tick(struct watch *w, uint64_t now, struct vec *changed);

#endif /* !UI_WATCH_H */
