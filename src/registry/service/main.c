#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/client.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/process.h"
#include "common/report.h"
#include "common/service_commands.h"
#include "registry/base/clock.h"
#include "registry/base/settings.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"

/*
 * propseal-registryd: the commands of `propseal registry` that work on the
 * registry's folder.  `propseal registry NAME` starts it with its own command
 * line, `propseal-registryd NAME` does the same.
 */

#define HELP_MAX (64U << 10)
#define TRIES 3		/* to type the master key */
#define AGAIN_MS 1000	/* a signal to end is another one then */
#define MANAGER_MORE_MS 5000U	/* that systemd waits after the end has to be there */

static void
serve_tell(const struct error *what)
{
	(void)report_error(what);
}

static void
serve_note(const char *text)
{
	report_note("%s", text);
}

static int
read_settings(struct settings *s, const struct options *o, struct error *err)
{
	if (o->text[FLAG_SERVE_CONFIG] != NULL &&
	    settings_read(s, o->text[FLAG_SERVE_CONFIG], err) != 0)
		return -1;
	if (settings_read_environment(s, err) != 0)
		return -1;
	s->data = o->text[FLAG_DATA];
	if (o->text[FLAG_LISTEN] != NULL)
		s->listen = o->text[FLAG_LISTEN];
	if (o->text[FLAG_MASTER_KEY_FILE] != NULL)
		s->master_key_file = o->text[FLAG_MASTER_KEY_FILE];
	if (settings_check(s, err) != 0)
		return -1;
	if (s->log == STORE_LOG_LOCAL && s->kafka_count > 0)
		report_warning(NULL, "kafkastore.%s%s ignored: secrets are kept in %s, not in a "
		    "topic", s->kafka[0].name, s->kafka_count > 1 ? " and others of a store in "
		    "Kafka are" : " is", s->data);
	return 0;
}

/* Is there nothing that says the master key, but somebody to ask? */
static bool
may_ask(const struct settings *s)
{
	return s->master_key_file == NULL && s->master_key.len == 0 &&
	    !registry_master_given() && askpass_available();
}

/* Whatever a new store is sealed with must be what its owner meant to type. */
static bool
is_new(const char *data)
{
	char path[4096];
	struct stat st;

	return (size_t)snprintf(path, sizeof(path), "%s/registry.db", data) < sizeof(path) &&
	    stat(path, &st) != 0;
}

/* Ask, with the signals as they were ${before}, so that they end the question. */
static int
serve_ask(struct settings *s, const sigset_t *before, struct error *err)
{
	sigset_t blocked;
	int rc;

	buf_clear(&s->master_key);
	pthread_sigmask(SIG_SETMASK, before, &blocked);
	rc = is_new(s->data) ?
	    askpass_twice("Master key or passphrase of the new registry: ", &s->master_key, err) :
	    askpass_line("Master key or passphrase of the registry: ", &s->master_key, err);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	return rc;
}

/* Open it, asking for the master key where there is none. */
static struct service *
open_service(struct settings *s, const struct service_callbacks *v, const sigset_t *before,
    struct error *err)
{
	struct service *service;
	int i;

	if (!may_ask(s))
		return service_open(s, v, err);
	for (i = 0; i < TRIES; i++) {
		if (i > 0)
			(void)report_error(err);
		if (serve_ask(s, before, err) != 0)
			return NULL;
		if ((service = service_open(s, v, err)) != NULL || err->code != ERROR_KEY)
			return service;
	}
	return NULL;
}

/*
 * The end, as long as it may take: a disk that hangs would keep it for ever.  To be ended
 * as if killed is safe, as nothing is answered before it is on disk.
 */
static void *
end_watch(void *arg)
{
	const int64_t begun = clock_ms(), until = begun + *(const unsigned *)arg;
	struct timespec left;
	struct error err;
	sigset_t set;
	int64_t now;
	int sig = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* One that comes twice at once, as timeout(1) sends it, is one. */
	while ((now = clock_ms()) < until && (sig == -1 || now < begun + AGAIN_MS)) {
		left = (struct timespec){ (until - now) / 1000, (until - now) % 1000 * 1000000 };
		sig = sigtimedwait(&set, NULL, &left);
	}
	if (sig == -1)
		error_set(&err, ERROR_IO, "not ended after %u ms, so ended as if killed",
		    *(const unsigned *)arg);
	else
		error_set(&err, ERROR_IO, "told again to end, so ended as if killed");
	error_hint(&err, "whatever was answered is stored; does a disk of --data hang?");
	_exit(report_error(&err));
}

