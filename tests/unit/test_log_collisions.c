/*
 * The SQLite log where most keys have one hash: it must compare keys.
 */
#include "base/map.h"
#include "log_sqlite_kind.h"

/* Stands before the library's. */
uint64_t
siphash_13(const unsigned char key[SIPHASH_KEY], const void *bytes, size_t n)
{
	(void)key;
	return n == 0 ? 0 : ((const unsigned char *)bytes)[n - 1] % 3;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { LOG_BEHAVIOUR_TESTS };

	return cmocka_run_group_tests_name("log collisions", tests, NULL, NULL);
}
