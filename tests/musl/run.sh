#!/bin/sh
# Build with musl: the whole of it where the libraries are there for musl (on
# Alpine they are), else every file, with the libraries' headers beside musl's.
#
# usage: tests/musl/run.sh [BUILD]     the folder to build in (build-musl)
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build-musl}
make="make -j${JOBS:-2} --no-print-directory WERROR=1 BUILD=$build"

fail() {
	echo "$*"
	exit 1
}

# A C library of its own kind says nothing but "I am not glibc".
is_musl() {
	printf '#include <features.h>\n#ifdef __GLIBC__\n#error glibc\n#endif\n' |
	    "$1" -x c -fsyntax-only - >/dev/null 2>&1
}

if is_musl "${CC:-cc}"; then
	CC=${CC:-cc}
elif command -v musl-gcc >/dev/null 2>&1; then
	CC=musl-gcc
else
	fail "there is no musl-gcc (Debian: musl-tools)"
fi

# What takes the place of glibc's own, put to work.
mkdir -p "$build"
$CC -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -Icore -static \
    -o "$build/compat" tests/musl/compat.c
(cd "$build" && ./compat) || fail "tests/musl/compat.c failed"

if for header in openssl/ssl curses ini yaml event2/event jansson sqlite3; do
	echo "#include <$header.h>"
done | sed '$a int main(void) { return 0; }' | $CC -x c -o "$build/probe" - -lssl -lcrypto \
    -lncursesw -linih -lyaml -levent_core -ljansson -lsqlite3 >/dev/null 2>&1; then
	$make CC="$CC" all
	PROPSEAL=$(pwd)/$build/propseal tests/run.sh tests/cli/test_usage.sh
	echo "built with $CC, and it runs"
	exit 0
fi

# Not glibc's headers, and the kernel's for the tests only, as on a system
# without linux-headers.
headers=$build/include
kernel=$build/kernel
rm -rf "$headers" "$kernel"
mkdir -p "$headers" "$kernel"
multiarch=$(cc -print-multiarch 2>/dev/null || gcc -print-multiarch)
for from in /usr/include "/usr/include/$multiarch"; do
	for name in openssl event2 librdkafka curses.h ncurses_dll.h unctrl.h term.h \
	    sqlite3.h jansson.h jansson_config.h ini.h yaml.h cmocka.h vterm.h vterm_keycodes.h; do
		[ ! -e "$from/$name" ] || cp -RL "$from/$name" "$headers/"
	done
	for name in linux asm asm-generic; do
		[ ! -e "$from/$name" ] || ln -sf "$from/$name" "$kernel/"
	done
done
# libevent was configured for glibc, which has <sys/queue.h>.
sed -i '/define EVENT__HAVE_SYS_QUEUE_H/d' "$headers/event2/event-config.h"
here=$(pwd)
flags="-D_XOPEN_SOURCE=600 -isystem $here/$headers"
$make CC="$CC" CPPFLAGS="$flags" objects
# musl's ioctl() takes an int, glibc's an unsigned long.
$make CC="$CC" CPPFLAGS="$flags -idirafter $here/$kernel" BUILD="$build/tests" \
    CFLAGS="-O1 -Wno-sign-conversion -Wno-overflow" test-objects
echo "compiled with $CC; the libraries to link with are not there for musl"
