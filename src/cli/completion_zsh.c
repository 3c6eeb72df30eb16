#include "cli/completion.h"

#include <string.h>

#include "base/buf.h"
#include "common/command.h"

static const char head[] =
"#compdef propseal\n"
"# Completion of propseal for zsh, printed by `propseal completion zsh`.\n"
"\n"
"# Keys of the configuration file, each with $1 behind it.\n"
"_propseal_keys() {\n"
"	local file=${(Q)opt_args[--config-file]:-${(Q)line[1]}}\n"
"	local -a keys\n"
"	if compset -P '@'; then\n"
"		_files\n"
"		return\n"
"	fi\n"
"	[[ -n $1 ]] || compset -P '*,'\n"
"	[[ -n $file ]] || return 1\n"
"	keys=(${(f)\"$(_call_program keys $_propseal_program __complete "
"${(q)${file/#\\~\\//$HOME/}} 2>/dev/null)\"})\n"
"	compadd -S \"$1\" -- $keys\n"
"}\n"
"\n"
"_propseal_source() {\n"
"	compset -P '@' && _files\n"
"}\n"
"\n";

static const char tail[] =
"\n"
"_propseal() {\n"
"	local curcontext=$curcontext state ret=1 _propseal_program=$words[1]\n"
"	local -a line\n"
"	local -A opt_args\n"
"	if [[ $words[2] = secret && CURRENT -gt 2 ]]; then\n"
"		words[2]=()\n"
"		(( CURRENT-- ))\n"
"	fi\n"
"	if [[ CURRENT -eq 2 ]]; then\n"
"		_propseal_first && ret=0\n"
"		[[ $PREFIX = -* ]] || _files && ret=0\n"
"		return ret\n"
"	fi\n"
"	shift words\n"
"	(( CURRENT-- ))\n"
"	_propseal_command\n"
"}\n"
"\n"
"if [[ $funcstack[1] = _propseal ]]; then\n"
"	_propseal \"$@\"\n"
"else\n"
"	compdef _propseal propseal\n"
"fi\n";

/* Text inside single quotes, where _arguments has [ ] and : for itself. */
static void
append_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			buf_append_str(out, "'\\''");
			continue;
		}
		if (strchr("[]:\\", *text) != NULL)
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
}

static void
append_action(enum completion_kind kind, const char *choices, struct buf *out)
{
	static const char *const actions[] = {
		[COMPLETION_NONE] = " ", [COMPLETION_FILES] = "_files",
		[COMPLETION_FOLDERS] = "_files -/", [COMPLETION_WORDS] = "",
		[COMPLETION_KEYS] = " _propseal_keys", [COMPLETION_PAIRS] = " _propseal_keys =",
		[COMPLETION_SOURCE] = " _propseal_source",
		[COMPLETION_COMMANDS] = "_normal",
	};

	if (kind != COMPLETION_WORDS) {
		buf_append_str(out, actions[kind]);
		return;
	}
	buf_append_char(out, '(');
	completion_append_words(out, choices);
	buf_append_char(out, ')');
}

static void
append_flag(const struct command_flag *cf, struct buf *out)
{
	const struct flag *f = flag_get(cf->id);
	const char *sign = f->kind == FLAG_IS_SWITCH ? "" : "=";

	buf_append_str(out, " \\\n\t\t\t");
	if (f->letter != 0)
		buf_printf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", f->letter, f->name, f->letter,
		    *sign != '\0' ? "+" : "", f->name, sign);
	else
		buf_printf(out, "'%s--%s%s", f->many ? "*" : "", f->name, sign);
	buf_append_char(out, '[');
	append_text(out, cf->help != NULL ? cf->help : f->help);
	buf_append_char(out, ']');
	if (f->kind != FLAG_IS_SWITCH) {
		buf_append_char(out, ':');
		append_text(out, f->argument);
		buf_append_char(out, ':');
		append_action(completion_of_flag(f), f->choices, out);
	}
	buf_append_char(out, '\'');
}

static void
append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);
	const struct command_flag *f;

	buf_printf(out, "\t'%s%s%s')\n\t\t_arguments -S", c->group != NULL ? c->group : "",
	    c->group != NULL ? " " : "", c->name);
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		append_flag(f, out);
	if (kind != COMPLETION_NONE) {
		buf_append_str(out, kind == COMPLETION_COMMANDS ? " \\\n\t\t\t'*::command:" :
		    " \\\n\t\t\t'*:argument:");
		append_action(kind, c->arguments, out);
		buf_append_char(out, '\'');
	}
	buf_append_str(out, "\n\t\t;;\n");
}

/* `'name:summary'` lines of a group's commands, or of all first words. */
static void
append_list(const char *group, struct buf *out)
{
	const struct command *c;
	size_t i;

	buf_append_str(out, "\tlist=(\n");
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || (group == NULL ? !completion_is_new(i) :
		    c->group == NULL || strcmp(c->group, group) != 0))
			continue;
		buf_printf(out, "\t\t'%s:", group == NULL ? completion_first(c) : c->name);
		if (group == NULL && c->group != NULL)
			buf_printf(out, "commands: %s ...", c->group);
		else
			append_text(out, c->summary);
		buf_append_str(out, "'\n");
	}
	if (group == NULL)
		buf_append_str(out, "\t\t'help:explain a command'\n"
		    "\t\t'version:print the version'\n");
	buf_append_str(out, "\t)\n\t_describe -t commands command list\n");
}

void
completion_zsh(struct buf *out)
{
	const struct command *c;
	size_t i;

	buf_append_str(out, head);
	buf_append_str(out, "_propseal_first() {\n\tlocal -a list\n"
	    "\tif [[ $PREFIX = -* ]]; then\n"
	    "\t\tcompadd -- --help --version\n\t\treturn\n\tfi\n");
	append_list(NULL, out);
	buf_append_str(out, "}\n");
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || c->group == NULL || !completion_is_new(i))
			continue;
		buf_printf(out, "\n_propseal_group_%s() {\n\tlocal -a list\n", c->group);
		append_list(c->group, out);
		buf_append_str(out, "}\n");
	}
	buf_append_str(out, "\n# ${words[1]} is the command's first word.\n"
	    "_propseal_command() {\n\tlocal command=$words[1]\n\tcase $command in\n");
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || c->group == NULL || !completion_is_new(i))
			continue;
		buf_printf(out, "\t%s)\n\t\tif [[ CURRENT -eq 2 ]]; then\n"
		    "\t\t\t_propseal_group_%s\n\t\t\treturn\n\t\tfi\n"
		    "\t\tcommand=\"$words[1] $words[2]\"\n\t\tshift words\n\t\t(( CURRENT-- ))\n"
		    "\t\t;;\n", c->group, c->group);
	}
	buf_append_str(out, "\tesac\n\tcase $command in\n");
	for (i = 0; i < command_count(); i++) {
		if (!command_at(i)->hidden)
			append_command(command_at(i), out);
	}
	buf_append_str(out, "\t*) _files ;;\n\tesac\n}\n");
	buf_append_str(out, tail);
}
