#include <sys/eventfd.h>
#include <sys/stat.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/interface.h"
#include "cli/keys.h"
#include "cli/remote.h"
#include "cli/settings.h"
#include "client/wipe.h"
#include "common/args.h"
#include "common/report.h"
#include "ui/findings.h"
#include "ui/registry_names.h"
#include "ui/ui.h"

#define TIMEOUT_MS 10000	/* a person waits */

/*
 * The registry as the interface asks it (ui/registry_source.h): a thread does
 * one request at a time by the blocking client, and tells the interface's
 * loop by an eventfd.
 */

struct interface_registry {
	struct registry_source source;
	struct place place;
	struct worker *worker;	/* NULL: none was needed yet */
	struct buf header;	/* secret; of the password that was typed */
	unsigned long last;	/* the number of the last request */
	int fd;
};

static void
end_worker(struct interface_registry *r)
{
	uint64_t count;

	worker_end(r->worker);
	r->worker = NULL;
	if (read(r->fd, &count, sizeof(count)) < 0) {
		/* It was empty already. */
	}
}

static unsigned long
interface_registry_submit(void *cookie, const struct registry_request *req, struct error *err)
{
	struct interface_registry *r = cookie;

	if (r->worker == NULL &&
	    (r->worker = worker_new(&r->place, &r->header, r->fd, err)) == NULL)
		return 0;
	if (worker_add(r->worker, r->last + 1, req, err) == -1)
		return 0;
	return ++r->last;
}

static struct registry_answer *
interface_registry_take(void *cookie)
{
	struct interface_registry *r = cookie;

	return r->worker != NULL ? worker_take(r->worker) : NULL;
}

static void
cancel(void *cookie, unsigned long id)
{
	struct interface_registry *r = cookie;

	/* A new one need not wait for the end of the old one's request. */
	if (r->worker != NULL && !worker_drop(r->worker, id))
		end_worker(r);
}

static int
interface_registry_authorize(void *cookie, const char *user, const struct buf *password,
    struct error *err)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_clear(&r->header);
	return login_by_password(user, password, &r->header, err);
}

static void
interface_registry_forget(void *cookie)
{
	struct interface_registry *r = cookie;

	end_worker(r);
	buf_release(&r->header);
}

static void
interface_registry_describe(struct interface_registry *r)
{
	const struct login *l = &r->place.login;

	r->source = (struct registry_source){
		.cookie = r,
		.url = r->place.client.url,
		.user = l->token_file == NULL ? l->user : NULL,
		.asks_password = l->token_file == NULL && l->user != NULL &&
		    l->password_file == NULL,
		.fd = r->fd,
		.submit = interface_registry_submit,
		.take = interface_registry_take,
		.cancel = cancel,
		.authorize = interface_registry_authorize,
		.forget = interface_registry_forget,
	};
}

/**
 * interface_registry_open(o, r, err):
 * The registry that the flags or the environment name; ${*r} is NULL when they
 * name none.  Nothing is asked yet.  Call it before OpenSSL is used.
 */
static int
interface_registry_open(const struct options *o, struct interface_registry **out, struct error *err)
{
	struct interface_registry *r;
	struct place p;

	*out = NULL;
	place_read(o, &p);
	if (!p.named)
		return 0;
	if (wipe_on_free(err) != 0)
		return -1;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return error_memory(err);
	r->place = p;
	r->place.client.timeout_ms = TIMEOUT_MS;
	buf_init_secret(&r->header, LOGIN_HEADER_MAX);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		free(r);
		return error_io(err, NULL, "no eventfd");
	}
	interface_registry_describe(r);
	*out = r;
	return 0;
}

static const struct registry_source *
interface_registry_source(const struct interface_registry *r)
{
	return r != NULL ? &r->source : NULL;
}

/* NULL is fine.  False: a request still is under way, so that the program must
 * end without tidying up (_exit). */
static bool
interface_registry_close(struct interface_registry *r)
{
	if (r == NULL)
		return true;
	end_worker(r);
	/* A worker that is left alone still uses the place. */
	if (worker_left() > 0)
		return false;
	buf_release(&r->header);
	close(r->fd);
	free(r);
	return true;
}

static int
interface_check_paths(const struct options *o, struct error *err)
{
	struct stat st;
	size_t i;

	for (i = 0; i < o->arg_count; i++) {
		if (stat(o->args[i], &st) == 0)
			continue;
		if (errno != ENOENT)
			return error_io(err, o->args[i], "cannot open");
		error_set(err, ERROR_MISSING, "no such file or folder");
		return error_place(err, o->args[i], 0);
	}
	return 0;
}

static struct key_ring *
interface_keys(void *cookie, struct error *err)
{
	return keys_ring(cookie, false, err);
}

/* By flag or setting; without colours by NO_COLOR and --color, which the flag overrules.
 * ${*follows}: it is as the terminal is. */
static enum theme
interface_theme(const struct options *o, bool *follows)
{
	const char *color = o->text[FLAG_COLOR], *name = o->text[FLAG_THEME];
	enum theme t = name != NULL ? theme_find(name) : THEME_DEFAULT;

	if (!o->given[FLAG_THEME] && color != NULL && strcmp(color, "never") == 0)
		return THEME_MONOCHROME;
	*follows = name != NULL && strcmp(name, THEME_AUTO) == 0;
	return t == THEME_COUNT ? THEME_DEFAULT : t;
}

void
interface_look(const struct options *o, struct ui_options *ui)
{
	*ui = (struct ui_options){
		.policy = keys_policy(o),
		.reveal_ms = 1000 * o->seconds[FLAG_REVEAL_TIME],
		.copy_ms = 1000 * o->seconds[FLAG_COPY_TIME],
		.lock_ms = 1000 * o->seconds[FLAG_LOCK_TIME],
		.lock_timeout_ms = options_lock_timeout(o),
		.read_aloud = o->on[FLAG_SCREEN_READER],
		.looks = config_looks(o->config),
		.bindings = config_bindings(o->config),
	};
	ui->theme = interface_theme(o, &ui->theme_auto);
}

int
commands_interface(const struct options *o)
{
	struct interface_registry *registry;
	struct findings_source findings;
	struct ui_leave leave = { .for_tutor = true };
	struct error err;
	struct ui_options ui;
	int status;

	interface_look(o, &ui);
	ui.paths = o->args;
	ui.path_count = o->arg_count;
	ui.secrets_file = o->text[FLAG_LOCAL_SECRETS_FILE];
	ui.environments = config_sections(o->config);
	ui.remote_path = o->text[FLAG_REMOTE_SECRETS_FILE];
	ui.keys = interface_keys;
	ui.keys_cookie = (void *)(uintptr_t)o;
	ui.scope = config_scope(o->config);
	ui.rules = config_rules(o->config);
	ui.trail = config_trail(o->config);
	ui.provider_class = config_provider_class(o->config);
	ui.leave = &leave;
	if (interface_registry_open(o, &registry, &err) != 0)
		return report_error(&err);
	ui.registry = interface_registry_source(registry);
	interface_findings(o, &findings);
	ui.findings = &findings;
	status = interface_check_paths(o, &err) != 0 ? report_error(&err) : 0;
	while (status == 0 && leave.for_tutor) {
		leave.for_tutor = false;
		status = ui_run(&ui);
		if (status == 0 && leave.for_tutor)
			status = commands_tutor_screen(o, NULL);
	}
	if (!interface_registry_close(registry))
		_exit(status);
	return status;
}
