#!/bin/sh
# cppcheck over everything that is shipped, and the fuzz targets; any remark fails.
set -u
command -v cppcheck >/dev/null || { echo "cppcheck is not installed"; exit 77; }
cppcheck --version
set -- core
[ ! -d ui ] || set -- "$@" ui
[ ! -d src ] || set -- "$@" src
[ ! -d tests/fuzz ] || set -- "$@" tests/fuzz
exec cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 -j 2 \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=normalCheckLevelMaxBranches --suppress=unknownMacro \
    -D_GNU_SOURCE -DPROPSEAL_VERSION='"0"' -Icore -Isrc -I. "$@"
