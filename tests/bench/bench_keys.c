/*
 * What a key of the interface costs in a large estate, and how much memory that
 * takes: 10 000 files with a million entries, of which few hold a secret.  Then
 * the same for keys while these files are read.
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
#define SCANS 9
#define SCAN_KEYS_MAX 65536
#define FRAME_MS 16	/* from a key to its screen, at most */
#define CPU_MS 10	/* for a key, at most */

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

/* Wait for one of two texts.  Is it ${mark}? */
static bool
wait_for_text(struct screen *s, const char *mark, const char *other)
{
	char bytes[65536];
	bool found = false, ended = false;
	ssize_t got;

	while (!found && !ended) {
		got = read(s->terminal, bytes + s->len, sizeof(bytes) - sizeof(s->tail));
		measure_must(got > 0, "the interface ended");
		/* A mark may come in two pieces. */
		memcpy(bytes, s->tail, s->len);
		got += (ssize_t)s->len;
		found = memmem(bytes, (size_t)got, mark, strlen(mark)) != NULL;
		ended = memmem(bytes, (size_t)got, other, strlen(other)) != NULL;
		s->len = (size_t)got < sizeof(s->tail) ? (size_t)got : sizeof(s->tail);
		memcpy(s->tail, bytes + got - s->len, s->len);
	}
	s->len = 0;
	return !ended;
}

/* Wait until it says that so many keys are handled, and drawn.  False: it waits now, as it
 * does without ${works}. */
static bool
wait_for(struct screen *s, unsigned long keys, bool works)
{
	char mark[32], waits[32];

	snprintf(mark, sizeof(mark), "\033]%d;%lu\033", works ? 7771 : 7770, keys);
	snprintf(waits, sizeof(waits), "\033]7770;%lu\033", keys);
	return wait_for_text(s, mark, waits);
}

/* ${sync}: what it is to tell of. */
static void
start(struct screen *s, char *program, char *root, const char *sync)
{
	struct winsize size = { .ws_row = 50, .ws_col = 160 };
	char *const argv[] = { program, (char *)"ui", root, NULL };
	char *const env[] = { (char *)"TERM=xterm-256color", (char *)"LANG=C.UTF-8",
	    (char *)"PROPSEAL_CONFIG=", (char *)sync, NULL };

	memset(s, 0, sizeof(*s));
	s->pid = forkpty(&s->terminal, NULL, NULL, &size);
	measure_must(s->pid >= 0, "no pseudo-terminal");
	if (s->pid == 0) {
		execve(program, argv, env);
		_exit(127);
	}
}

static void
end(const struct screen *s)
{
	kill(s->pid, SIGKILL);
	close(s->terminal);
	waitpid(s->pid, NULL, 0);
}

