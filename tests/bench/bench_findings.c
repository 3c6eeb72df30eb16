/*
 * The CPU time and peak memory of `propseal audit` on 10 000 files of all
 * forms, a third of which hold a secret, beside a search for one word in them:
 * `rg -i password` where ripgrep is installed, else `grep -ri password`.  Then
 * the time on one processor and on all of them, and that of ten times as many
 * files, of 1 500 folders in one another, of one file of 1 GiB, and of ten files
 * that are staged, where Git is installed.
 *
 * usage: bench_findings PROPSEAL
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/measure.h"

#define FILES 10000
#define FOLDER 250	/* files in one */
#define RUNS 7
#define DEEP 1500	/* folders */
#define STAGED 10
#define LARGE ((off_t)1 << 30)

/* One of each form; %s is where the secret stands, or something else. */
static const struct {
	const char *name;
	const char *text;
} forms[] = {
	{ "server%d.properties", "broker.id=1\nlisteners=SASL_SSL://:9093\nnum.partitions=6\n"
	    "ssl.keystore.location=/var/ssl/ks.jks\nssl.keystore.type=PKCS12\n%s=CANARY-long\n"
	    "sasl.enabled.mechanisms=PLAIN\nlog.dirs=/var/lib/kafka\nkey.converter=x.Y\n" },
	{ "connector%d.json", "{\"name\": \"c\", \"config\": {\"connector.class\": \"x.Y\",\n"
	    "\"tasks.max\": \"4\", \"key.converter\": \"x.Z\", \"%s\": \"CANARY-long\",\n"
	    "\"topics\": \"a,b,c\", \"connection.url\": \"jdbc:postgresql://db/x\"}}\n" },
	{ "values%d.yaml", "kafka:\n  listeners: [a, b]\n  heap: 4g\n  %s: CANARY-long\n"
	    "  resources:\n    cpu: 2\n    memory: 8Gi\n" },
	{ "app%d.env", "LISTENERS=SSL://:9093\nHEAP=4g\n%s=CANARY-long\nTOPIC=a\n" },
	{ "unit%d.service", "[Unit]\nDescription=x\n[Service]\nEnvironment=%s=CANARY-long\n"
	    "ExecStart=/usr/bin/x --config /etc/x\nRestart=always\n" },
	{ "deploy%d.sh", "#!/bin/sh\nset -eu\nexport %s=CANARY-long\nfor i in a b; do\n"
	    "\techo \"$i\"\ndone\n" },
	{ "main%d.tf", "resource \"x\" \"y\" {\n  name = \"a\"\n  %s = \"CANARY-long\"\n}\n" },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static void
make_files(const char *root, int files)
{
	char path[512], name[64], text[1024];

	for (int i = 0; i < files; i++) {
		if (i % FOLDER == 0) {
			snprintf(path, sizeof(path), "%s/%d", root, i / FOLDER);
			measure_must(mkdir(path, 0700) == 0, "cannot make a folder");
		}
		snprintf(name, sizeof(name), forms[i % (int)FORMS].name, i);
		snprintf(path, sizeof(path), "%s/%d/%s", root, i / FOLDER, name);
		snprintf(text, sizeof(text), forms[i % (int)FORMS].text,
		    i % 3 == 0 ? "sasl_password" : "sasl_mechanism");
		measure_write(path, text, strlen(text));
	}
}

#define RIPGREP "/usr/bin/rg"
#define GIT "/usr/bin/git"

static char *program;

/* One after the other, so that what else the machine does befalls both. */
static void
measure_beside(char *root, int files, int runs)
{
	char *const audit[] = { program, (char *)"audit", root, (char *)"-o", (char *)"json",
		(char *)"--fail-on", (char *)"none", NULL };
	const int is_there = access(RIPGREP, X_OK) == 0;
	char *const search[] = { (char *)(is_there ? RIPGREP : "/usr/bin/grep"),
		(char *)(is_there ? "-i" : "-ri"), (char *)"password", root, NULL };
	double ours[RUNS], theirs[RUNS], ratios[RUNS], rss = 0;
	struct measure m;

	for (int i = 0; i < runs; i++) {
		measure_run(search, NULL, &m);
		theirs[i] = m.cpu_ms;
		measure_run(audit, NULL, &m);
		ours[i] = m.cpu_ms;
		ratios[i] = ours[i] / theirs[i];
		rss = m.rss_mib;
	}
	measure_header("audit of files of all forms", is_there ? "rg -i password" :
	    "grep -ri password");
	measure_line("audit -o json", ours, (size_t)runs, measure_median(theirs, (size_t)runs));
	printf("  %d files, a secret in each third, %.1f MiB at most; %.2f times the search, "
	    "run by run\n", files, rss, measure_median(ratios, (size_t)runs));
}

/* By turns on one processor and on all of them. */
static void
measure_threads(char *root, int runs)
{
	char *const audit[] = { program, (char *)"audit", root, (char *)"-o", (char *)"json",
		(char *)"--fail-on", (char *)"none", NULL };
	double one[RUNS], all[RUNS];
	cpu_set_t whole, first;
	struct measure m;
	char title[80];
	size_t cpu = 0;

	measure_must(sched_getaffinity(0, sizeof(whole), &whole) == 0, "no processors");
	while (!CPU_ISSET(cpu, &whole))
		cpu++;
	CPU_ZERO(&first);
	CPU_SET(cpu, &first);
	for (int i = 0; i < runs; i++) {
		measure_must(sched_setaffinity(0, sizeof(first), &first) == 0, "one processor");
		measure_run(audit, NULL, &m);
		one[i] = m.wall_ms;
		measure_must(sched_setaffinity(0, sizeof(whole), &whole) == 0, "all processors");
		measure_run(audit, NULL, &m);
		all[i] = m.wall_ms;
	}
	snprintf(title, sizeof(title), "the same by %d processors: time, not CPU",
	    CPU_COUNT(&whole));
	measure_header(title, "by one");
	measure_line("audit -o json", all, (size_t)runs, measure_median(one, (size_t)runs));
}

static void
measure_one(const char *what, char *const argv[])
{
	struct measure m;

	measure_run(argv, NULL, &m);
	printf("  %-38s %9.2f ms of CPU %9.2f ms %9.1f MiB\n", what, m.cpu_ms, m.wall_ms,
	    m.rss_mib);
	fflush(stdout);
}

static void
measure_audit(const char *what, char *root)
{
	char *const argv[] = { program, (char *)"audit", root, (char *)"-o", (char *)"json",
		(char *)"--fail-on", (char *)"none", NULL };

	measure_one(what, argv);
}

static void
make_deep(const char *root)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	measure_must(here != -1 && mkdir(root, 0700) == 0 && chdir(root) == 0, "no folder");
	for (int i = 0; i < DEEP; i++)
		measure_must(mkdir("d", 0700) == 0 && chdir("d") == 0, "no folder");
	measure_write("a.properties", "a.password=CANARY-long\n", 23);
	measure_must(fchdir(here) == 0, "no way back");
	close(here);
}

