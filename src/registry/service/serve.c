#include <sys/stat.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/client.h"
#include "common/args.h"
#include "common/ask.h"
#include "common/report.h"
#include "registry/base/settings.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"

#define TRIES 3

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

int
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
		fprintf(stderr, "propseal: listening on %s\n", service_address(service));
		(void)service_run(service, &voice);
		fprintf(stderr, "propseal: ending\n");
		ended = service_close(service);
	}
	settings_free(settings);
	/* exit() would take OpenSSL from under a thread that may go on. */
	if (!ended)
		_exit(status);
	return status;
}
