#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "ui/term.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Those that end the program in order, with the terminal restored. */
static const int end_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
	SIGPROF, SIGXCPU
};
static const int crash_signals[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS
};
static const int notice_signals[] = { SIGWINCH, SIGTSTP, SIGCONT };

static volatile sig_atomic_t ended_by;
static volatile sig_atomic_t resized;
static volatile sig_atomic_t stopped;
static volatile sig_atomic_t continued;

static void (*crash_hook)(void);
static sigset_t wait_mask;
static sigset_t old_mask;
static struct sigaction old_end[COUNT(end_signals)];
static struct sigaction old_crash[COUNT(crash_signals)];
static struct sigaction old_notice[COUNT(notice_signals)];
static struct sigaction old_pipe;

/* A crash by stack overflow needs a stack of its own. */
static unsigned char crash_stack[64 * 1024];

static void
signals_on_end(int sig)
{
	if (ended_by == 0)
		ended_by = sig;
}

static void
on_notice(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else if (sig == SIGTSTP)
		stopped = 1;
	else
		continued = 1;
}

static void
on_crash(int sig)
{
	crash_hook();
	raise(sig);	/* SA_RESETHAND: this time it is deadly */
}

/* A signal that was ignored when the program started (nohup) stays so. */
static void
catch_unless_ignored(int sig, void (*handler)(int), struct sigaction *old)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	sigaction(sig, NULL, old);
	if (old->sa_handler != SIG_IGN)
		sigaction(sig, &sa, NULL);
}

static void
catch_crashes(void)
{
	struct sigaction sa;
	stack_t stack;
	size_t i;

	memset(&stack, 0, sizeof(stack));
	stack.ss_sp = crash_stack;
	stack.ss_size = sizeof(crash_stack);
	sigaltstack(&stack, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_crash;
	sa.sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < COUNT(crash_signals); i++)
		sigaction(crash_signals[i], &sa, &old_crash[i]);
}

void
signals_catch(void (*crash)(void))
{
	struct sigaction ignore;
	sigset_t block;
	size_t i;

	crash_hook = crash;
	ended_by = resized = stopped = continued = 0;
	sigemptyset(&block);
	for (i = 0; i < COUNT(end_signals); i++)
		sigaddset(&block, end_signals[i]);
	for (i = 0; i < COUNT(notice_signals); i++)
		sigaddset(&block, notice_signals[i]);
	sigprocmask(SIG_BLOCK, &block, &old_mask);
	wait_mask = old_mask;
	for (i = 0; i < COUNT(end_signals); i++) {
		sigdelset(&wait_mask, end_signals[i]);
		catch_unless_ignored(end_signals[i], signals_on_end, &old_end[i]);
	}
	for (i = 0; i < COUNT(notice_signals); i++) {
		sigdelset(&wait_mask, notice_signals[i]);
		catch_unless_ignored(notice_signals[i], on_notice, &old_notice[i]);
	}
	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &ignore, &old_pipe);
	catch_crashes();
}

/* One that came while the program was ending already must not kill it. */
static void
signals_drop_pending(void)
{
	struct sigaction ignore;
	size_t i;

	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	for (i = 0; i < COUNT(end_signals); i++)
		sigaction(end_signals[i], &ignore, NULL);
}

void
signals_release(void)
{
	size_t i;

	signals_drop_pending();
	for (i = 0; i < COUNT(end_signals); i++)
		sigaction(end_signals[i], &old_end[i], NULL);
	for (i = 0; i < COUNT(notice_signals); i++)
		sigaction(notice_signals[i], &old_notice[i], NULL);
	for (i = 0; i < COUNT(crash_signals); i++)
		sigaction(crash_signals[i], &old_crash[i], NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
}

const sigset_t *
signals_wait_mask(void)
{
	return &wait_mask;
}

int
signals_take_end(void)
{
	int was = ended_by;

	ended_by = 0;
	return was;
}

static bool
signals_take(volatile sig_atomic_t *flag)
{
	bool was = *flag != 0;

	*flag = 0;
	return was;
}

bool
signals_take_resize(void)
{
	return signals_take(&resized);
}

bool
signals_take_stop(void)
{
	return signals_take(&stopped);
}

bool
signals_take_continue(void)
{
	return signals_take(&continued);
}

void
signals_stop_self(void)
{
	struct sigaction sa, mine;
	sigset_t only, before;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTSTP, &sa, &mine);
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	raise(SIGTSTP);		/* pending until it is unblocked: stops there */
	sigprocmask(SIG_UNBLOCK, &only, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGTSTP, &mine, NULL);
}
