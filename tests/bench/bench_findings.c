/*
 * The CPU time and peak memory of `propseal audit` on 10 000 files of all
 * forms, a third of which hold a secret, beside a search for one word in them:
 * `rg -i password` where ripgrep is installed, else `grep -ri password`.
 *
 * usage: bench_findings PROPSEAL
 */
#include <sys/stat.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/measure.h"

#define FILES 10000
#define FOLDER 250	/* files in one */
#define RUNS 7

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

static double
run(char *const argv[], double ms[RUNS], int runs)
{
	struct measure m;
	double rss = 0;

	for (int i = 0; i < runs; i++) {
		measure_run(argv, NULL, &m);
		ms[i] = m.cpu_ms;
		rss = m.rss_mib;
	}
	return rss;
}

int
main(int argc, char **argv)
{
	const int files = measure_is_smoke() ? FILES / 20 : FILES;
	const int runs = measure_is_smoke() ? 1 : RUNS;
	char *root = measure_path("estate");
	char *const audit[] = { argc > 1 ? argv[1] : NULL, (char *)"audit", root, (char *)"-o",
		(char *)"json", (char *)"--fail-on", (char *)"none", NULL };
	char *const ripgrep[] = { (char *)"/usr/bin/rg", (char *)"-i", (char *)"password", root,
		NULL };
	char *const grep[] = { (char *)"/usr/bin/grep", (char *)"-ri", (char *)"password", root,
		NULL };
	const int is_there = access(ripgrep[0], X_OK) == 0;
	double ours[RUNS], floor_ms[RUNS], rss, floor;

	measure_must(argc == 2, "usage: bench_findings PROPSEAL");
	measure_must(mkdir(root, 0700) == 0, "cannot make a folder");
	make_files(root, files);
	run(is_there ? ripgrep : grep, floor_ms, runs);
	rss = run(audit, ours, runs);
	measure_header("audit of files of all forms", is_there ? "rg -i password" :
	    "grep -ri password");
	floor = measure_median(floor_ms, (size_t)runs);
	measure_line("audit -o json", ours, (size_t)runs, floor);
	printf("  %d files, %.1f MiB at most\n", files, rss);
	measure_scratch_remove();
	return 0;
}
