#ifndef REGISTRY_API_WITNESS_H
#define REGISTRY_API_WITNESS_H

struct api;

/* See to it that every change is on record together with what it changes: each
 * store_op that is submitted must be that of a change (change.h). */
void witness_begin(struct api *a);

#endif /* !REGISTRY_API_WITNESS_H */
