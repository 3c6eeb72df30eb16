#ifndef REGISTRY_LOG_LOG_SQLITE_H
#define REGISTRY_LOG_LOG_SQLITE_H

struct error;
struct log;

/**
 * log_sqlite_open(path, err):
 * The embedded store: one SQLite file, 0600, WAL, synchronous=FULL,
 * secure_delete, held exclusively for as long as it is open; compacted at
 * once (a replaced or tombstoned record is deleted).  quick_check is run.
 * NULL: ERROR_BUSY (another process has it), ERROR_DAMAGED (not ours, or
 * corrupt), ERROR_IO.
 */
struct log *log_sqlite_open(const char *path, struct error *err);

#endif /* !REGISTRY_LOG_LOG_SQLITE_H */
