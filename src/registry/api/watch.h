#ifndef REGISTRY_API_WATCH_H
#define REGISTRY_API_WATCH_H

#include <pthread.h>

struct watch;

/* The requests that wait for changes. */
struct watch_list {
	pthread_mutex_t lock;
	struct watch *first;
};

int watch_list_init(struct watch_list *l);

/* After the server has ended. */
void watch_list_release(struct watch_list *l);

/* Let all of them go now.  From any thread. */
void watch_list_drain(struct watch_list *l);

#endif /* !REGISTRY_API_WATCH_H */
