#ifndef ROTATION_SERVICE_H
#define ROTATION_SERVICE_H

#include <stdbool.h>

struct environment;
struct estate_file;

/* Services that read configurations, in the order in which they are restarted. */
enum rotation_service {
	SERVICE_CONTROLLER, SERVICE_BROKER, SERVICE_REGISTRY, SERVICE_CONNECT, SERVICE_KSQL,
	SERVICE_REST, SERVICE_CENTER, SERVICE_OTHER, SERVICES
};

/* For people: "brokers". */
const char *rotation_service_name(enum rotation_service s);

/* Whose configuration is the file at ${path}?  A word of the path says so; of a controller it is
 * read. */
enum rotation_service rotation_service_of(const char *path);

/* Is ${f} a configuration that refers to ${x}, alone or beside others?  NULL: to any. */
bool rotation_service_reads(const struct estate_file *f, const struct environment *x);

#endif /* !ROTATION_SERVICE_H */
