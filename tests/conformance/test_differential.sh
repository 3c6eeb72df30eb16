#!/bin/sh
# The reference's commands with its defaults do what it did, as recorded.
JUDGE=differential.py exec "$(dirname "$0")/test_format.sh"
