#!/bin/sh
# Run a unit test under valgrind: a wrong access or an undefined value fails it.
# Leaks are for the sanitizers: here a forked child would be blamed for all that
# its parent holds.
exec valgrind -q --error-exitcode=99 --leak-check=no --child-silent-after-fork=yes "$@"
