#include "registry/service/action.h"
#include "cli/cli.h"

int
commands_registry_user(const struct options *o)
{
	static const struct action actions[] = {
		{ "add", 1, 1, commands_registry_user_add },
		{ "remove", 1, 1, commands_registry_user_remove },
		{ "list", 0, 0, commands_registry_user_list },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_token(const struct options *o)
{
	static const struct action actions[] = {
		{ "create", 0, 0, commands_registry_token_create },
		{ "revoke", 1, 1, commands_registry_token_revoke },
		{ "list", 0, 0, commands_registry_token_list },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_role(const struct options *o)
{
	static const struct action actions[] = {
		{ "grant", 1, 1, commands_registry_role_grant },
		{ "revoke", 1, 1, commands_registry_role_revoke },
		{ "list", 0, 0, commands_registry_role_list },
		{ "show", 0, 1, commands_registry_role_show },
		{ 0 }
	};

	return action_run(o, actions);
}

int
commands_registry_audit(const struct options *o)
{
	static const struct action actions[] = {
		{ "verify", 0, 0, commands_registry_audit_verify },
		{ "search", 0, 0, commands_registry_audit_search },
		{ 0 }
	};

	return action_run(o, actions);
}
