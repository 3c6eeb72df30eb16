#include <sys/mman.h>
#include <sys/prctl.h>
#include <fcntl.h>
#include <pthread.h>

#include "base/secmem.h"
#include "unit.h"

static void
test_sizes_are_whole_pages_zeroed_and_writable(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t i, cap;
	unsigned char *p;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		p = secmem_map(sizes[i], &cap);
		assert_non_null(p);
		assert_true(cap >= sizes[i] && cap > 0);
		assert_int_equal(cap % page, 0);
		assert_true(cap < sizes[i] + page + 1);
		assert_true(unit_all_zero(p, cap));
		memset(p, 0xa5, cap);
		assert_int_equal(p[cap - 1], 0xa5);
		secmem_unmap(p, cap);
	}
	secmem_unmap(NULL, 0);
}

static void
test_an_impossible_size_is_refused(void **state)
{
	size_t cap = 1;

	(void)state;
	assert_null(secmem_map(SIZE_MAX, &cap));
	assert_int_equal(cap, 0);
	assert_null(secmem_map(SIZE_MAX / 2 - 4096, &cap));
	assert_int_equal(cap, 0);
}

static void
touch(void *p)
{
	*(volatile unsigned char *)p = 1;
}

static void
test_overruns_hit_guard_pages(void **state)
{
	unsigned char *p;
	size_t cap;
	int status;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	status = unit_in_child(touch, p + cap - 1);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = unit_in_child(touch, p + cap);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	status = unit_in_child(touch, p - 1);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	secmem_unmap(p, cap);
	status = unit_in_child(touch, p);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void
exit_with_first_byte(void *p)
{
	_exit(*(unsigned char *)p);
}

static void
test_a_forked_child_finds_it_empty(void **state)
{
	unsigned char *p;
	size_t cap;
	int status;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	p[0] = 42;
	status = unit_in_child(exit_with_first_byte, p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(p[0], 42);
	secmem_unmap(p, cap);
}

/* How many mappings of the kernel's it is: before 6.17 that moves no more than one at once. */
static unsigned
mappings(const unsigned char *p, size_t n)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to, first = (unsigned long)(uintptr_t)p;
	unsigned found = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from < first + n && to > first)
			found++;
	fclose(f);
	return found;
}

/* From nothing, from one page, and from several, which are moved: what was there, zeros behind it,
 * the guards, and empty in a child, old and new part. */
static void
test_what_grows_is_as_what_was_mapped(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t sizes[] = { 10, page + 1, 3 * page, 8 * page, 300 * page };
	unsigned char *p = NULL, *to;
	size_t cap = 0, len = 0, before;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		before = cap;
		assert_non_null(to = secmem_grow(p, len, &cap, sizes[i]));
		p = to;
		assert_true(cap >= sizes[i] && cap % page == 0);
		for (size_t k = 0; k < cap; k++)
			assert_int_equal(p[k], k < len ? 42 : 0);
		assert_true(cap > before);
		/* What is locked and what cannot be are two. */
		if (secmem_lock_limit() >= 4 * cap)
			assert_int_equal(mappings(p, cap), 1);
		len = cap - 5;
		memset(p, 42, len);
		status = unit_in_child(touch, p + cap);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		status = unit_in_child(touch, p - 1);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		status = unit_in_child(exit_with_first_byte, p);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		status = unit_in_child(exit_with_first_byte, p + len - 1);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_null(secmem_grow(p, len, &cap, SIZE_MAX));
	assert_int_equal(p[len - 1], 42);
	secmem_unmap(p, cap);
}

static void
test_a_forked_child_finds_what_was_kept_for_it(void **state)
{
	unsigned char *p;
	size_t cap;
	int status;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	p[0] = 42;
	assert_int_equal(secmem_keep_on_fork(p, cap), 0);
	status = unit_in_child(exit_with_first_byte, p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	secmem_unmap(p, cap);
}

/* The VmFlags line of the mapping that starts at ${p}. */
static void
read_flags(const void *p, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[1000];
	unsigned long start, end;
	bool here = false;

	flags[0] = '\0';
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)(uintptr_t)p;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line + 8);
	}
	fclose(f);
}

/* Does locking a page show?  Not without the right to, nor in a sanitizer. */
static bool
locking_works(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char flags[1000];
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	(void)mlock(p, page);
	read_flags(p, flags, sizeof(flags));
	munmap(p, page);
	return strstr(flags, " lo") != NULL;
}

