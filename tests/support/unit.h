#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

/* What unit tests share.  Static, so that each test stays one program. */

#include <sys/resource.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define UNIT_HELPER __attribute__((unused)) static

/* Decode hexadecimal ${text} into ${out} of ${size} bytes; the length. */
UNIT_HELPER size_t
unit_hex(const char *text, unsigned char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(text) / 2;
	size_t i;

	assert_true(n <= size);
	for (i = 0; i < n; i++) {
		const char *high = strchr(digits, text[2 * i]);
		const char *low = strchr(digits, text[2 * i + 1]);

		assert_non_null(high);
		assert_non_null(low);
		out[i] = (unsigned char)((high - digits) << 4 | (low - digits));
	}
	return n;
}

UNIT_HELPER bool
unit_all_zero(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* The wait status of a child that runs ${body} and then exits with 0. */
UNIT_HELPER int
unit_in_child(void (*body)(void *), void *arg)
{
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* A fault is to kill, not to be reported or dumped. */
		(void)setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		body(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Make a folder for a test; free the name with unit_remove_folder. */
UNIT_HELPER char *
unit_folder(void)
{
	const char *base = getenv("TMPDIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/propseal-unit.XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(path));
	return strdup(path);
}

/* Remove a folder that holds no folders any more. */
UNIT_HELPER void
unit_remove_folder(char *path)
{
	assert_int_equal(rmdir(path), 0);
	free(path);
}

#endif /* !SUPPORT_UNIT_H */
