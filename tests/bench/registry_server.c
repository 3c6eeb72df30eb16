#include "registry_server.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PASSWORD "bench-password"

void
registry_certificate(const char *certificate, const char *key)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	FILE *f;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, k);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1",
	    -1, -1, 0);
	X509_set_issuer_name(x, name);
	measure_must(X509_sign(x, k, EVP_sha256()) > 0, "certificate");
	measure_must((f = fopen(certificate, "w")) != NULL && PEM_write_X509(f, x) == 1 &&
	    fclose(f) == 0, certificate);
	measure_must((f = fopen(key, "w")) != NULL &&
	    PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0, key);
	chmod(key, 0600);
	X509_free(x);
	EVP_PKEY_free(k);
}

/* Run `program registry ...` with ${input} on its standard input. */
static void
run(const char *input, char *const argv[])
{
	int ends[2];
	int status;
	pid_t pid;

	measure_must(pipe(ends) == 0, "pipe");
	if ((pid = fork()) == 0) {
		int quiet = open("/dev/null", O_WRONLY);

		dup2(ends[0], 0);
		dup2(quiet, 1);
		close(ends[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(ends[0]);
	measure_must(write(ends[1], input, strlen(input)) == (ssize_t)strlen(input), "write");
	close(ends[1]);
	measure_must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0, argv[2]);
}

static void
write_settings(const char *path, const char *certificate, const char *key, unsigned threads,
    int tls, const char *more)
{
	char text[12288];
	int n = snprintf(text, sizeof(text), "http.threads = %u\nauth.cache.ms = 3600000\n%s",
	    threads, more);

	if (tls)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
		    "ssl.certificate = %s\nssl.key = %s\n", certificate, key);
	measure_write(path, text, (size_t)n);
}

/* The port in "listening on ADDR:PORT". */
static int
read_port(int fd)
{
	char line[4096];
	size_t have = 0;
	ssize_t n = 0;
	const char *at;

	while (have < sizeof(line) - 1 && (n = read(fd, line + have, sizeof(line) - 1 - have)) > 0) {
		have += (size_t)n;
		line[have] = '\0';
		if ((at = strstr(line, "listening on ")) != NULL && strchr(at, '\n') != NULL)
			return atoi(strrchr(at, ':') + 1);
	}
	line[have] = '\0';
	measure_must(0, line);
	return -1;
}

void
registry_prepare(const char *program, const char *folder)
{
	char *self = (char *)(uintptr_t)program;
	char data[4200];

	snprintf(data, sizeof(data), "%s/data", folder);
	mkdir(folder, 0700);
	run(PASSWORD, (char *[]){ self, "registry", "user", "add", "bench", "--replace",
	    "--data", data, "-q", NULL });
	run("", (char *[]){ self, "registry", "role", "grant", "SystemAdmin", "--principal",
	    "bench", "--data", data, "-q", NULL });
}

pid_t
registry_start(const char *program, const char *folder, const char *certificate,
    const char *key, unsigned threads, int tls, const char *more, int *port)
{
	char data[4200], config[4200], master[4200];
	int ends[2];
	pid_t pid;

	snprintf(data, sizeof(data), "%s/data", folder);
	snprintf(config, sizeof(config), "%s/registry.ini", folder);
	snprintf(master, sizeof(master), "%s/master", folder);
	write_settings(config, certificate, key, threads, tls, more);
	measure_write(master, "a passphrase for the benchmark only\n", 36);
	measure_must(pipe(ends) == 0, "pipe");
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 2);
		close(ends[0]);
		execl(program, program, "registry", "serve", "--data", data, "--listen",
		    "127.0.0.1:0", "--config", config, "--master-key-file", master, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*port = read_port(ends[0]);
	close(ends[0]);
	return pid;
}

double
registry_cpu(pid_t pid)
{
	char path[64], text[1024];
	unsigned long user = 0, sys = 0;
	const char *at;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	measure_must((fd = open(path, O_RDONLY)) >= 0 &&
	    (n = read(fd, text, sizeof(text) - 1)) > 0, path);
	close(fd);
	text[n] = '\0';
	at = strrchr(text, ')');
	measure_must(at != NULL && sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%lu %lu", &user, &sys) == 2, path);
	return (double)(user + sys) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

double
registry_memory(pid_t pid)
{
	char path[64];
	unsigned long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	measure_must((f = fopen(path, "r")) != NULL && fscanf(f, "%*u %lu", &pages) == 1, path);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

void
registry_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
