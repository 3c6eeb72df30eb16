#ifndef REGISTRY_AUDIT_AUDIT_SINK_FILE_H
#define REGISTRY_AUDIT_AUDIT_SINK_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_sink_file;
struct error;

/* The file that the lines go to: 0600, ours alone (flock). */

/* ${stop} ends a wait for something that is not a file and takes nothing. */
struct audit_sink_file *audit_sink_file_new(const char *path, const atomic_bool *stop,
    struct error *err);
void audit_sink_file_free(struct audit_sink_file *s);

/**
 * audit_sink_file_ready(s, err):
 * Is FILE still the one that is open?  If it was moved or removed, another is
 * made (as after a failure to make one).  1: this is another file than before;
 * 0: it is not; -1: there is nothing to write to.
 */
int audit_sink_file_ready(struct audit_sink_file *s, struct error *err);

/* How lines become durable. */
enum audit_sync {
	AUDIT_CARRIED,		/* whoever they are for sees to it */
	AUDIT_DURABLE,		/* in the journal, see audit_journal.h */
	AUDIT_SYNCED		/* in the file itself, with all that was written before */
};

/**
 * audit_sink_file_write(s, bytes, n, how, standing, err):
 * Append whole lines.  When that fails the file is cut
 * back to what it was; where it cannot be, ${*standing} is the bytes of the
 * whole lines that stand there now (else 0), and see audit_sink_file_torn.  If
 * FILE was removed meanwhile the bytes are written once more, to a new one.
 */
int audit_sink_file_write(struct audit_sink_file *s, const void *bytes, size_t n,
    enum audit_sync how, size_t *standing, struct error *err);

/* What the journal holds (${*n} bytes, to be freed), lines of FILE among it. */
char *audit_sink_file_journal(const struct audit_sink_file *s, size_t *n, struct error *err);

/* Sync what is not yet; and is there none? */
int audit_sink_file_sync(struct audit_sink_file *s, struct error *err);
bool audit_sink_file_synced(const struct audit_sink_file *s);

/* Sync the next lines, whatever they need: there may be copies, in the journal
 * or carried, of others that were sealed in their place and do not stand here.
 * Once these are synced, those do not continue the chain any more. */
void audit_sink_file_must_sync(struct audit_sink_file *s);

/* Bytes that stand behind the last whole line and could not be cut off, with
 * the line end that audit_sink_file_ready puts there.  Set what was found at
 * start, or 0 once a line tells of it. */
uint64_t audit_sink_file_torn(const struct audit_sink_file *s);
void audit_sink_file_set_torn(struct audit_sink_file *s, uint64_t bytes);

/* Cut what stands behind the last whole line; -1: it cannot be. */
int audit_sink_file_cut_torn(struct audit_sink_file *s);

/* Is there room for ${n} bytes more?  Sets them aside where that can be done. */
int audit_sink_file_room(struct audit_sink_file *s, size_t n, struct error *err);

/* Bytes in the file; 0 for what is not a regular file. */
uint64_t audit_sink_file_size(const struct audit_sink_file *s);

/* Move FILE to ${name}, which must be free, and begin a new one. */
int audit_sink_file_move(struct audit_sink_file *s, const char *name, struct error *err);

/* For reading what is there; -1: it is not a regular file. */
int audit_sink_file_fd(const struct audit_sink_file *s);

#endif /* !REGISTRY_AUDIT_AUDIT_SINK_FILE_H */
