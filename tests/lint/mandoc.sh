#!/bin/sh
# Every manual page is clean mdoc.
set -u
command -v mandoc >/dev/null || { echo "mandoc is not installed"; exit 77; }
# Which other pages this machine has is no fault of ours.
remarks=$(mandoc -T lint -W style man/*.[1-8] 2>&1 | grep -v -e 'mandoc\.db' -e 'referenced manual not found')
[ -z "$remarks" ] && exit 0
echo "$remarks"
exit 1
