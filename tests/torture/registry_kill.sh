#!/bin/sh
# Kill the Secret Registry in a load of writes, over and over.
#
# usage: tests/torture/registry_kill.sh PROGRAM
#
# ROUNDS is the number of kills (200).  Each kill is one test.
set -u
here=$(dirname "$0")
program=${1:?usage: $0 PROGRAM}
case $program in
/*) ;;
*) program=$PWD/$program ;;
esac
PROPSEAL=$program exec python3 -B "$here/lib/registry_kill.py" "${ROUNDS:-200}"