/* Milliseconds of CPU of one of its threads; 0: it has ended. */
static double
cpu_of_thread(pid_t pid, const char *thread)
{
	unsigned long long ns = 0;
	char name[384];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/task/%s/schedstat", (int)pid, thread);
	if ((f = fopen(name, "r")) == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return (double)ns / 1e6;
}

/* The same of all its threads. */
static double
cpu_of(pid_t pid)
{
	char path[64];
	double sum = 0;
	struct dirent *ent;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	measure_must((dir = opendir(path)) != NULL, path);
	while ((ent = readdir(dir)) != NULL)
		if (ent->d_name[0] != '.')
			sum += cpu_of_thread(pid, ent->d_name);
	closedir(dir);
	return sum;
}

/* That of the screen, and of its keys. */
static double
cpu_of_screen(const struct screen *s)
{
	char thread[32];

	snprintf(thread, sizeof(thread), "%d", (int)s->pid);
	return cpu_of_thread(s->pid, thread);
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
send_key(struct screen *s, const char *key)
{
	measure_must(write(s->terminal, key, strlen(key)) == (ssize_t)strlen(key),
	    "cannot send a key");
	s->keys++;
}

static void
measure_keys(struct screen *s, const char *what, const char *key, size_t times)
{
	double cpu[KEYS_MAX], wall[KEYS_MAX];

	for (size_t i = 0; i < times; i++) {
		double before = cpu_of(s->pid), from = measure_wall();

		send_key(s, key);
		wait_for(s, s->keys, false);
		wall[i] = measure_wall() - from;
		cpu[i] = cpu_of(s->pid) - before;
	}
	/* Both are sorted by that. */
	(void)measure_median(cpu, times);
	(void)measure_median(wall, times);
	printf("  %-28s CPU median %6.2f ms, most %6.2f ms; wall median %6.2f ms, most %6.2f ms%s\n",
	    what, cpu[times / 2], cpu[times - 1], wall[times / 2], wall[times - 1],
	    cpu[times - 1] <= CPU_MS && wall[times - 1] <= FRAME_MS ? "" : " <- missed");
}

static void
print_share(const char *what, double *ms, size_t n, double goal)
{
	double middle = measure_median(ms, n), most = ms[n * 99 / 100];

	printf("  %-28s median %6.2f ms, 99 of 100 within %6.2f ms (goal: %.0f)%s, most %6.2f ms\n",
	    what, middle, most, goal, most <= goal ? "" : " <- missed", ms[n - 1]);
}

/* One key after the other, from the first list on until every file is read. */
static size_t
type_while_it_scans(struct screen *s, double wall[], double cpu[], size_t max)
{
	static const char *const keys[] = { "j", "\033[6~", "k", "\033OF", "\033[5~", "\033OH" };
	double before, from;
	size_t n = 0;

	if (!wait_for_text(s, "service-", "\033]7770;0\033"))
		return 0;
	for (; n < max; n++) {
		before = cpu_of_screen(s);
		from = measure_wall();
		send_key(s, keys[n % (sizeof(keys) / sizeof(keys[0]))]);
		if (!wait_for(s, s->keys, true))
			break;
		wall[n] = measure_wall() - from;
		cpu[n] = cpu_of_screen(s) - before;
	}
	return n;
}

static void
measure_scan(char *program, char *root, size_t scans)
{
	static double wall[SCAN_KEYS_MAX], cpu[SCAN_KEYS_MAX];
	struct screen s;
	size_t n = 0;

	for (size_t i = 0; i < scans; i++) {
		start(&s, program, root, "PROPSEAL_TUI_SYNC=all");
		n += type_while_it_scans(&s, wall + n, cpu + n, SCAN_KEYS_MAX - n);
		end(&s);
	}
	printf("%zu keys (rows, pages, ends) while it scans, %zu times\n", n, scans);
	if (n == 0)
		return;
	print_share("from the key to its screen", wall, n, FRAME_MS);
	print_share("CPU of the screen's thread", cpu, n, CPU_MS);
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
		{ "to the start", "\033OH", 1 }, { "fold, unfold an environment", "\r", 6 },
		{ "next filter", "f", 1 }, { "mark an environment", "a", 4 },
		{ "mark all", "A", 1 }, { "no marks", "u", 1 }, { "to a file", "j", 1 },
		{ "mark a file", "a", 4 }, { "fold, unfold a file", "\r", 6 },
		{ "other pane", "\t", 4 }, { "next order", "o", 4 },
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
	start(&s, argv[1], root, "PROPSEAL_TUI_SYNC=1");
	wait_for(&s, 0, false);
	printf("the interface on %zu files with %zu entries, read and shown in %.0f ms\n", files,
	    files * (PLAIN + SECRETS), measure_wall() - before);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		measure_keys(&s, keys[i].what, keys[i].key, keys[i].times);
	peak = peak_of(s.pid);
	printf("  peak memory %.1f MiB (at most %d)\n", peak, MEMORY_MIB);
	end(&s);
	measure_scan(argv[1], root, smoke ? 1 : SCANS);
	measure_scratch_remove();
	measure_must(peak <= MEMORY_MIB, "the interface takes more memory than it may");
	return 0;
}
