#!/bin/bash
# Try the .deb in fresh roots, as somebody does who has never seen it.
#
# usage: share/packaging/try.sh OUT SUITE...     (by `make release`)
#
# In a root of each SUITE of Debian or Ubuntu the .deb of OUT is installed, the
# commands of all documents that it brings are run as root and as a plain user,
# and it is removed again.  Needs root (debootstrap, chroot) and a mirror.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: try.sh OUT SUITE...}
shift
scratch=$(mktemp -d)
trap 'umount "$scratch"/*/proc 2>/dev/null || true; rm -rf --one-file-system "$scratch"' EXIT

for suite; do
	root=$scratch/$suite
	case $suite in
	bookworm|trixie|forky|sid) where=() ;;
	# Suites of Ubuntu are all made alike; libraries are in universe, too.
	*) where=("--components=main,universe" "$suite" "$root" http://archive.ubuntu.com/ubuntu gutsy) ;;
	esac
	[ ${#where[@]} -gt 0 ] || where=("$suite" "$root")
	debootstrap --variant=minbase "${where[@]}" >"$scratch/log" 2>&1 || { tail "$scratch/log"; exit 1; }
	mount -t proc proc "$root/proc"
	cp "$out"/*.deb "$root/propseal.deb"
	cp tests/cli/documents.py "$root/"
	# The static programs, with no library there yet.
	tar -C "$root/opt" -xzf "$out"/*-linux-*.tar.gz
	chroot "$root" sh -ec 'for p in /opt/*/bin/propseal /opt/*/libexec/propseal/propseal-registryd; do $p --version; done'
	rm -r "$root"/opt/*
	cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
	started=$(date +%s)
	chroot "$root" apt-get update -qq
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    /propseal.deb >/dev/null
	echo "$suite: installed in $(($(date +%s) - started)) s: $(chroot "$root" propseal --version | head -n 1)"
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    git python3 >/dev/null
	chroot "$root" useradd -m visitor
	for user in root visitor; do
		started=$(date +%s)
		for document in "$root"/usr/share/doc/propseal/*.md; do
			chroot "$root" su - "$user" -c "python3 /documents.py /usr/bin/propseal / ${document#"$root"}"
		done
		echo "$suite: the documents' commands as $user in $(($(date +%s) - started)) s"
	done
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq propseal >/dev/null
	[ -z "$(find "$root/usr" -name '*propseal*' -print)" ] || { echo "$suite: files are left behind"; exit 1; }
	umount "$root/proc"
	rm -rf --one-file-system "$root"
done
