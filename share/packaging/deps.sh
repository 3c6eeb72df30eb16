#!/bin/sh
# Install, or name, the packages that propseal needs.
#
# usage: share/packaging/deps.sh GROUP...     groups: build, test, ci
#
# Each thing is looked for as what it is (a command, a library that links, a
# Python module), so nothing is installed that is there under another name.
# On Debian and its kin what is missing is installed with apt-get; elsewhere
# the names are printed, and the exit status is 1 if something needed is missing.
set -u

#     group need  what to look for               Debian            Fedora                Alpine          Arch                 Homebrew
table='
build must cmd:cc                                gcc               gcc                   gcc             gcc                  gcc
build must inc:stdio.h:-lc                       libc6-dev         glibc-devel           musl-dev        glibc                -
build must cmd:make                              make              make                  make            make                 make
build must cmd:pkg-config                        pkg-config        pkgconf-pkg-config    pkgconf         pkgconf              pkgconf
build must inc:openssl/evp.h:-lcrypto            libssl-dev        openssl-devel         openssl-dev     openssl              openssl@3
build must inc:curses.h:-lncursesw               libncurses-dev    ncurses-devel         ncurses-dev     ncurses              ncurses
build must inc:ini.h:-linih                      libinih-dev       inih-devel            inih-dev        libinih              inih
build must inc:yaml.h:-lyaml                      libyaml-dev       libyaml-devel         yaml-dev        libyaml               libyaml
build must inc:openssl/ssl.h:-lssl               libssl-dev        openssl-devel         openssl-dev     openssl              openssl@3
build must inc:event2/event.h:-levent_core       libevent-dev      libevent-devel        libevent-dev    libevent             libevent
build must inc:jansson.h:-ljansson               libjansson-dev    jansson-devel         jansson-dev     jansson              jansson
build must inc:sqlite3.h:-lsqlite3               libsqlite3-dev    sqlite-devel          sqlite-dev      sqlite               sqlite
build nice inc:librdkafka/rdkafka.h:-lrdkafka    librdkafka-dev    librdkafka-devel      librdkafka-dev  librdkafka           librdkafka
test  must inc:-cmocka.h:-lcmocka                libcmocka-dev     libcmocka-devel       cmocka-dev      cmocka               cmocka
test  must inc:vterm.h:-lvterm                   libvterm-dev      libvterm-devel        libvterm-dev    libvterm             libvterm
test  must cmd:bash                              bash              bash                  bash            bash                 bash
test  must cmd:git                               git               git                   git             git                  git
test  must cmd:openssl                           openssl           openssl               openssl         openssl              openssl@3
test  must cmd:python3                           python3           python3               python3         python               python
test  must py:cryptography                       python3-cryptography python3-cryptography py3-cryptography python-cryptography cryptography
test  must py:jsonschema                         python3-jsonschema python3-jsonschema py3-jsonschema python-jsonschema -
test  must cmd:strace                            strace            strace                strace          strace               -
test  must cmd:setfacl                           acl               acl                   acl             acl                  -
test  must cmd:setfattr                          attr              attr                  attr            attr                 -
test  must cmd:tic                               ncurses-bin       ncurses               ncurses         ncurses              ncurses
test  must file:/usr/share/terminfo/x/xterm-256color:/lib/terminfo/x/xterm-256color ncurses-base ncurses-base ncurses-terminfo-base ncurses ncurses
ci    must cmd:clang                             clang             clang                 clang           clang                llvm
ci    nice san:clang                             libclang-rt-dev   compiler-rt           compiler-rt     compiler-rt          llvm
ci    must cmd:valgrind                          valgrind          valgrind              valgrind        valgrind             -
ci    must cmd:cppcheck                          cppcheck          cppcheck              cppcheck        cppcheck             cppcheck
ci    must cmd:mandoc                            mandoc            mandoc                mandoc          mandoc               mandoc
ci    nice cmd:shellcheck                        shellcheck        ShellCheck            shellcheck      shellcheck           shellcheck
ci    nice cmd:musl-gcc                          musl-tools        musl-gcc              gcc             musl                 -
ci    nice cmd:zsh                               zsh               zsh                   zsh             zsh                  zsh
ci    nice cmd:ansible-playbook                   ansible-core      ansible-core          ansible-core    ansible-core         ansible
ci    nice cmd:dpkg-shlibdeps                    dpkg-dev          dpkg-dev              dpkg-dev        dpkg                 -
ci    nice cmd:rpmbuild                          rpm               rpm-build             rpm-dev         rpm-tools            rpm
ci    nice cmd:fish                              fish              fish                  fish            fish                 fish
'

