/* A baseline that is written anew, and what another program wrote there just before. */
#include <sys/syscall.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/audit/audit.h"
#include "file/file.h"
#include "files.h"

static const char *late;	/* what another program puts there when the lock is taken */

/* Stands before libc's. */
int
fcntl(int fd, int command, ...)
{
	const char *text = late;
	va_list ap;
	long argument;

	va_start(ap, command);
	argument = va_arg(ap, long);
	va_end(ap);
	if (command == F_OFD_SETLK && text != NULL) {
		late = NULL;
		(void)unlink("base");
		files_put("base", text, 0600);
	}
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

static char *
change_reason(const char *content, const char *old, const char *new)
{
	char *text = strdup(content), *at;

	assert_non_null(text);
	at = strstr(text, old);
	assert_non_null(at);
	memcpy(at, new, strlen(new));
	return text;
}

static void
test_a_baseline_keeps_reasons(void **state)
{
	static const char *const reasons[] = { "early!", "later!", "latest" };
	static const struct audit_options options;
	struct buf before, after;
	struct error err;
	struct audit *a;
	char *changed;

	(void)state;
	files_put("a.properties", "a.password=long-enough-secret\nb.password=another-one-here\n",
	    0600);
	a = audit_new(&options, &err);
	assert_non_null(a);
	assert_int_equal(audit_path(a, "a.properties", 0, &err), 0);
	assert_int_equal(audit_finish(a, &err), 0);
	assert_true(audit_finding_count(a) >= 2);
	assert_int_equal(audit_baseline_ignore(a, audit_finding(a, 0), "base", reasons[0],
	    NULL, NULL, &err), 0);
	for (int update = 0; update < 2; update++) {
		buf_init(&before, BUF_MAX_FILE);
		buf_init(&after, BUF_MAX_FILE);
		assert_int_equal(file_read("base", &before, NULL, &err), 0);
		changed = change_reason(buf_cstr(&before), reasons[update], reasons[update + 1]);
		late = changed;
		assert_int_equal(update ? audit_baseline_update(a, "base", NULL, NULL, &err) :
		    audit_baseline_ignore(a, audit_finding(a, 1), "base", "mine", NULL, NULL,
		    &err), 0);
		assert_null(late);
		assert_int_equal(file_read("base", &after, NULL, &err), 0);
		assert_non_null(strstr(buf_cstr(&after), reasons[update + 1]));
		assert_non_null(strstr(buf_cstr(&after), "mine"));
		free(changed);
		buf_release(&before);
		buf_release(&after);
	}
	audit_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_baseline_keeps_reasons, files_setup,
		    files_teardown)
	};

	return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}
