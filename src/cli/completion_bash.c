#include "cli/completion.h"

#include <string.h>

#include "base/buf.h"
#include "common/command.h"

/*
 * bash splits words at = @ and : too, so the script puts them together again
 * and offers whole words, less what is there already.  Written for bash 3.2
 * and later, without the helpers of the bash-completion project.
 */
static const char head[] =
"# Completion of propseal for bash, printed by `propseal completion bash`.\n"
"\n"
"# Offer what `compgen ARGUMENT...` makes of the word behind $front.\n"
"_propseal_offer()\n"
"{\n"
"	local line\n"
"	while IFS= read -r line; do\n"
"		line=$front$line\n"
"		COMPREPLY+=(\"${line#\"$there\"}\")\n"
"	done < <(compgen \"$@\" -- \"${full#\"$front\"}\" 2>/dev/null)\n"
"}\n"
"\n"
"_propseal_files()\n"
"{\n"
"	compopt -o filenames 2>/dev/null\n"
"	_propseal_offer \"$@\"\n"
"}\n"
"\n"
"# Keys of the configuration file, each with $1 behind it.\n"
"_propseal_keys()\n"
"{\n"
"	[ -n \"$file\" ] || return 0\n"
"	compopt -o nospace 2>/dev/null\n"
"	_propseal_offer -W \"$(\"${COMP_WORDS[0]/#\\~\\//$HOME/}\" __complete "
"\"${file/#\\~\\//$HOME/}\" "
"2>/dev/null | sed \"s/\\$/$1/\")\"\n"
"}\n"
"\n"
"_propseal_value()\n"
"{\n"
"	case $kind:${full#\"$front\"} in\n"
"	source:@* | keys:@* | pairs:@*) front=$front@; _propseal_files -f ;;\n"
"	files:*) _propseal_files -f ;;\n"
"	folders:*) _propseal_files -d ;;\n"
"	words:*) _propseal_offer -W \"$words\" ;;\n"
"	keys:*,*) front=${full%,*},; _propseal_keys '' ;;\n"
"	keys:*) _propseal_keys '' ;;\n"
"	pairs:*) _propseal_keys '=' ;;\n"
"	esac\n"
"}\n"
"\n"
"_propseal()\n"
"{\n"
"	local -a w=()\n"
"	local cur=${2-} there full front='' kind='' words='' flags='' flag='' command=''\n"
"	local file='' named='' arguments='' ended='' glue='' count=0 i t\n"
"\n"
"	# Put together what belongs together.\n"
"	for ((i = 1; i <= COMP_CWORD; i++)); do\n"
"		t=${COMP_WORDS[i]}\n"
"		case $t in\n"
"		[=:]*) glue=1 ;;\n"
"		esac\n"
"		if [ -n \"$glue\" ] && [ ${#w[@]} -gt 0 ]; then\n"
"			w[${#w[@]} - 1]+=$t\n"
"		else\n"
"			w+=(\"$t\")\n"
"		fi\n"
"		glue=\n"
"		case $t in\n"
"		*[=:@]) glue=1 ;;\n"
"		esac\n"
"	done\n"
"	[ ${#w[@]} -gt 0 ] || return 0\n"
"	full=${w[${#w[@]} - 1]}\n"
"	unset \"w[${#w[@]} - 1]\"\n"
"	if [ $# -lt 2 ]; then\n"
"		cur=${COMP_WORDS[COMP_CWORD]}\n"
"		case $cur in\n"
"		= | : | @ | =@) cur= ;;\n"
"		esac\n"
"	fi\n"
"	there=${full%\"$cur\"}\n"
"	full=${full#[\\\"\\']} there=${there#[\\\"\\']}\n"
"	full=${full//\\\\/}\n"
"\n"
"	# Which command is it, and is a flag waiting for its value?\n"
"	for t in \"${w[@]-}\"; do\n"
"		if [ -n \"$flag\" ]; then\n"
"			[ \"$flag\" != --config-file ] || named=$t\n"
"			flag=\n"
"			continue\n"
"		fi\n"
"		if [ -n \"$ended\" ]; then\n"
"			count=$((count + 1))\n"
"			continue\n"
"		fi\n"
"		case $t in\n"
"		'') ;;\n"
"		--) ended=1 ;;\n"
"		--config-file=*) named=${t#*=} ;;\n"
"		--*=* | -?=*) ;;\n";

static const char middle[] =
"		-*) ;;\n"
"		*)\n"
"			[ -z \"$command\" ] && [ \"$t\" = secret ] && continue\n"
"			case $command in\n"
"			'') command=$t ;;\n";

static const char after_words[] =
"			*)\n"
"				[ $count -gt 0 ] || file=$t\n"
"				count=$((count + 1))\n"
"				;;\n"
"			esac\n"
"			;;\n"
"		esac\n"
"	done\n"
"	[ -z \"$named\" ] || file=$named\n"
"	if [ -z \"$flag\" ] && [ -z \"$ended\" ]; then\n"
"		case $full in\n"
"		--*=*) flag=${full%%=*} front=$flag= ;;\n"
"		esac\n"
"	fi\n"
"\n"
"	case $command in\n";

