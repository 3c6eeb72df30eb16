#ifndef DISPATCH_H
#define DISPATCH_H

/* Find the command of a command line and run it: the exit status. */
int dispatch_run(int argc, char **argv);

#endif /* !DISPATCH_H */
