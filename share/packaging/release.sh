#!/bin/bash
# A release: the packages twice, in two folders, and what they are worth.
#
# usage: share/packaging/release.sh OUT VERSION [SUITE...]     (by `make release`)
#
# OUT gets what package.sh makes.  They are made once more from the last commit
# in another folder, and have to be the same bytes.  lintian and rpmlint may say
# what is listed here, with its reason, and nothing else.  For each SUITE
# (bookworm) the .deb is tried in a fresh root (try.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: release.sh OUT VERSION [SUITE...]} version=${2:?usage: release.sh OUT VERSION [SUITE...]}
shift 2
[ $# -gt 0 ] || set -- bookworm
for tool in lintian rpmlint rpmbuild dpkg-shlibdeps debootstrap git; do
	command -v $tool >/dev/null || { echo "release: $tool is missing"; exit 1; }
done
[ -z "$(git status --porcelain)" ] || { echo "release: what is not committed would not be in it"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT

share/packaging/package.sh "$out" "$version"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
mkdir "$scratch/again"
git archive HEAD | tar -C "$scratch/again" -xf -
"$scratch/again/share/packaging/package.sh" "$scratch/out" "$version" >/dev/null
cmp "$out/SHA256SUMS" "$scratch/out/SHA256SUMS"
echo "the same bytes twice"

# The owner has to name an address; no bug of Debian's is closed by it.
lintian --fail-on error,warning --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,\
initial-upload-closes-no-bugs "$out"/*.deb
# Modules of Ansible are not run as they lie there (lintian-overrides);
# static on purpose; not signed here; Fedora's short name of the licence is SPDX's.
cat >"$scratch/rpmlint.toml" <<-'END'
	Filters = ["statically-linked-binary", "only-non-binary-in-usr-lib", "no-signature", "no-url-tag",
	    "manpage-not-compressed", "invalid-license", "no-manual-page-for-binary",
	    "non-executable-script /usr/share/propseal/ansible/.*/plugins/modules/"]
END
rpmlint -c "$scratch/rpmlint.toml" "$out"/*.rpm

share/packaging/try.sh "$out" "$@"
