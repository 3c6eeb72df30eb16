#!/bin/sh
# Every manual page is clean mdoc, and has examples and what the environment says; no line that
# is to be typed is broken where it is shown.
set -u
command -v mandoc >/dev/null || { echo "mandoc is not installed"; exit 77; }
# Which other pages this machine has is no fault of ours.
remarks=$(mandoc -T lint -W style man/*.[1-8] 2>&1 | grep -v -e 'mandoc\.db' -e 'referenced manual not found')
for page in man/*.[1-8]; do
	for section in ENVIRONMENT EXAMPLES; do
		# More than the heading: four lines at least.
		[ "$(sed -n "/^\.Sh $section\$/,/^\.Sh/p" "$page" | wc -l)" -ge 6 ] ||
			remarks="$remarks
$page: there is no $section to speak of"
	done
done
remarks="$remarks$(python3 - man/*.[1-8] <<'END'
import re
import subprocess
import sys

for page in sys.argv[1:]:
    shown = subprocess.run(['mandoc', '-T', 'utf8', page], capture_output=True, text=True).stdout
    lines = {' '.join(l.split()) for l in re.sub('.\b', '', shown).split('\n')}
    for line in re.findall(r'^\.Dl "?(.*?)"?$', open(page).read(), re.M):
        line = line.replace('\\(aq', "'").replace('\\&', '').replace('\\e', '\\').replace('\\-', '-')
        if ' '.join(line.split()) not in lines:
            print('%s: broken where it is shown: %s' % (page, line))
END
)"
[ -z "$remarks" ] && exit 0
echo "$remarks"
exit 1
