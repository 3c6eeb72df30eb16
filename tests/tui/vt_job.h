#ifndef TESTS_TUI_VT_JOB_H
#define TESTS_TUI_VT_JOB_H

struct vt_options;

/*
 * What a shell does for job control, in the child of forkpty: run the
 * program in a process group of its own, tell over ${control} its process id
 * and each time that it stops ('S'), and continue it for each byte that
 * comes.  Without this ^Z does nothing, as the child of forkpty is in an
 * orphaned process group.  Does not return.
 */
void vt_job_run(int control, const struct vt_options *o,
    void (*exec_program)(const struct vt_options *o)) __attribute__((noreturn));

#endif /* !TESTS_TUI_VT_JOB_H */
