#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/commands.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "plan/configuration.h"

#define SCRIPT_MAX (1U << 20)

/* What a shell offers for a value. */
enum completion_kind {
	COMPLETION_NONE,	/* nothing is known */
	COMPLETION_FILES,
	COMPLETION_FOLDERS,
	COMPLETION_WORDS,	/* one of a few */
	COMPLETION_KEYS,	/* keys of the configuration file, with commas; @FILE */
	COMPLETION_PAIRS,	/* key=; @FILE */
	COMPLETION_SOURCE,	/* @FILE */
	COMPLETION_COMMANDS	/* a command of the system and its arguments */
};

/*
 * For the completion scripts: the keys of a configuration file, one a line.
 * A shell would take some characters for its own, and a line end for two
 * keys: such keys are left out.  Somebody is typing, so no error is said.
 */
static void
complete_append_key(struct buf *out, const char *key, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/@%+~";
	size_t i;

	for (i = 0; i < len; i++) {
		if (key[i] == '\0' || strchr(plain, key[i]) == NULL)
			return;
	}
	buf_append(out, key, len);
	buf_append_char(out, '\n');
}

int
commands_complete(const struct options *o)
{
	struct configuration *c = configuration_load(o->args[0], NULL);
	struct buf out;
	const char *key;
	size_t i, len;
	int rc;

	if (c == NULL)
		return 1;
	buf_init(&out, BUF_MAX_FILE);
	for (i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (!document_shadowed(c->doc, i) && len > 0)
			complete_append_key(&out, key, len);
	}
	rc = output_write(&out, NULL);
	buf_release(&out);
	configuration_free(c);
	return rc == 0 ? 0 : 1;
}

/*
 * bash splits words at = @ and : too, so the script puts them together again
 * and offers whole words, less what is there already.  Written for bash 3.2
 * and later, without the helpers of the bash-completion project.
 */
static const char bash_head[] =
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

static const char bash_tail[] =
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
bash_kind_name(enum completion_kind kind)
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

static bool completion_is_new(size_t i);

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

static enum completion_kind completion_of_flag(const struct flag *f);

static void completion_append_words(struct buf *out, const char *choices);

static void
bash_append_flag(const struct command_flag *cf, struct buf *out)
{
	const struct flag *f = flag_get(cf->id);
	enum completion_kind kind = completion_of_flag(f);

	if (f->kind == FLAG_IS_SWITCH)
		return;
	buf_printf(out, "\t\t--%s", f->name);
	if (f->letter != 0)
		buf_printf(out, " | -%c", f->letter);
	buf_printf(out, ") kind=%s", bash_kind_name(kind));
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
		bash_append_flag(f, out);
	buf_append_str(out, "\t\tesac\n\t\t;;\n");
}

static enum completion_kind completion_of_arguments(const struct command *c);

static void
bash_append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);

	buf_printf(out, "\t'%s%s%s')\n\t\targuments=%s", c->group != NULL ? c->group : "",
	    c->group != NULL ? " " : "", c->name, bash_kind_name(kind));
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

static const char *completion_first(const struct command *c);

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

static void
completion_bash(struct buf *out)
{
	const struct command *c;
	size_t i;

	buf_append_str(out, bash_head);
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
		bash_append_command(c, out);
	}
	buf_append_str(out, bash_tail);
}

static const char fish_head[] =
"# Completion of propseal for fish, printed by `propseal completion fish`.\n"
"\n"
"# The words of the command so far, without flags and their values.\n"
"function __propseal_words\n"
"	set -l skip 0\n"
"	for word in (commandline -opc)[2..-1]\n"
"		if test $skip = 1\n"
"			set skip 0\n"
"		else if string match -q -- '--*=*' $word\n"
"			continue\n"
"		else if contains -- $word $__propseal_with_value\n"
"			set skip 1\n"
"		else if not string match -q -- '-*' $word\n"
"			echo $word\n"
"		end\n"
"	end\n"
"end\n"
"\n"
"# Are the words these?  A first `secret` says nothing.\n"
"function __propseal_at\n"
"	set -l words (__propseal_words)\n"
"	test \"$words[1]\" = secret; and set -e words[1]\n"
"	set -l n (count $argv)\n"
"	test \"$words[1..$n]\" = \"$argv\"\n"
"end\n"
"\n"
"# Is the next word a command, or the second word of $argv?\n"
"function __propseal_after\n"
"	set -l words (__propseal_words)\n"
"	test \"$words[1]\" = secret; and set -e words[1]\n"
"	test \"$words\" = \"$argv\"\n"
"end\n"
"\n"
"# Keys of the configuration file, each with $argv[1] behind it.\n"
"function __propseal_keys\n"
"	set -l words (commandline -opc)\n"
"	set -l file\n"
"	for i in (seq (count $words))\n"
"		if test $words[$i] = --config-file; and test $i -lt (count $words)\n"
"			set file $words[(math $i + 1)]\n"
"		else if string match -q -- '--config-file=*' $words[$i]\n"
"			set file (string replace -- --config-file= '' $words[$i])\n"
"		end\n"
"	end\n"
"	test -n \"$file\"; or set file (__propseal_words)[-1]\n"
"	test -n \"$file\"; or return\n"
"	set -l front (string match -r -- '^.*,' (commandline -ct | "
"string replace -r -- '^--config=' ''))\n"
"	test \"$argv[1]\" = =; and set front ''\n"
"	for key in ($words[1] __complete $file 2>/dev/null)\n"
"		echo \"$front$key$argv[1]\"\n"
"	end\n"
"end\n"
"\n"
"function __propseal_source\n"
"	set -l word (commandline -ct | string replace -r -- '^--[a-z-]*=' '')\n"
"	string match -q -- '@*' $word; or return\n"
"	for name in (__fish_complete_path (string sub -s 2 -- $word))\n"
"		echo @$name\n"
"	end\n"
"end\n"
"\n"
"# What stands behind --, as if it stood alone.\n"
"function __propseal_command\n"
"	set -l words (commandline -opc)\n"
"	set -l at (contains -i -- -- $words); or return\n"
"	set -l rest\n"
"	test $at -lt (count $words); and set rest $words[(math $at + 1)..-1]\n"
"	complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))\n"
"end\n"
"\n"
"complete -c propseal -e\n";

