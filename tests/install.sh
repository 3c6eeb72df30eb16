#!/bin/sh
# make install puts everything below DESTDIR, and make uninstall takes it away.
set -eu
root=$(mktemp -d "${TMPDIR:-/tmp}/propseal-install.XXXXXX")
trap 'rm -rf "$root"' EXIT
make install DESTDIR="$root" PREFIX=/usr
installed=$(find "$root" | sort)
# A second time it changes nothing.
make install DESTDIR="$root" PREFIX=/usr >/dev/null
again=$(find "$root" | sort)
[ "$installed" = "$again" ] || { echo "a second install leaves more: $again"; exit 1; }
# The jar, where it was made.
for jar in build/connect-provider/propseal-connect-*.jar; do
	[ ! -f "$jar" ] || [ -s "$root/usr/share/propseal/${jar##*/}" ] || {
		echo "$jar was not installed"
		exit 1
	}
done
"$root/usr/bin/propseal" --version
"$root/usr/libexec/propseal/propseal-registryd" --version
for file in share/man/man1/propseal.1 share/man/man5/propseal.ini.5 \
    share/man/man5/propseal-secrets.5 share/propseal/demo/README.md \
    share/bash-completion/completions/propseal share/zsh/site-functions/_propseal \
    share/fish/vendor_completions.d/propseal.fish share/man/man8/propseal-registry.8 \
    share/propseal/registry/registry.ini libexec/propseal/propseal-registryd \
    lib/systemd/system/propseal-registry.service; do
	[ -s "$root/usr/$file" ] || { echo "$file was not installed"; exit 1; }
done
grep -q '^ExecStart=/usr/libexec/propseal/propseal-registryd serve ' \
    "$root/usr/lib/systemd/system/propseal-registry.service"
# Each document's links, from where it lies now.
for document in "$root"/usr/share/doc/propseal/*.md "$root"/usr/share/propseal/*/README.md; do
	for path in $(grep -oE '\]\([^)#:]+\)' "$document" | sed 's/^](\(.*\))$/\1/' | sort -u); do
		case $path in
		/*) path=$root$path ;;
		*) path=${document%/*}/$path ;;
		esac
		[ -e "$path" ] || { echo "$document links to $path, which is not there"; exit 1; }
	done
done
# The demo as it was installed; without a terminal it says what to do.
PATH=$root/usr/bin:$PATH TMPDIR=$root "$root/usr/share/propseal/demo/demo.sh" </dev/null >/dev/null
[ -f "$(echo "$root"/propseal-demo.*)/kafka/server.properties" ]
rm -r "$root"/propseal-demo.*
make uninstall DESTDIR="$root" PREFIX=/usr
left=$(find "$root" -type f)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
