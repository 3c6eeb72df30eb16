#ifndef REGISTRY_API_OPENAPI_SCHEMAS_H
#define REGISTRY_API_OPENAPI_SCHEMAS_H

#include <stdbool.h>

struct buf;

/* The JSON schemas of the OpenAPI document; all returned texts are constant. */

const char *openapi_schema_of_parameter(const char *name, bool in_path);

/* By the endpoint's name: of the request's body, of a success. */
const char *openapi_schema_of_body(const char *name);
const char *openapi_schema_of_answer(const char *name);

/* The object of the named schemas. */
void openapi_schemas_append(struct buf *out);

#endif /* !REGISTRY_API_OPENAPI_SCHEMAS_H */
