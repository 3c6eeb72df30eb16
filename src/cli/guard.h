#ifndef GUARD_H
#define GUARD_H

struct error;

/*
 * A process that waits for the end of this one, however it ends, and then
 * does what was not done.
 */
struct guard;

/* ${last} is called with ${cookie} in the other process, which has no
 * secrets: memory for them is empty there.  NULL: ERROR_IO, ERROR_MEMORY. */
struct guard *guard_new(void (*last)(void *cookie), void *cookie,
    struct error *err);

/* It is done, or not to be done: send the other process away and free ${g}. */
void guard_dismiss(struct guard *g);

#endif /* !GUARD_H */
