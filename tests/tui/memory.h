#ifndef TESTS_TUI_MEMORY_H
#define TESTS_TUI_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* May this process read the memory of a program that hides it (root), and is
 * it worth it?  A sanitizer copies the environment and keeps freed memory. */
bool memory_can_read(pid_t pid);

/* How often the bytes stand in the writable memory of process ${pid}. */
size_t memory_count(pid_t pid, const void *bytes, size_t n);

/* Fail, naming ${what}, unless the text is nowhere in its memory. */
void memory_assert_clean(pid_t pid, const char *what, const char *text);

#endif /* !TESTS_TUI_MEMORY_H */