/* Have systemd wait as long as the end may take, whatever TimeoutStopSec= says (sd_notify(3)). */
static void
serve_tell_manager(unsigned ms)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path != NULL ? strlen(path) : 0;
	char text[96];
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@') ||
	    (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	memcpy(to.sun_path, path, n);
	/* An abstract name, that is written with an @. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64,
	    (uint64_t)(ms + MANAGER_MORE_MS) * 1000);
	(void)!sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

static bool
serve_end(struct service *service, const struct settings *s)
{
	unsigned ms = service_end_ms(s);
	pthread_t watch;
	bool ended;
	int rc = pthread_create(&watch, NULL, end_watch, &ms);

	serve_tell_manager(ms);
	report_state("ending, within %u ms", ms);
	ended = service_close(service);
	if (rc == 0) {
		(void)pthread_cancel(watch);
		(void)pthread_join(watch, NULL);
	}
	return ended;
}

static int
commands_registry_serve(const struct options *o)
{
	static const struct service_callbacks voice = { serve_tell, serve_note };
	struct settings *settings = NULL;
	struct service *service;
	struct error err;
	sigset_t before;
	bool ended = true;
	int status = 0;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	service_block_signals();
	if (wipe_on_free(&err) != 0)
		return report_error(&err);
	if ((settings = settings_new()) == NULL) {
		error_memory(&err);
		return report_error(&err);
	}
	if (read_settings(settings, o, &err) != 0 ||
	    (service = open_service(settings, &voice, &before, &err)) == NULL) {
		status = report_error(&err);
	} else {
		report_drop();
		report_state("listening on %s", service_address(service));
		(void)service_run(service, &voice);
		ended = serve_end(service, settings);
	}
	settings_free(settings);
	/* exit() would take OpenSSL from under a thread that may go on. */
	if (!ended)
		_exit(status);
	return status;
}

/* What runs each of the commands in service_commands.c. */
static const struct {
	const char *name;
	int (*run)(const struct options *o);
} runs[] = {
	{ "serve", commands_registry_serve },
	{ "user", commands_registry_user },
	{ "token", commands_registry_token },
	{ "role", commands_registry_role },
	{ "audit", commands_registry_audit },
	{ "restore", commands_registry_restore },
	{ "copy", commands_registry_copy },
};

static const struct command *
service_find(const char *name)
{
	size_t i;

	for (i = 0; i < service_command_count(); i++) {
		if (strcmp(service_command_at(i)->name, name) == 0)
			return service_command_at(i);
	}
	return NULL;
}

/* The help of a command, or for NULL the list of them. */
static int
service_help(const struct command *c)
{
	struct error err;
	struct buf text;
	size_t i;
	int rc;

	buf_init(&text, HELP_MAX);
	if (c != NULL) {
		usage_command(c, &text);
	} else {
		buf_append_str(&text, "propseal-registryd: the service of propseal's Secret "
		    "Registry\n\nusage: propseal-registryd COMMAND [flags]\n\nCommands:\n");
		for (i = 0; i < service_command_count(); i++)
			usage_row(service_command_at(i), &text);
		buf_append_str(&text, "\nExamples:\n");
		for (i = 0; i < service_command_count(); i++)
			usage_examples(service_command_at(i), 1, &text);
		buf_append_str(&text, "\nMore about one: propseal-registryd COMMAND --help\n");
	}
	rc = output_write(&text, &err);
	buf_release(&text);
	return rc == 0 ? 0 : report_error(&err);
}

static int
service_version(void)
{
	static const char text[] = "propseal-registryd " PROPSEAL_VERSION "\n";
	struct error err;

	return output_write_fd(1, "standard output", text, sizeof(text) - 1, &err) == 0 ? 0 :
	    report_error(&err);
}

static int
service_run_command(const struct command *c, int argc, char **argv, size_t skip)
{
	struct options o;
	struct error err;
	int status;
	size_t i;

	for (i = 0; strcmp(runs[i].name, c->name) != 0; i++)
		;
	if (options_parse(&o, c, argc, argv, skip, &err) != 0 ||
	    options_check_required(&o, &err) != 0)
		status = usage_error(c, &err);
	else
		status = runs[i].run(&o);
	options_release(&o);
	return status;
}

/* Find the command of a command line and run it: the exit status. */
static int
service_dispatch(int argc, char **argv)
{
	const struct command *c;
	struct error err;
	struct scan s;
	size_t at = 0;

	options_scan(argc, argv, &s);
	report_as_json(s.json);
	report_set(s.quiet, s.verbose, s.color);
	/* As propseal passes them on. */
	at += at < s.count && strcmp(s.words[at], "secret") == 0;
	at += at < s.count && strcmp(s.words[at], "registry") == 0;
	c = at < s.count ? service_find(s.words[at]) : NULL;
	if (s.help || (at == s.count && !s.version))
		return service_help(c);
	if (c == NULL && s.version)
		return service_version();
	if (c != NULL)
		return service_run_command(c, argc, argv, at + 1);
	error_set(&err, ERROR_USAGE, "unknown command: %s", s.words[at]);
	error_hint(&err, "`propseal-registryd --help` lists the commands; propseal has the others");
	return report_error(&err);
}

int
main(int argc, char **argv)
{
	process_begin();
	/* Counting what SQLite has allocated takes a lock each time, and nobody asks. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	return report_end(service_dispatch(argc, argv));
}