static const char tail[] =
"	*) arguments=files ;;\n"
"	esac\n"
"	if [ -n \"$flag\" ]; then\n"
"		_propseal_value\n"
"		return 0\n"
"	fi\n"
"	if [ -z \"$ended\" ] && [ \"${full:0:1}\" = - ]; then\n"
"		_propseal_offer -W \"$flags\"\n"
"		return 0\n"
"	fi\n"
"	kind=$arguments\n"
"	case $kind in\n"
"	first) _propseal_files -f; _propseal_offer -W \"$words\" ;;\n"
"	commands)\n"
"		[ -n \"$ended\" ] || return 0\n"
"		[ $count -gt 0 ] || _propseal_offer -c\n"
"		_propseal_files -f\n"
"		;;\n"
"	*) _propseal_value ;;\n"
"	esac\n"
"}\n"
"complete -F _propseal propseal\n";

static const char *
kind_name(enum completion_kind kind)
{
	static const char *const names[] = {
		[COMPLETION_NONE] = "none", [COMPLETION_FILES] = "files",
		[COMPLETION_FOLDERS] = "folders", [COMPLETION_WORDS] = "words",
		[COMPLETION_KEYS] = "keys", [COMPLETION_PAIRS] = "pairs",
		[COMPLETION_SOURCE] = "source", [COMPLETION_COMMANDS] = "commands",
	};

	return names[kind];
}

/* The line that knows which flags, of any command, have a value behind them. */
static void
append_flags_with_value(struct buf *out)
{
	const struct flag *f;
	size_t n = 0;
	int id;

	buf_append_str(out, "\t\t");
	for (id = 0; id < FLAG_COUNT; id++) {
		f = flag_get((enum flag_id)id);
		if (f->kind == FLAG_IS_SWITCH || (int)flag_find(f->name, strlen(f->name)) != id)
			continue;
		buf_printf(out, "%s--%s", n++ > 0 ? " | " : "", f->name);
		if (f->letter != 0)
			buf_printf(out, " | -%c", f->letter);
	}
	buf_append_str(out, ") flag=$t ;;\n");
}

/* The groups, whose commands have a second word. */
static void
append_groups(struct buf *out)
{
	size_t i, n = 0;

	buf_append_str(out, "\t\t\t");
	for (i = 0; i < command_count(); i++) {
		if (command_at(i)->group != NULL && completion_is_new(i))
			buf_printf(out, "%s%s", n++ > 0 ? " | " : "", command_at(i)->group);
	}
	buf_append_str(out, ") command=\"$command $t\" ;;\n");
}

static void
append_flag(const struct command_flag *cf, struct buf *out)
{
	const struct flag *f = flag_get(cf->id);
	enum completion_kind kind = completion_of_flag(f);

	if (f->kind == FLAG_IS_SWITCH)
		return;
	buf_printf(out, "\t\t--%s", f->name);
	if (f->letter != 0)
		buf_printf(out, " | -%c", f->letter);
	buf_printf(out, ") kind=%s", kind_name(kind));
	if (kind == COMPLETION_WORDS) {
		buf_append_str(out, " words='");
		completion_append_words(out, f->choices);
		buf_append_char(out, '\'');
	}
	buf_append_str(out, " ;;\n");
}

/* The flags of a command, and what their values are. */
static void
append_flags(const struct command *c, const char *more, struct buf *out)
{
	const struct command_flag *f;

	buf_printf(out, "\t\tflags='%s", more);
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		buf_printf(out, "%s--%s", f > c->flags || *more != '\0' ? " " : "",
		    flag_get(f->id)->name);
	buf_append_str(out, "'\n\t\tcase $flag in\n");
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		append_flag(f, out);
	buf_append_str(out, "\t\tesac\n\t\t;;\n");
}

static void
append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);

	buf_printf(out, "\t'%s%s%s')\n\t\targuments=%s", c->group != NULL ? c->group : "",
	    c->group != NULL ? " " : "", c->name, kind_name(kind));
	if (kind == COMPLETION_WORDS) {
		buf_append_str(out, " words='");
		completion_append_words(out, c->arguments);
		buf_append_char(out, '\'');
	}
	buf_append_char(out, '\n');
	append_flags(c, "", out);
}

/* The second words of a group. */
static void
append_group(const char *group, struct buf *out)
{
	const struct command *c;
	size_t i, n = 0;

	buf_printf(out, "\t'%s')\n\t\targuments=words flags=--help words='", group);
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (!c->hidden && c->group != NULL && strcmp(c->group, group) == 0)
			buf_printf(out, "%s%s", n++ > 0 ? " " : "", c->name);
	}
	buf_append_str(out, "'\n\t\t;;\n");
}

/* No command yet: it may come, or paths and flags of the interface. */
static void
append_first(struct buf *out)
{
	size_t i;

	buf_append_str(out, "\t'')\n\t\targuments=first words='");
	for (i = 0; i < command_count(); i++) {
		if (!command_at(i)->hidden && completion_is_new(i))
			buf_printf(out, "%s ", completion_first(command_at(i)));
	}
	buf_append_str(out, "help version'\n");
	append_flags(command_find(NULL, "ui"), "--version", out);
}

void
completion_bash(struct buf *out)
{
	const struct command *c;
	size_t i;

	buf_append_str(out, head);
	append_flags_with_value(out);
	buf_append_str(out, middle);
	append_groups(out);
	buf_append_str(out, after_words);
	append_first(out);
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden)
			continue;
		if (c->group != NULL && completion_is_new(i))
			append_group(c->group, out);
		append_command(c, out);
	}
	buf_append_str(out, tail);
}
