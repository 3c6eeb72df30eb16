#ifndef REGISTRY_API_HELPER_H
#define REGISTRY_API_HELPER_H

struct error;
struct exchange;

/* One thread for what would hold an event thread up: files that are written
 * and synced, an audit log that is read through, a backup. */
struct helper;

/* While nothing is to be done, ${tick} is called every few seconds. */
struct helper *helper_new(void (*tick)(void *cookie), void *cookie, struct error *err);

/* Does what is still waiting first. */
void helper_free(struct helper *h);

/* Have ${work}(x) done on the helper's thread, then ${done}(x) on the
 * request's.  Answered with 503 when too much is waiting. */
void helper_run(struct exchange *x, void (*work)(struct exchange *x),
    void (*done)(struct exchange *x));

#endif /* !REGISTRY_API_HELPER_H */
