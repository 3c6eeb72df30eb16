#ifndef REGISTRY_API_INTERNAL_H
#define REGISTRY_API_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "registry/api/api.h"
#include "registry/api/thread.h"
#include "registry/api/watch.h"

struct audit_commit;
struct helper;
struct http_server;

/* What the api's parts share. */
struct api {
	struct api_parts parts;
	struct http_server *_Atomic server;	/* NULL until it is told */
	atomic_bool draining;
	struct helper *helper;
	struct audit_commit *commit;	/* the store's writer's, while it writes */
	struct watch_list watches;
	struct buf openapi;		/* the document, made once */
	unsigned thread_count;
	struct api_thread threads[];
};

#endif /* !REGISTRY_API_INTERNAL_H */