static void
fish_append_quoted(struct buf *out, const char *text)
{
	buf_append_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '\'')
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
	buf_append_char(out, '\'');
}

static void
fish_append_words(struct buf *out, const char *choices)
{
	buf_append_str(out, " -x -a '");
	completion_append_words(out, choices);
	buf_append_char(out, '\'');
}

static void
fish_append_value(enum completion_kind kind, const char *choices, struct buf *out)
{
	switch (kind) {
	case COMPLETION_NONE:
		buf_append_str(out, " -x");
		break;
	case COMPLETION_FILES:
		buf_append_str(out, " -r -F");
		break;
	case COMPLETION_FOLDERS:
		buf_append_str(out, " -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETION_WORDS:
		fish_append_words(out, choices);
		break;
	case COMPLETION_KEYS:
		buf_append_str(out, " -x -a '(__propseal_keys; __propseal_source)'");
		break;
	case COMPLETION_PAIRS:
		buf_append_str(out, " -x -a '(__propseal_keys =; __propseal_source)'");
		break;
	case COMPLETION_SOURCE:
		buf_append_str(out, " -x -a '(__propseal_source)'");
		break;
	case COMPLETION_COMMANDS:
		buf_append_str(out, " -x -a '(__propseal_command)'");
		break;
	}
}

static void
append_start(const char *condition, const char *group, const char *name, struct buf *out)
{
	buf_printf(out, "complete -c propseal -n '%s%s%s%s%s'", condition,
	    group != NULL ? " " : "", group != NULL ? group : "", name != NULL ? " " : "",
	    name != NULL ? name : "");
}

static void
fish_append_flag(const struct command *c, const struct command_flag *cf, struct buf *out)
{
	const struct flag *f = flag_get(cf->id);

	append_start("__propseal_at", c->group, c->name, out);
	buf_printf(out, " -l %s", f->name);
	if (f->letter != 0)
		buf_printf(out, " -s %c", f->letter);
	if (f->kind != FLAG_IS_SWITCH)
		fish_append_value(completion_of_flag(f), f->choices, out);
	buf_append_str(out, " -d ");
	fish_append_quoted(out, cf->help != NULL ? cf->help : f->help);
	buf_append_char(out, '\n');
}

static void
fish_append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);
	const struct command_flag *f;

	append_start("__propseal_after", c->group, NULL, out);
	/* A path may stand in place of a first word. */
	buf_printf(out, "%s -a %s -d ", c->group != NULL ? " -f" : "", c->name);
	fish_append_quoted(out, c->summary);
	buf_append_char(out, '\n');
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		fish_append_flag(c, f, out);
	append_start("__propseal_at", c->group, c->name, out);
	if (kind == COMPLETION_NONE)
		buf_append_str(out, " -f");
	else if (kind == COMPLETION_FILES)
		buf_append_str(out, " -F");
	else
		fish_append_value(kind, c->arguments, out);
	buf_append_char(out, '\n');
}

static void
completion_fish(struct buf *out)
{
	const struct command *c;
	const struct flag *f;
	size_t i;
	int id;

	buf_append_str(out, fish_head);
	buf_append_str(out, "set -g __propseal_with_value");
	for (id = 0; id < FLAG_COUNT; id++) {
		f = flag_get((enum flag_id)id);
		if (f->kind == FLAG_IS_SWITCH)
			continue;
		buf_printf(out, " --%s", f->name);
		if (f->letter != 0)
			buf_printf(out, " -%c", f->letter);
	}
	buf_append_char(out, '\n');
	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden)
			continue;
		if (c->group != NULL && completion_is_new(i)) {
			append_start("__propseal_after", NULL, NULL, out);
			buf_printf(out, " -a %s -d 'commands: %s ...'\n", c->group, c->group);
		}
		fish_append_command(c, out);
	}
	append_start("__propseal_after", NULL, NULL, out);
	buf_append_str(out, " -a 'help version'\n");
	append_start("__propseal_after", NULL, NULL, out);
	buf_append_str(out, " -l version -d 'print the version'\n");
}

