#!/bin/sh
# Every shell script of the tree.
set -u
command -v shellcheck >/dev/null || { echo "shellcheck is not installed"; exit 77; }
find .ci tools tests share -type f \( -name '*.sh' -o -path .ci/run \) \
    -exec shellcheck -S warning {} +
