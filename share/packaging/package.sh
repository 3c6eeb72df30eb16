#!/bin/bash
# Make the packages: a .deb, an .rpm, a static tarball, an SBOM, SHA256SUMS.
#
# usage: share/packaging/package.sh OUT VERSION      (by `make package`)
#
# What they say of propseal is in share/packaging/description.  The .deb is for
# the Debian it is made on.  The .rpm and the tarball hold programs that are
# linked statically, as the libraries' names differ between systems.  The same
# sources on the same system give the same bytes, whatever folder they are in:
# every date is SOURCE_DATE_EPOCH, or that of the last commit.  A kind whose
# tool is missing (dpkg-deb, rpmbuild) is left out, and that is said.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: package.sh OUT VERSION} version=${2:?usage: package.sh OUT VERSION}
# shellcheck source=share/packaging/description
. share/packaging/description

umask 022
export LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
machine=$(uname -m)
arch=$(dpkg --print-architecture 2>/dev/null || echo "$machine")
flags="-O2 -ffile-prefix-map=$PWD=."
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "$out/stage" "$out"/*.deb "$out"/*.rpm "$out"/*.tar.gz

# stage NAME MAKE-ARGUMENT...: everything that is installed, below $out/stage/NAME.
stage() {
	local dir=$out/stage/$1
	shift
	make -j"$(getconf _NPROCESSORS_ONLN)" --no-print-directory -s install BUILD="$out/build" \
	    DESTDIR="$dir" PREFIX=/usr CFLAGS="$flags" "$@" >"$out/build.log" 2>&1 || { cat "$out/build.log"; return 1; }
	strip --strip-unneeded "$dir/usr/bin/propseal" "$dir/usr/libexec/propseal/propseal-registryd"
	find "$dir/usr/share/man" -type f -exec gzip -9n {} +
	find "$dir" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
	chmod -R u=rwX,go=rX "$dir"
}

# The whole description, each line behind $1.
described() {
	printf '%s\n' "$description" | sed "s/^/$1/"
}

make_deb() {
	local dir=$out/stage/deb doc depends
	# Debian mends a library for all its programs at once: none is linked in.
	stage deb ZSHCOMPDIR=/usr/share/zsh/vendor-completions CLIENT_LINK=shared YAML_LIBS=-lyaml
	doc=$dir/usr/share/doc/$name
	gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
	ln -sf ../../common-licenses/Apache-2.0 "$doc/LICENSE"
	{
		printf '%s (%s-1) unstable; urgency=medium\n\n  * %s\n\n -- %s  %s\n' "$name" "$version" \
		    'What changed is in changelog.gz.' "$maintainer" "$(date -Rd "@$SOURCE_DATE_EPOCH")"
	} | gzip -9n >"$doc/changelog.Debian.gz"
	printf 'Format: %s\nUpstream-Name: %s\n\nFiles: *\nCopyright: %s\nLicense: %s\n%s\n' \
	    https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ "$name" \
	    '2026 The propseal authors' "$license" \
	    ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.' >"$doc/copyright"
	mkdir -p "$dir/usr/share/lintian/overrides"
	install -m 644 share/packaging/lintian-overrides "$dir/usr/share/lintian/overrides/$name"
	mkdir -p "$out/stage/shlibs/debian" "$dir/DEBIAN"
	printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" >"$out/stage/shlibs/debian/control"
	depends=$(cd "$out/stage/shlibs" && dpkg-shlibdeps -O "$dir/usr/bin/propseal" \
	    "$dir/usr/libexec/propseal/propseal-registryd" | sed -n 's/^shlibs:Depends=//p')
	{
		printf 'Package: %s\nVersion: %s-1\nArchitecture: %s\nMaintainer: %s\n' \
		    "$name" "$version" "$arch" "$maintainer"
		printf 'Installed-Size: %s\nDepends: %s\nSection: %s\nPriority: optional\n' \
		    "$(du -sk --apparent-size --exclude=DEBIAN "$dir" | cut -f1)" "$depends" "$section"
		printf 'Description: %s\n' "$summary"
		described ' '
	} >"$dir/DEBIAN/control"
	(cd "$dir" && find usr -type f | sort | xargs md5sum >DEBIAN/md5sums)
	find "$dir" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz -b "$dir" "$out/${name}_$version-1_$arch.deb" >/dev/null
}

make_tarball() {
	local top=$name-$version-linux-$machine
	cp -a "$out/stage/static/usr" "$out/stage/$top"
	tar -C "$out/stage" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$top" |
	    gzip -9n >"$out/$top.tar.gz"
}

make_rpm() {
	local spec=$out/stage/$name.spec
	cat >"$spec" <<-END
		Name: $name
		Version: $version
		Release: 1
		Summary: $summary
		License: $license
		Group: System Environment/Base
		Packager: $maintainer
		AutoReqProv: no
		%description
		$(described '')
		%install
		cp -a $out/stage/static/. %{buildroot}/
		%files
		$(cd "$out/stage/static" && find usr -type f -o -type l | sort |
		    sed "s|^|/|; s|^/usr/share/doc/$name/lic|%license &|I; s|^/usr/share/doc/|%doc &|")
		%dir /usr/share/$name
		%dir /usr/libexec/$name
		%changelog
		* $(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y') $maintainer - $version-1
		- What changed is in CHANGELOG.md.
	END
	rpmbuild -bb --quiet --define "_topdir $out/stage/rpm" --define '_build_id_links none' \
	    --define "_rpmdir $out" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
	    --define '_buildhost localhost' --define 'use_source_date_epoch_as_buildtime 1' \
	    --define 'clamp_mtime_to_source_date_epoch 1' --define '__os_install_post %{nil}' \
	    --define "_docdir /usr/share/doc" --define "_defaultlicensedir /usr/share/licenses" \
	    --define '_binary_payload w9.xzdio' --define 'debug_package %{nil}' "$spec" >"$out/rpm.log" 2>&1 ||
	    { cat "$out/rpm.log"; return 1; }
}

if command -v dpkg-deb >/dev/null 2>&1 && command -v dpkg-shlibdeps >/dev/null 2>&1; then
	make_deb
else
	echo "no .deb: dpkg-deb or dpkg-shlibdeps (dpkg-dev) is missing"
fi
stage static STATIC=1
make_tarball
if command -v rpmbuild >/dev/null 2>&1; then
	make_rpm
else
	echo "no .rpm: rpmbuild is missing"
fi
share/packaging/sbom.sh "$version" >"$out/$name-$version.spdx.json"
rm -rf "$out/stage" "$out"/*.log
(cd "$out" && sha256sum -- *.deb *.rpm *.tar.gz *.json 2>/dev/null >SHA256SUMS || true)
cat "$out/SHA256SUMS"
