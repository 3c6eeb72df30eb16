/* What becomes of OpenSSL's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "client/client.h"
#include "crypto/mac.h"

/* Needs an algorithm of OpenSSL's, as a thread might that comes back late. */
static void
use_openssl(void)
{
	static const struct hkdf_input in = { .secret = "secret", .secret_len = 6 };
	unsigned char out[32];
	struct hkdf *h = hkdf_new(NULL);

	if (h == NULL || hkdf_derive(h, &in, out, sizeof(out), NULL) != 0)
		_exit(1);
	hkdf_free(h);
}

static void
late(void)
{
	use_openssl();
	_exit(0);
}

/* In a process of its own, as cmocka's has used OpenSSL for all it knows. */
static void
test_openssl_is_there_to_the_end(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* What is registered first runs last. */
		if (atexit(late) != 0 || wipe_on_free(NULL) != 0)
			_exit(2);
		use_openssl();
		exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_is_there_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