/* Does ${p} have the layers? */
static void
assert_layers(const void *p)
{
	char flags[1000];

	read_flags(p, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " wf"));
	if (locking_works())
		assert_non_null(strstr(flags, " lo"));
}

static void
test_kernel_was_told_not_to_dump_swap_or_copy(void **state)
{
	void *p;
	size_t cap;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	assert_layers(p);
	secmem_unmap(p, cap);
}

static void
test_a_page_given_back_is_kept_wiped_with_its_layers(void **state)
{
	unsigned char *p, *again;
	size_t cap;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	memset(p, 0xa5, cap);
	secmem_unmap(p, cap);
	assert_true(unit_all_zero(p, cap));
	again = secmem_map(1, &cap);
	assert_ptr_equal(again, p);
	assert_true(unit_all_zero(again, cap));
	assert_layers(again);
	/* What one value's page had taken off is back for the next. */
	again[0] = 42;
	assert_int_equal(secmem_keep_on_fork(again, cap), 0);
	secmem_unmap(again, cap);
	p = secmem_map(1, &cap);
	assert_ptr_equal(again, p);
	assert_layers(p);
	secmem_unmap(p, cap);
}

static void
test_only_a_few_pages_are_kept(void **state)
{
	unsigned char *p[64];
	size_t cap, kept = 0;
	char flags[1000];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		p[i] = secmem_map(1, &cap);
		assert_non_null(p[i]);
	}
	for (size_t i = 0; i < 64; i++)
		secmem_unmap(p[i], cap);
	for (size_t i = 0; i < 64; i++) {
		read_flags(p[i], flags, sizeof(flags));
		kept += strstr(flags, " wr") != NULL;
	}
	assert_in_range(kept, 1, 16);
}

static void
map_locked(void *arg)
{
	unsigned char *p;
	size_t cap;

	(void)arg;
	p = secmem_map(1, &cap);
	assert_layers(p);
}

/* Locks are not inherited, so neither are pages that were kept. */
static void
test_a_forked_child_begins_with_pages_of_its_own(void **state)
{
	unsigned char *p;
	size_t cap;
	int status;

	(void)state;
	p = secmem_map(1, &cap);
	assert_non_null(p);
	secmem_unmap(p, cap);
	status = unit_in_child(map_locked, NULL);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *
map_and_give_back(void *out)
{
	unsigned char *p;
	size_t cap;

	p = secmem_map(1, &cap);
	secmem_unmap(p, cap);
	*(unsigned char **)out = p;
	return NULL;
}

static void
test_kept_pages_go_with_their_thread(void **state)
{
	unsigned char *p = NULL;
	char flags[1000];
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, map_and_give_back, &p), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(p);
	read_flags(p, flags, sizeof(flags));
	assert_string_equal(flags, "");
}

static void
test_small_values_share_pages_with_all_layers(void **state)
{
	static const size_t sizes[] = { 1, 64, 65, 1000, SECMEM_SMALL };
	unsigned char *p[sizeof(sizes) / sizeof(sizes[0])], *again;
	const size_t n = sizeof(sizes) / sizeof(sizes[0]), page = (size_t)sysconf(_SC_PAGESIZE);
	size_t caps[sizeof(sizes) / sizeof(sizes[0])], cap;
	char flags[1000];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_non_null(p[i] = secmem_map_small(sizes[i], &caps[i]));
		assert_in_range(caps[i], sizes[i], SECMEM_SMALL);
		assert_int_equal((uintptr_t)p[i] % 64, 0);
		assert_true(unit_all_zero(p[i], caps[i]));
		memset(p[i], 0xa5, caps[i]);
	}
	/* None has touched another. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < caps[i]; k++)
			assert_int_equal(p[i][k], 0xa5);
	again = (unsigned char *)((uintptr_t)p[n - 1] & ~(page - 1));
	do {
		read_flags(again, flags, sizeof(flags));
	} while (flags[0] == '\0' && (again -= page) != NULL);
	assert_layers(again);
	again = p[3];
	secmem_unmap(p[3], caps[3]);
	/* But for what leads to the next one. */
	assert_true(unit_all_zero(again + sizeof(void *), caps[3] - sizeof(void *)));
	assert_ptr_equal(secmem_map_small(1000, &cap), again);
	assert_int_equal(cap, caps[3]);
	assert_true(unit_all_zero(again, cap));
	for (size_t i = 0; i < n; i++)
		secmem_unmap(p[i], caps[i]);
}

