#include "vt_job.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void
vt_job_run(int control, const struct vt_options *o,
    void (*exec_program)(const struct vt_options *o))
{
	pid_t job = fork();
	int status = 0;
	char c = 0;

	signal(SIGTTOU, SIG_IGN);
	if (job == 0) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		exec_program(o);
	}
	setpgid(job, job);
	(void)!write(control, &job, sizeof(job));
	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
		tcsetpgrp(STDIN_FILENO, getpgrp());
		(void)!write(control, "S", 1);
		if (read(control, &c, 1) != 1)
			break;
		tcsetpgrp(STDIN_FILENO, job);
		kill(job, SIGCONT);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}
