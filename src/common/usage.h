#ifndef USAGE_H
#define USAGE_H

struct buf;
struct command;

/* Append the usage line of ${c}, or of the program for NULL. */
void usage_line(const struct command *c, struct buf *out);

/* Append all that there is to say about a command. */
void usage_command(const struct command *c, struct buf *out);

/* Append the commands of a group (NULL: the whole program's help). */
void usage_group(const char *group, struct buf *out);

#endif /* !USAGE_H */
