#ifndef REGISTRY_SERVICE_RECORDS_H
#define REGISTRY_SERVICE_RECORDS_H

#include <stdbool.h>

struct database;
struct error;
struct service_records;
struct store;

/*
 * Users, tokens, bindings and roles of a node whose log is a topic: what the files of
 * the data folder say until the first node to lead, of those that have such files, has
 * taken them over; records of the topic from then on, on all nodes.
 */

/* ${data} and ${s} must last.  The reads and changes of data_file.h go through it from
 * here to records_end. */
struct service_records *records_begin(const char *data, struct store *s, struct error *err);
void records_end(struct service_records *r);

/* Look whether the files are due to be taken over again: at a SIGHUP. */
void records_due(struct service_records *r);

/* To be called each second.  1: the files were taken over; 0; -1: they could not be, and
 * this is not told again before it goes. */
int records_step(struct service_records *r, struct error *err);

/* Write what the database has into the files, and begin to go by them. */
int records_to_files(const char *data, struct database *d, struct error *err);

#endif /* !REGISTRY_SERVICE_RECORDS_H */
