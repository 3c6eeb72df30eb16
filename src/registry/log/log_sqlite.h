#ifndef REGISTRY_LOG_LOG_SQLITE_H
#define REGISTRY_LOG_LOG_SQLITE_H

struct error;
struct log;

/**
 * log_sqlite_open(path, err):
 * The embedded store: one SQLite file, 0600, WAL, synchronous=FULL,
 * secure_delete, held exclusively for as long as it is open; compacted at
 * once (a replaced or tombstoned record is deleted and zeroed; its bytes can
 * stay in the -wal file until that is written over or the log is freed).
 * quick_check is run, and every key is read.  A missing file is made.
 * NULL: ERROR_BUSY (another process has it), ERROR_DAMAGED (not ours, or
 * corrupt), ERROR_REFUSED (hard links, or a newer format), ERROR_IO.  A file
 * that is refused is not changed.
 */
struct log *log_sqlite_open(const char *path, struct error *err);

#endif /* !REGISTRY_LOG_LOG_SQLITE_H */
