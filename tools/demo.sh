#!/bin/sh
# Open a scratch copy of the demo estate in propseal.
#
# usage: tools/demo.sh PROGRAM
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
copy=$(mktemp -d "${TMPDIR:-/tmp}/propseal-demo.XXXXXX")
cp -R share/demo/. "$copy"
chmod -R u+rwX,go-rwx "$copy"
cd "$copy"
if [ -t 0 ] && [ -t 1 ]; then
	status=0
	"$program" . || status=$?
	echo "The demo's copy stays in $copy (its README.md has a tour); remove it when you are done."
	exit "$status"
fi
echo "There is no terminal here, so the interface was not started.  On one:"
echo "  cd $copy && $program ."