static void
make_large(const char *root)
{
	char path[512];

	measure_must(mkdir(root, 0700) == 0, "no folder");
	snprintf(path, sizeof(path), "%s/a.properties", root);
	measure_write(path, "a=b\n", 4);
	measure_must(truncate(path, LARGE) == 0, path);
}

static void
measure_staged(const char *root)
{
	char *const init[] = { (char *)GIT, (char *)"init", (char *)"-q", NULL };
	char *const add[] = { (char *)GIT, (char *)"add", (char *)".", NULL };
	char *const list[] = { (char *)GIT, (char *)"diff", (char *)"--cached",
		(char *)"--name-only", NULL };
	char *const audit[] = { program, (char *)"audit", (char *)"--staged", (char *)"--fail-on",
		(char *)"none", NULL };
	double ours[RUNS], theirs[RUNS];
	struct measure m;

	if (access(GIT, X_OK) != 0)
		return;
	measure_must(mkdir(root, 0700) == 0, "no folder");
	make_files(root, STAGED);
	measure_must(chdir(root) == 0, root);
	measure_run(init, NULL, &m);
	measure_run(add, NULL, &m);
	for (int i = 0; i < RUNS; i++) {
		measure_run(list, NULL, &m);
		theirs[i] = m.wall_ms;
		measure_run(audit, NULL, &m);
		ours[i] = m.wall_ms;
	}
	measure_must(chdir("/") == 0, "/");
	measure_header("ten files that are staged: time, not CPU",
	    "git diff --cached --name-only");
	measure_line("audit --staged", ours, RUNS, measure_median(theirs, RUNS));
}

int
main(int argc, char **argv)
{
	const int files = measure_is_smoke() ? FILES / 20 : FILES;
	char *root = measure_path("estate"), *many = measure_path("many");
	char *deep = measure_path("deep"), *large = measure_path("large");
	char *staged = measure_path("staged");

	measure_must(argc == 2 && (program = realpath(argv[1], NULL)) != NULL,
	    "usage: bench_findings PROPSEAL");
	measure_must(mkdir(root, 0700) == 0 && mkdir(many, 0700) == 0, "cannot make a folder");
	make_files(root, files);
	measure_beside(root, files, measure_is_smoke() ? 1 : RUNS);
	measure_threads(root, measure_is_smoke() ? 1 : RUNS);
	make_files(many, 10 * files);
	make_deep(deep);
	make_large(large);
	printf("\nwhat is large or deep\n");
	measure_audit(measure_is_smoke() ? "5 000 files" : "100 000 files", many);
	measure_audit("1 500 folders in one another", deep);
	measure_audit("a file of 1 GiB", large);
	measure_staged(staged);
	measure_scratch_remove();
	return 0;
}