static const char zsh_head[] =
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

static const char zsh_tail[] =
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
zsh_append_text(struct buf *out, const char *text)
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
zsh_append_flag(const struct command_flag *cf, struct buf *out)
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
	zsh_append_text(out, cf->help != NULL ? cf->help : f->help);
	buf_append_char(out, ']');
	if (f->kind != FLAG_IS_SWITCH) {
		buf_append_char(out, ':');
		zsh_append_text(out, f->argument);
		buf_append_char(out, ':');
		append_action(completion_of_flag(f), f->choices, out);
	}
	buf_append_char(out, '\'');
}

static void
zsh_append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);
	const struct command_flag *f;

	buf_printf(out, "\t'%s%s%s')\n\t\t_arguments -S", c->group != NULL ? c->group : "",
	    c->group != NULL ? " " : "", c->name);
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		zsh_append_flag(f, out);
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
			zsh_append_text(out, c->summary);
		buf_append_str(out, "'\n");
	}
	if (group == NULL)
		buf_append_str(out, "\t\t'help:explain a command'\n"
		    "\t\t'version:print the version'\n");
	buf_append_str(out, "\t)\n\t_describe -t commands command list\n");
}

/* Append the whole script for a shell, made from the command table. */
static void
completion_zsh(struct buf *out)
{
	const struct command *c;
	size_t i;

	buf_append_str(out, zsh_head);
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
			zsh_append_command(command_at(i), out);
	}
	buf_append_str(out, "\t*) _files ;;\n\tesac\n}\n");
	buf_append_str(out, zsh_tail);
}

static enum completion_kind
completion_of_flag(const struct flag *f)
{
	bool keys = f->argument != NULL && strncmp(f->argument, "KEY", 3) == 0;

	switch (f->kind) {
	case FLAG_IS_SWITCH:
	case FLAG_IS_SECONDS:
		return COMPLETION_NONE;
	case FLAG_IS_CHOICE:
		return COMPLETION_WORDS;
	case FLAG_IS_PATH:
		return strcmp(f->argument, "DIR") == 0 ? COMPLETION_FOLDERS :
		    COMPLETION_FILES;
	case FLAG_IS_TEXT:
		return keys ? COMPLETION_KEYS : COMPLETION_NONE;
	case FLAG_IS_SECRET:
		return keys ? COMPLETION_PAIRS : COMPLETION_SOURCE;
	}
	return COMPLETION_NONE;
}

/* For the value of a flag (NONE for a switch), and for what stands behind a
 * command. */
static enum completion_kind
completion_of_arguments(const struct command *c)
{
	if (c->arguments == NULL)
		return COMPLETION_NONE;
	if (strstr(c->arguments, "COMMAND") != NULL || strstr(c->arguments, "CMD") != NULL)
		return COMPLETION_COMMANDS;
	if (memchr(c->arguments, '|', strcspn(c->arguments, " [")) != NULL)
		return COMPLETION_WORDS;
	/* Names that only a registry knows. */
	if (strstr(c->arguments, "KEY") != NULL || strstr(c->arguments, "PATH [") != NULL)
		return COMPLETION_NONE;
	return COMPLETION_FILES;
}

static const char *
completion_first(const struct command *c)
{
	return c->group != NULL ? c->group : c->name;
}

/* The command's first word; and is it the first one in the table with it? */
static bool
completion_is_new(size_t i)
{
	size_t k;

	for (k = 0; k < i; k++) {
		if (!command_at(k)->hidden && strcmp(completion_first(command_at(k)),
		    completion_first(command_at(i))) == 0)
			return false;
	}
	return true;
}

/* Append "a b c" for "a|b|c". */
static void
completion_append_words(struct buf *out, const char *choices)
{
	for (; *choices != '\0' && *choices != ' '; choices++)
		buf_append_char(out, *choices == '|' ? ' ' : *choices);
}

int
commands_completion(const struct options *o)
{
	static const struct {
		const char *shell;
		void (*append)(struct buf *out);
	} shells[] = {
		{ "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish },
	};
	struct error err;
	struct buf out;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].shell, o->args[0]) != 0)
			continue;
		buf_init(&out, SCRIPT_MAX);
		shells[i].append(&out);
		rc = output_write(&out, &err);
		buf_release(&out);
		return rc == 0 ? 0 : report_error(&err);
	}
	error_set(&err, ERROR_USAGE, "there is no completion for %s", o->args[0]);
	error_hint(&err, "one of %s", o->command->arguments);
	return report_usage(o->command, &err);
}
