#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "options.h"
#include "registry/cli/cli.h"
#include "registry/service.h"
#include "registry/settings.h"
#include "registry/wipe.h"
#include "report.h"

static void
tell(const struct error *what)
{
	(void)report_error(what);
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
	return 0;
}

int
commands_registry_serve(const struct options *o)
{
	struct settings *settings = NULL;
	struct service *service;
	struct error err;
	int status = 0;

	service_block_signals();
	if (wipe_on_free(&err) != 0)
		return report_error(&err);
	if ((settings = settings_new()) == NULL) {
		error_memory(&err);
		return report_error(&err);
	}
	if (read_settings(settings, o, &err) != 0 ||
	    (service = service_open(settings, &err)) == NULL) {
		status = report_error(&err);
	} else {
		fprintf(stderr, "propseal: listening on %s\n", service_address(service));
		(void)service_run(service, tell);
		fprintf(stderr, "propseal: ending\n");
		service_close(service);
	}
	settings_free(settings);
	return status;
}
