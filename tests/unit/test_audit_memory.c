/* An audit where memory runs out: it says so, or tells all that it tells otherwise. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "audit/audit.h"
#include "base/error.h"
#include "files.h"

#define FINDINGS 64

#define CONFIG \
	"a.password=long-enough-secret\n" \
	"a.password=another-long-secret\n" \
	"# b.password=in-a-comment\n" \
	"c.url=https://user:long-enough-here@host/\n" \
	"d.password=long-enough-secret\n" \
	"e.password=${securepass:/nowhere/secrets.properties:a.properties/e.password}\n"

/* Sanitizers have a heap of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define OWN_HEAP 1
#endif
#endif

static atomic_long fail_at;	/* the call of this number from now on fails; 0: none does */
static atomic_long calls;

#ifndef OWN_HEAP
/* Stands before libc's. */
void *
realloc(void *p, size_t n)
{
	static void *(*real)(void *, size_t);

	if (real == NULL)
		real = (void *(*)(void *, size_t))(uintptr_t)dlsym(RTLD_NEXT, "realloc");
	if (atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fail_at)) {
		errno = ENOMEM;
		return NULL;
	}
	return real(p, n);
}
#endif

struct told {
	uint64_t ids[FINDINGS];
	size_t count;
};

/* -1: it could not be done, for want of memory. */
static int
look(struct told *t)
{
	static const struct audit_options options;
	struct error err = { 0 };
	struct audit *a = audit_new(&options, &err);
	int rc = a != NULL && audit_path(a, ".", 0, &err) == 0 && audit_finish(a, &err) == 0 ?
	    0 : -1;

	fail_at = 0;
	if (rc != 0)
		assert_int_equal(err.code, ERROR_MEMORY);
	t->count = rc == 0 ? audit_finding_count(a) : 0;
	assert_true(t->count <= FINDINGS);
	for (size_t i = 0; i < t->count; i++)
		t->ids[i] = audit_finding(a, i)->id;
	/* A file that could not be read is told. */
	if (rc == 0 && audit_unread_count(a) > 0)
		rc = -1;
	audit_free(a);
	return rc;
}

static void
test_no_finding_gets_lost_or_another_id(void **state)
{
	struct told whole, part;
	long failed = 0;

	(void)state;
	files_put("a.properties", CONFIG, 0600);
	files_put("b.yaml", "a:\n  password: in-yaml-long-enough\n", 0604);
	assert_int_equal(look(&whole), 0);
	assert_true(whole.count > 6);
	/* Valgrind has a heap of its own, too. */
	if (calls == 0)
		skip();
	for (long at = 1;; at++) {
		calls = 0;
		fail_at = at;
		if (look(&part) != 0) {
			failed++;
			continue;
		}
		assert_int_equal(part.count, whole.count);
		assert_memory_equal(part.ids, whole.ids, whole.count * sizeof(whole.ids[0]));
		if (calls < at)
			break;
	}
	assert_true(failed > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_finding_gets_lost_or_another_id,
		    files_setup, files_teardown)
	};

	return cmocka_run_group_tests_name("audit memory", tests, NULL, NULL);
}
