/*
 * What a key of the interface costs in a large estate, and how much memory that
 * takes: 10 000 files with a million entries, of which few hold a secret.
 *
 * usage: bench_keys PROPSEAL
 */
#include <dirent.h>
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

#define FOLDERS 100
#define PLAIN 96	/* entries of a file */
#define SECRETS 4
#define MEMORY_MIB 64	/* at most */
#define KEYS_MAX 64

struct screen {
	int terminal;
	pid_t pid;
	unsigned long keys;	/* that were sent */
	char tail[64];		/* the end of what came */
	size_t len;
};

static char *
make_tree(size_t per_folder)
{
	char *root = measure_path("tree"), name[64], text[8192];
	size_t used;

	measure_must(mkdir(root, 0700) == 0, root);
	for (size_t i = 0; i < FOLDERS; i++) {
		snprintf(name, sizeof(name), "tree/team-%02zu", i);
		measure_must(mkdir(measure_path(name), 0700) == 0, name);
		for (size_t j = 0; j < per_folder; j++) {
			used = 0;
			for (size_t k = 0; k < PLAIN; k++)
				used += (size_t)snprintf(text + used, sizeof(text) - used,
				    "listener.setting.number.%zu=value of %zu\n", k, j);
			for (size_t k = 0; k < SECRETS; k++)
				used += (size_t)snprintf(text + used, sizeof(text) - used,
				    "s%zu.ssl.key.password=not-a-real-one-%zu-%zu\n", k, i, j);
			snprintf(name, sizeof(name), "tree/team-%02zu/service-%zu.properties",
			    i, j);
			measure_write(measure_path(name), text, used);
		}
	}
	return root;
}

/* Wait until it says that so many keys are handled, and drawn. */
static void
wait_for(struct screen *s, unsigned long keys)
{
	char bytes[65536], mark[32];
	ssize_t got;

	snprintf(mark, sizeof(mark), "\033]7770;%lu\033", keys);
	while (memmem(s->tail, s->len, mark, strlen(mark)) == NULL) {
		got = read(s->terminal, bytes + s->len, sizeof(bytes) - sizeof(s->tail));
		measure_must(got > 0, "the interface ended");
		/* A mark may come in two pieces. */
		memcpy(bytes, s->tail, s->len);
		got += (ssize_t)s->len;
		if (memmem(bytes, (size_t)got, mark, strlen(mark)) != NULL)
			break;
		s->len = (size_t)got < sizeof(s->tail) ? (size_t)got : sizeof(s->tail);
		memcpy(s->tail, bytes + got - s->len, s->len);
	}
	s->len = 0;
}

static void
start(struct screen *s, char *program, char *root)
{
	struct winsize size = { .ws_row = 50, .ws_col = 160 };
	char *const argv[] = { program, (char *)"ui", root, NULL };
	char *const env[] = { (char *)"TERM=xterm-256color", (char *)"LANG=C.UTF-8",
	    (char *)"PROPSEAL_CONFIG=", (char *)"PROPSEAL_TUI_SYNC=1", NULL };

	memset(s, 0, sizeof(*s));
	s->pid = forkpty(&s->terminal, NULL, NULL, &size);
	measure_must(s->pid >= 0, "no pseudo-terminal");
	if (s->pid == 0) {
		execve(program, argv, env);
		_exit(127);
	}
	wait_for(s, 0);
}

/* Milliseconds of CPU of all its threads. */
static double
cpu_of(pid_t pid)
{
	char path[64], name[384];
	double sum = 0;
	struct dirent *ent;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	measure_must((dir = opendir(path)) != NULL, path);
	while ((ent = readdir(dir)) != NULL) {
		unsigned long long ns = 0;
		FILE *f;

		if (ent->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s/schedstat", path, ent->d_name);
		if ((f = fopen(name, "r")) == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += (double)ns / 1e6;
		fclose(f);
	}
	closedir(dir);
	return sum;
}

static double
peak_of(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	measure_must((f = fopen(path, "r")) != NULL, path);
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "VmHWM: %lu", &kib) != 1)
		;
	fclose(f);
	return (double)kib / 1024;
}

static void
measure_keys(struct screen *s, const char *what, const char *key, size_t times)
{
	double cpu[KEYS_MAX], wall[KEYS_MAX];

	for (size_t i = 0; i < times; i++) {
		double before = cpu_of(s->pid), from = measure_wall();

		measure_must(write(s->terminal, key, strlen(key)) == (ssize_t)strlen(key),
		    "cannot send a key");
		wait_for(s, ++s->keys);
		wall[i] = measure_wall() - from;
		cpu[i] = cpu_of(s->pid) - before;
	}
	/* Both are sorted by that. */
	(void)measure_median(cpu, times);
	(void)measure_median(wall, times);
	printf("  %-28s CPU median %6.2f ms, most %6.2f ms; wall median %6.2f ms, most %6.2f ms\n",
	    what, cpu[times / 2], cpu[times - 1], wall[times / 2], wall[times - 1]);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *what, *key;
		size_t times;
	} keys[] = {
		{ "a row down", "j", KEYS_MAX }, { "a row up", "k", KEYS_MAX },
		{ "a page down", "\033[6~", KEYS_MAX }, { "unfold all", "+", 1 },
		{ "a row down, all unfolded", "j", KEYS_MAX }, { "to the end", "\033OF", 1 },
		{ "to the start", "\033OH", 1 }, { "fold, unfold a file", "\r", 6 },
		{ "next filter", "f", 1 }, { "mark a file", "a", 4 }, { "mark all", "A", 1 },
		{ "no marks", "u", 1 }, { "other pane", "\t", 4 }, { "next order", "o", 4 },
		{ "one list, and back", "B", 2 }, { "fold all", "-", 1 },
	};
	bool smoke = measure_is_smoke();
	size_t files = smoke ? 500 : 10000;
	double peak, before;
	struct screen s;
	char *root;

	measure_must(argc == 2, "usage: bench_keys PROPSEAL");
	root = make_tree(files / FOLDERS);
	before = measure_wall();
	start(&s, argv[1], root);
	printf("the interface on %zu files with %zu entries, read and shown in %.0f ms\n", files,
	    files * (PLAIN + SECRETS), measure_wall() - before);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		measure_keys(&s, keys[i].what, keys[i].key, keys[i].times);
	peak = peak_of(s.pid);
	printf("  peak memory %.1f MiB (at most %d)\n", peak, MEMORY_MIB);
	kill(s.pid, SIGKILL);
	close(s.terminal);
	waitpid(s.pid, NULL, 0);
	measure_scratch_remove();
	measure_must(peak <= MEMORY_MIB, "the interface takes more memory than it may");
	return 0;
}
