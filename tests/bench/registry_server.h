#ifndef REGISTRY_SERVER_H
#define REGISTRY_SERVER_H

#include <sys/types.h>

/* A certificate for 127.0.0.1 and its key, as PEM files. */
void registry_certificate(const char *certificate, const char *key);

/* Make ${folder} and in it the user bench, password bench-password, who may do
 * everything. */
void registry_prepare(const char *program, const char *folder);

/* A registry on a prepared folder with ${threads} event threads; ${tls} 0:
 * plain; ${more}: further lines of its settings.  Returns once it listens. */
pid_t registry_start(const char *program, const char *folder, const char *certificate,
    const char *key, unsigned threads, int tls, const char *more, int *port);

/* User and system time of a process and its threads, ms; memory in use, MiB. */
double registry_cpu(pid_t pid);
double registry_memory(pid_t pid);

void registry_stop(pid_t pid);

#endif /* !REGISTRY_SERVER_H */
