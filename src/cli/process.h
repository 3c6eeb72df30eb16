#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

/*
 * What the process sets up for itself, and gives back to the commands that
 * it runs.
 */

/* Call once, first: standard descriptors that were closed are taken, no core
 * files, as many open files as allowed, new files for the owner only, and
 * writing to a closed pipe is an error and no signal. */
void process_begin(void);

/**
 * process_restore(all):
 * In a child, before it executes another program: what process_begin found.
 * With ${all} false the file mask and the ban of core files stay, for a
 * program that gets secrets from us and has no say in it.
 */
void process_restore(bool all);

#endif /* !PROCESS_H */
