#ifndef REGISTRY_API_OPENAPI_H
#define REGISTRY_API_OPENAPI_H

#include "registry/base/settings.h"

struct buf;

/* Append the OpenAPI 3.1 document of the routes. */
void openapi_make(struct buf *out, enum rest_compat compat);

#endif /* !REGISTRY_API_OPENAPI_H */
