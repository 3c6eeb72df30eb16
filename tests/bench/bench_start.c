/*
 * How long the program needs to start, and to draw its first frame on a
 * folder with 10 000 files, there beside ncdu.
 *
 * usage: bench_start PROPSEAL FLOOR   (FLOOR: start_floor.c, built alike)
 */
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.h"

#define RUNS_MAX 201
#define FRAME_RUNS_MAX 15
#define FOLDERS 100
#define PEER "/usr/bin/ncdu"
#define FRAME_SECONDS 60	/* what never comes ends the run */

/* What came from the terminal so far. */
struct output {
	char seen[1 << 20];
	size_t len;
};

/* ${per_folder} configuration files in each of FOLDERS folders. */
static char *
make_tree(size_t per_folder)
{
	static const char text[] = "bootstrap.servers=kafka-1:9092\n"
	    "ssl.keystore.location=/var/ssl/private/kafka.p12\n"
	    "ssl.keystore.password=not-a-real-one\n";
	char *root = measure_path("tree"), name[64];

	measure_must(mkdir(root, 0700) == 0, root);
	for (size_t i = 0; i < FOLDERS; i++) {
		snprintf(name, sizeof(name), "tree/team-%02zu", i);
		measure_must(mkdir(measure_path(name), 0700) == 0, name);
		for (size_t j = 0; j < per_folder; j++) {
			snprintf(name, sizeof(name), "tree/team-%02zu/service-%zu.properties",
			    i, j);
			measure_write(measure_path(name), text, sizeof(text) - 1);
		}
	}
	return root;
}

struct frames {
	double first;	/* until the first frame is complete */
	double list;	/* until it lists the first files */
	double all;	/* until every file is read and shown */
};

static void
read_until(int terminal, struct output *o, const char *mark)
{
	ssize_t got;

	while (memmem(o->seen, o->len, mark, strlen(mark)) == NULL) {
		got = read(terminal, o->seen + o->len, sizeof(o->seen) - o->len);
		measure_must(got > 0, "the program ended before its first frame");
		o->len += (size_t)got;
	}
}

/* On a screen of its own; alarm ends what never comes. */
static pid_t
screen_start(char *const argv[], char *const env[], int *terminal)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	pid_t pid = forkpty(terminal, NULL, NULL, &size);

	measure_must(pid >= 0, "no pseudo-terminal");
	if (pid == 0) {
		execve(argv[0], argv, env);
		_exit(127);
	}
	alarm(FRAME_SECONDS);
	return pid;
}

static void
screen_end(pid_t pid, int terminal)
{
	alarm(0);
	kill(pid, SIGKILL);
	close(terminal);
	waitpid(pid, NULL, 0);
}

/*
 * Wall time from fork on.  The first frame is complete with the bottom line, of
 * which the word before the last is looked for: what ends in the last column of
 * the screen is not written in one piece.  When nothing is left to read the
 * program says ESC ] 7770, as PROPSEAL_TUI_SYNC asks.
 */
static struct frames
draw_frames(char *program, char *root)
{
	static struct output output;
	char *const argv[] = { program, (char *)"ui", root, NULL };
	char *const env[] = { (char *)"TERM=xterm-256color", (char *)"LANG=C.UTF-8",
	    (char *)"PROPSEAL_TUI_SYNC=1", NULL };
	double start = measure_wall();
	struct frames took;
	int terminal;
	pid_t pid = screen_start(argv, env, &terminal);

	output.len = 0;
	read_until(terminal, &output, "help");
	took.first = measure_wall() - start;
	read_until(terminal, &output, "service-");
	took.list = measure_wall() - start;
	read_until(terminal, &output, "\033]7770;");
	took.all = measure_wall() - start;
	screen_end(pid, terminal);
	return took;
}

/* The same of ncdu, whose list comes with the sum below it. */
static double
draw_peer(char *root)
{
	static struct output output;
	char *const argv[] = { (char *)PEER, root, NULL };
	char *const env[] = { (char *)"TERM=xterm-256color", (char *)"LANG=C.UTF-8", NULL };
	double start = measure_wall();
	int terminal;
	pid_t pid = screen_start(argv, env, &terminal);

	output.len = 0;
	read_until(terminal, &output, "Total disk usage");
	start = measure_wall() - start;
	screen_end(pid, terminal);
	return start;
}

static void
measure_frames(char *program, size_t files, size_t runs)
{
	char *root = make_tree(files / FOLDERS), title[128];
	char *const find[] = { (char *)"/usr/bin/find", root, (char *)"-type", (char *)"f", NULL };
	double first[FRAME_RUNS_MAX], list[FRAME_RUNS_MAX], all[FRAME_RUNS_MAX];
	double found[FRAME_RUNS_MAX], peer[FRAME_RUNS_MAX];
	bool beside = access(PEER, X_OK) == 0;
	struct frames took;
	struct measure m;
	double floor;

	snprintf(title, sizeof(title), "the interface on %zu files: wall time", files);
	measure_header(title, "find over the tree");
	for (size_t i = 0; i < runs; i++) {
		took = draw_frames(program, root);
		first[i] = took.first;
		list[i] = took.list;
		all[i] = took.all;
		measure_run(find, NULL, &m);
		found[i] = m.wall_ms;
		peer[i] = beside ? draw_peer(root) : 0;
	}
	floor = measure_median(found, runs);
	measure_line("first frame", first, runs, floor);
	measure_line("first files listed", list, runs, floor);
	measure_line("every file read and shown", all, runs, floor);
	if (!beside) {
		printf("  " PEER " is not installed\n");
		return;
	}
	measure_line("list of ncdu", peer, runs, floor);
	floor = measure_median(list, runs) / measure_median(peer, runs);
	printf("  first files listed: %.2f times ncdu's list (goal: below 1)%s\n", floor,
	    floor < 1 ? "" : "  <- missed");
}

/* In turns, so that what else the machine does is in all of them. */
static void
measure_start_up(char *program, char *linked, size_t runs)
{
	char *const argv[3][3] = {
		{ program, (char *)"--version", NULL },
		{ (char *)"/bin/true", NULL },
		{ linked, NULL },
	};
	double took[3][RUNS_MAX];
	struct measure m;

	for (size_t i = 0; i < 3 * runs; i++) {
		measure_run(argv[i % 3], NULL, &m);
		took[i % 3][i / 3] = m.cpu_ms;
	}
	measure_header("start-up: CPU of propseal --version", "as each line says");
	measure_line("beside /bin/true", took[0], runs, measure_median(took[1], runs));
	measure_line("beside an empty program, linked alike", took[0], runs,
	    measure_median(took[2], runs));
}

int
main(int argc, char **argv)
{
	bool smoke = measure_is_smoke();

	measure_must(argc == 3, "usage: bench_start PROPSEAL FLOOR");
	measure_start_up(argv[1], argv[2], smoke ? 5 : RUNS_MAX);
	measure_frames(argv[1], smoke ? 1000 : 10000, smoke ? 1 : FRAME_RUNS_MAX);
	measure_scratch_remove();
	return 0;
}
