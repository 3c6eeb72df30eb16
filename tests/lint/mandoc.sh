#!/bin/sh
# Every manual page is clean mdoc, and has examples and what the environment says.
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
[ -z "$remarks" ] && exit 0
echo "$remarks"
exit 1
