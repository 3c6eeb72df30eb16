#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "vt.h"

#define CONNECTOR_A \
	"{\n" \
	"  \"name\": \"conn-a\",\n" \
	"  \"config\": {\n" \
	"    \"connection.user\": \"${secret:conn-a:user}\",\n" \
	"    \"connection.password\": \"${secret:conn-a:password}\",\n" \
	"    \"both\": \"${secret:conn-a:user}/${secret:conn-a:password}\",\n" \
	"    \"gone\": \"${secret:conn-a:missing}\"\n" \
	"  }\n" \
	"}\n"

#define CONNECTOR_OTHER \
	"name=other\n" \
	"a.password=${secret:other:k}\n" \
	"b.password=${secret:conn-a:password}\n"

#define MASTER_KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n"

/* Run a shell line in the fixture's folder; its output (free it), NULL: it failed. */
static char *
shell(struct server *s, const char *line)
{
	char command[8192];
	char *text = NULL;
	size_t size = 0;
	ssize_t got;
	FILE *p;

	snprintf(command, sizeof(command), "cd %s && PROPSEAL_REGISTRY_URL='%s' "
	    "PROPSEAL_REGISTRY_USER=" SERVER_USER " PROPSEAL_REGISTRY_PASSWORD_FILE=password "
	    "PROPSEAL='%s' && export PROPSEAL_REGISTRY_URL PROPSEAL_REGISTRY_USER "
	    "PROPSEAL_REGISTRY_PASSWORD_FILE && { %s; }", s->f->dir, s->url, s->f->program, line);
	p = popen(command, "r");
	assert_non_null(p);
	got = getdelim(&text, &size, '\0', p);
	if (pclose(p) != 0) {
		free(text);
		return NULL;
	}
	return got < 0 ? (free(text), strdup("")) : text;
}

static void
must(struct server *s, const char *line)
{
	char *out = shell(s, line);

	if (out == NULL)
		fail_msg("failed: %s", line);
	free(out);
}

static void
write_private(struct fixture *f, const char *name, const char *text)
{
	char path[256];

	fixture_write(f, name, text);
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
make_files(struct fixture *f)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/connectors", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fixture_write(f, "connectors/conn-a.json", CONNECTOR_A);
	fixture_write(f, "connectors/other.properties", CONNECTOR_OTHER);
	write_private(f, "password", SERVER_PASSWORD "\n");
	write_private(f, "registry.key", MASTER_KEY);
}

/* Read what the service says until it tells its address. */
static void
read_address(struct server *s, int fd)
{
	char text[4096];
	char *at;
	size_t len = 0;
	ssize_t got;

	while (len < sizeof(text) - 1 &&
	    (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)got;
		text[len] = '\0';
		at = strstr(text, "listening on ");
		if (at != NULL && strchr(at, '\n') != NULL) {
			*strchr(at, '\n') = '\0';
			snprintf(s->url, sizeof(s->url), "http://%.40s", at + 13);
			return;
		}
	}
	fail_msg("the registry did not start: %.*s", (int)len, text);
}

static void
serve(struct server *s, const char *address)
{
	int out[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDERR_FILENO);
		if (chdir(s->f->dir) == 0)
			execl(s->f->program, s->f->program, "registry", "serve", "--data", "data",
			    "--listen", address, "--master-key-file", "registry.key",
			    (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	read_address(s, out[0]);
	/* Closing it would end the service with its next line. */
	fcntl(out[0], F_SETFD, 0);
}

static void
server_init(struct server *s, struct fixture *f)
{
	memset(s, 0, sizeof(*s));
	s->f = f;
	s->listener = -1;
}

void
server_start(struct server *s, struct fixture *f)
{
	server_init(s, f);
	make_files(f);
	must(s, "$PROPSEAL registry user add " SERVER_USER " --data data <password");
	must(s, "$PROPSEAL registry role grant SystemAdmin --principal " SERVER_USER
	    " --data data");
	serve(s, "127.0.0.1:0");
	must(s, "put() { printf %s \"$3\" | $PROPSEAL registry put $1 $2 >/dev/null; }; "
	    "put conn-a password " SERVER_OLD_VALUE " && put conn-a password " SERVER_NEW_VALUE
	    " && put conn-a user kafka && put other k x && put conn-b same v && put conn-b same v && "
	    "put conn-b certificate 'begin\nold\nend' && put conn-b certificate 'begin\nnew\nend'");
}

void
server_kill(struct server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

void
server_restart(struct server *s)
{
	serve(s, s->url + strlen("http://"));
}

void
server_stop(struct server *s)
{
	server_kill(s);
	if (s->listener > 0)
		close(s->listener);
	s->listener = -1;
}

/* One request of one connection. */
static void
answer(int fd, const struct reply *replies, size_t n)
{
	char request[4096];
	char head[256];
	ssize_t got = read(fd, request, sizeof(request) - 1);
	size_t i;

	request[got > 0 ? got : 0] = '\0';
	for (i = 0; i < n && strstr(request, replies[i].asked) == NULL; i++)
		;
	if (i < n && replies[i].body == NULL) {
		pause();
		_exit(0);
	}
	snprintf(head, sizeof(head), "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n", i < n ? replies[i].status : 404,
	    i < n ? strlen(replies[i].body) : 2);
	if (write(fd, head, strlen(head)) < 0 ||
	    write(fd, i < n ? replies[i].body : "{}", i < n ? strlen(replies[i].body) : 2) < 0)
		return;
}

void
server_fake(struct server *s, struct fixture *f, const struct reply *replies, size_t n)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);

	server_init(s, f);
	make_files(f);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	server_fake_on(s, replies, n);
}

/* SIGTERM ends it, but not in the middle of an answer. */
static void
listen_and_answer(int listener, const struct reply *replies, size_t n)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	sigset_t none, term;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	while (ppoll(&wait, 1, NULL, &none) == 1 && (fd = accept(listener, NULL, NULL)) >= 0) {
		answer(fd, replies, n);
		close(fd);
	}
	_exit(0);
}

void
server_fake_on(struct server *s, const struct reply *replies, size_t n)
{
	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		listen_and_answer(s->listener, replies, n);
}

struct vt *
server_open(struct server *s, int rows, int cols)
{
	struct fixture_start start = { .rows = rows, .cols = cols, .args = { "connectors",
	    "--url", s->url, "--user", SERVER_USER, "--password-file", "password" } };

	return fixture_run(s->f, &start);
}

struct vt *
server_open_without_password(struct server *s)
{
	struct fixture_start start = { .args = { "connectors", "--url", s->url, "--user",
	    SERVER_USER } };

	return fixture_run(s->f, &start);
}

char *
server_get(struct server *s, const char *path, const char *key, const char *version)
{
	char line[512];

	snprintf(line, sizeof(line), "$PROPSEAL registry get %s %s %s 2>/dev/null", path, key,
	    version);
	return shell(s, line);
}

void
server_put(struct server *s, const char *path, const char *key, const char *value)
{
	char line[512];

	snprintf(line, sizeof(line), "printf %%s '%s' | $PROPSEAL registry put %s %s >/dev/null",
	    value, path, key);
	must(s, line);
}
