#ifndef REGISTRY_AUDIT_AUDIT_SINK_SYSLOG_H
#define REGISTRY_AUDIT_AUDIT_SINK_SYSLOG_H

#include <stdatomic.h>
#include <stddef.h>

struct error;

#define AUDIT_SYSLOG_SOCKET "/dev/log"

/* Lines to the system's log, one datagram each, as syslog(3) sends them but
 * with failures noticed.  Facility authpriv, severity info. */
struct audit_sink_syslog {
	const char *path;	/* of the socket */
	int fd;			/* -1: not connected */
	const atomic_bool *stop;
};

void audit_sink_syslog_init(struct audit_sink_syslog *s, const char *path,
    const atomic_bool *stop);
void audit_sink_syslog_release(struct audit_sink_syslog *s);

/* Connect unless connected. */
int audit_sink_syslog_ready(struct audit_sink_syslog *s, struct error *err);

/* ${bytes} are whole lines. */
int audit_sink_syslog_write(struct audit_sink_syslog *s, const void *bytes, size_t n,
    struct error *err);

#endif /* !REGISTRY_AUDIT_AUDIT_SINK_SYSLOG_H */
