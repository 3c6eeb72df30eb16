/*
 * Linked into every program of a SAN=1 build.  The options are built in
 * because the tests start programs with an environment of their own.
 */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	/* Limits on core files are ours to set, and to give back to commands. */
	return "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:"
	    "disable_coredump=0";
}

/* curses keeps its screen and terminal descriptions until the process ends. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libncursesw\nleak:libtinfo\n";
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}
