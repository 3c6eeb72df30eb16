#ifndef INTERFACE_WORKER_H
#define INTERFACE_WORKER_H

#include <stdbool.h>

struct buf;
struct error;
struct place;
struct registry_answer;
struct registry_request;

/* The thread that does the interface's requests, and its queue. */
struct worker;

/* Start one.  ${header}: the Authorization header (copied); empty: as the
 * place's files say.  ${fd}: an eventfd that is written for each answer. */
struct worker *worker_new(const struct place *p, const struct buf *header, int fd,
    struct error *err);

/* End it.  One that is in the middle of a request is left alone to end later;
 * its answer is dropped.  NULL is fine. */
void worker_end(struct worker *w);

/* How many are left alone so. */
int worker_left(void);

int worker_add(struct worker *w, unsigned long id, const struct registry_request *r,
    struct error *err);

/* The next answer, NULL for none: then the eventfd is empty too. */
struct registry_answer *worker_take(struct worker *w);

/* Drop a request.  False: it is under way, and only worker_end gets rid of it. */
bool worker_drop(struct worker *w, unsigned long id);

#endif /* !INTERFACE_WORKER_H */
