#!/bin/sh
# Open a scratch copy of the demo estate, the folder of this script, in propseal.
#
# usage: share/demo/demo.sh [PROGRAM]     PROGRAM: propseal, the one that is installed
set -eu
program=$(command -v "${1:-propseal}") || { echo "there is no ${1:-propseal}"; exit 1; }
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
copy=$(mktemp -d "${TMPDIR:-/tmp}/propseal-demo.XXXXXX")
cp -R "$(dirname "$0")/." "$copy"
rm "$copy/demo.sh" "$copy/script.sh"
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