struct small {
	unsigned char *p;
	size_t cap;
};

static void
give_back_and_map(void *arg)
{
	const struct small *inherited = arg;
	struct small own;

	if (!unit_all_zero(inherited->p, inherited->cap))
		_exit(1);
	secmem_unmap(inherited->p, inherited->cap);
	for (size_t i = 0; i < 100; i++) {
		own.p = secmem_map_small(1000, &own.cap);
		if (own.p == NULL || !unit_all_zero(own.p, own.cap))
			_exit(2);
		memset(own.p, 1, own.cap);
	}
}

static void
test_a_forked_child_finds_small_values_empty_and_has_its_own(void **state)
{
	struct small kept, spare;
	int status;

	(void)state;
	kept.p = secmem_map_small(1000, &kept.cap);
	spare.p = secmem_map_small(1000, &spare.cap);
	assert_non_null(kept.p);
	memset(kept.p, 42, kept.cap);
	secmem_unmap(spare.p, spare.cap);
	status = unit_in_child(give_back_and_map, &kept);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(kept.p[kept.cap - 1], 42);
	secmem_unmap(kept.p, kept.cap);
}

static void
map_without_locking(void *arg)
{
	struct rlimit none = { 0, 0 };
	size_t cap;
	unsigned char *p;

	(void)arg;
	(void)setrlimit(RLIMIT_MEMLOCK, &none);
	if (secmem_lock_limit() != 0)
		_exit(1);
	p = secmem_map(100000, &cap);
	if (p == NULL)
		_exit(2);
	p[cap - 1] = 1;
	secmem_unmap(p, cap);
}

static void
test_not_being_able_to_lock_is_no_error(void **state)
{
	int status;

	(void)state;
	status = unit_in_child(map_without_locking, NULL);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_wipe_touches_exactly_its_range(void **state)
{
	unsigned char bytes[10];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	secmem_wipe(bytes + 2, 5);
	assert_memory_equal(bytes, "\xff\xff\0\0\0\0\0\xff\xff\xff", 10);
	secmem_wipe(NULL, 0);
}

static void
check_hardened(void *arg)
{
	struct rlimit before = *(struct rlimit *)arg;
	struct rlimit core;

	/* Only with the right to raise it again is there a limit to lower. */
	before.rlim_cur = before.rlim_max;
	(void)setrlimit(RLIMIT_CORE, &before);
	if (getrlimit(RLIMIT_CORE, &before) == -1)
		_exit(1);
	secmem_harden_process();
	/* The hard limit stays, for the commands that a program runs. */
	if (getrlimit(RLIMIT_CORE, &core) == -1 || core.rlim_cur != 0 ||
	    core.rlim_max != before.rlim_max)
		_exit(2);
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		_exit(3);
}

static void
test_hardened_process_is_not_dumpable(void **state)
{
	struct rlimit given;
	int status;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_CORE, &given), 0);
	status = unit_in_child(check_hardened, &given);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_are_whole_pages_zeroed_and_writable),
		cmocka_unit_test(test_an_impossible_size_is_refused),
		cmocka_unit_test(test_overruns_hit_guard_pages),
		cmocka_unit_test(test_what_grows_is_as_what_was_mapped),
		cmocka_unit_test(test_a_forked_child_finds_it_empty),
		cmocka_unit_test(test_a_forked_child_finds_what_was_kept_for_it),
		cmocka_unit_test(test_kernel_was_told_not_to_dump_swap_or_copy),
		cmocka_unit_test(test_a_page_given_back_is_kept_wiped_with_its_layers),
		cmocka_unit_test(test_only_a_few_pages_are_kept),
		cmocka_unit_test(test_a_forked_child_begins_with_pages_of_its_own),
		cmocka_unit_test(test_kept_pages_go_with_their_thread),
		cmocka_unit_test(test_small_values_share_pages_with_all_layers),
		cmocka_unit_test(test_a_forked_child_finds_small_values_empty_and_has_its_own),
		cmocka_unit_test(test_not_being_able_to_lock_is_no_error),
		cmocka_unit_test(test_wipe_touches_exactly_its_range),
		cmocka_unit_test(test_hardened_process_is_not_dumpable)
	};

	return cmocka_run_group_tests_name("secmem", tests, NULL, NULL);
}
