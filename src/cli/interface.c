#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/interface_registry.h"
#include "common/options.h"
#include "common/report.h"
#include "ui/ui.h"

static int
check_paths(const struct options *o, struct error *err)
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

int
commands_interface(const struct options *o)
{
	struct interface_registry *registry;
	struct error err;
	struct ui_options ui = {
		.paths = o->args,
		.path_count = o->arg_count,
		.secrets_file = o->text[FLAG_LOCAL_SECRETS_FILE],
		.remote_path = o->text[FLAG_REMOTE_SECRETS_FILE],
		.master_key_file = o->text[FLAG_MASTER_KEY_FILE],
		.reveal_ms = 1000 * o->seconds[FLAG_REVEAL_TIME],
		.lock_ms = 1000 * o->seconds[FLAG_LOCK_TIME],
		.lock_timeout_ms = options_lock_timeout(o),
		.theme = config_theme(o->config),
		.bindings = config_bindings(o->config),
		.scope = config_scope(o->config),
		.rules = config_rules(o->config),
	};

	int status;

	if (interface_registry_open(o, &registry, &err) != 0)
		return report_error(&err);
	ui.registry = interface_registry_source(registry);
	status = check_paths(o, &err) != 0 ? report_error(&err) : ui_run(&ui);
	if (!interface_registry_close(registry))
		_exit(status);
	return status;
}