have() {
	kind=${1%%:*}
	what=${1#*:}
	case $kind in
	cmd)	command -v "$what" >/dev/null 2>&1 ;;
	py)	python3 -c "import $what" >/dev/null 2>&1 ||
		    /usr/bin/python3 -c "import $what" >/dev/null 2>&1 ;;
	file)	[ -e "${what%%:*}" ] || [ -e "${what##*:}" ] ;;
	inc)	lib=${what##*:}
		# cmocka.h wants other headers before it.
		case $what in
		-*)	what=${what#-}
			before='#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>' ;;
		*)	before= ;;
		esac
		printf '%s\n#include <%s>\nint main(void) { return 0; }\n' "$before" "${what%%:*}" >"$scratch/probe.c"
		${CC:-cc} -o "$scratch/probe" "$scratch/probe.c" "$lib" >/dev/null 2>&1 ;;
	san)	echo 'int main(void) { return 0; }' >"$scratch/probe.c"
		"$what" -fsanitize=address -o "$scratch/probe" "$scratch/probe.c" >/dev/null 2>&1 ;;
	esac
}

# The name of clang's run-time package holds clang's version.
debian_name() {
	case $1 in
	libclang-rt-dev)
		version=$(apt-cache depends clang 2>/dev/null |
		    sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
		echo "libclang-rt-${version:-14}-dev" ;;
	*)	echo "$1" ;;
	esac
}

# Fills $needed (packages, from column $1 of the table) and $wished.
missing() {
	needed='' wished=''
	for group in $groups; do
		while read -r g need probe names; do
			[ "$g" = "$group" ] || continue
			have "$probe" && continue
			name=$(echo "$names" | awk -v i="$1" '{ print $i }')
			[ "$name" = - ] && continue
			if [ "$need" = must ]; then
				needed="$needed $name"
			else
				wished="$wished $name"
			fi
		done <<END
$table
END
	done
}

install_debian() {
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null 2>&1; then
			echo "Missing:$needed$wished"
			echo "As root: apt-get install$needed$wished"
			[ -z "$needed" ]
			return
		fi
		as_root=sudo
	fi
	echo "Installing:$needed$wished"
	# A third-party source that does not answer is no reason to stop.
	$as_root apt-get update -qq || echo "apt-get update failed; going on with the lists there are"
	# shellcheck disable=SC2086 # a list of packages, to be split
	[ -z "$needed" ] || $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends $needed </dev/null >"$scratch/log" 2>&1 || {
		cat "$scratch/log"
		return 1
	}
	for package in $wished; do
		package=$(debian_name "$package")
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		    --no-install-recommends "$package" </dev/null >"$scratch/log" 2>&1 ||
		    echo "$package could not be installed; going on without it"
	done
}

groups=${*:-build}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/propseal-deps.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT

missing 1
[ -n "$needed$wished" ] || exit 0
if command -v apt-get >/dev/null 2>&1; then
	install_debian || exit 1
	missing 1
	[ -z "$needed" ] || { echo "Still missing:$needed"; exit 1; }
	exit 0
fi

column=2
for system in "Fedora: dnf install" "Alpine: apk add" "Arch: pacman -S" "Homebrew: brew install"; do
	missing $column
	echo "$system$needed$wished"
	column=$((column + 1))
done
missing 1
[ -z "$needed" ]
