#!/bin/sh
# Every shell script of the tree.
set -u
command -v shellcheck >/dev/null || { echo "shellcheck is not installed"; exit 77; }
find .ci tests share -type f \( -name '*.sh' -o -path .ci/run \) -print0 |
	xargs -0 -n 6 -P "$(getconf _NPROCESSORS_ONLN)" shellcheck -x -S warning
