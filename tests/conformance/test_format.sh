#!/bin/sh
# The format of secrets files, judged by an implementation that is not ours.
set -u
here=$(cd "$(dirname "$0")" && pwd)
for python in python3 /usr/bin/python3; do
	if "$python" -c 'import cryptography' 2>/dev/null; then
		PYTHONDONTWRITEBYTECODE=1 exec "$python" "$here/${JUDGE:-judge.py}" \
		    "${PROPSEAL:-$here/../../build/propseal}"
	fi
done
echo "the cryptography package of python3 is not installed"
exit 77
