#include "cli/completion.h"

#include "base/buf.h"
#include "common/command.h"

static const char head[] =
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
append_quoted(struct buf *out, const char *text)
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
append_words(struct buf *out, const char *choices)
{
	buf_append_str(out, " -x -a '");
	completion_append_words(out, choices);
	buf_append_char(out, '\'');
}

static void
append_value(enum completion_kind kind, const char *choices, struct buf *out)
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
		append_words(out, choices);
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
append_flag(const struct command *c, const struct command_flag *cf, struct buf *out)
{
	const struct flag *f = flag_get(cf->id);

	append_start("__propseal_at", c->group, c->name, out);
	buf_printf(out, " -l %s", f->name);
	if (f->letter != 0)
		buf_printf(out, " -s %c", f->letter);
	if (f->kind != FLAG_IS_SWITCH)
		append_value(completion_of_flag(f), f->choices, out);
	buf_append_str(out, " -d ");
	append_quoted(out, cf->help != NULL ? cf->help : f->help);
	buf_append_char(out, '\n');
}

static void
append_command(const struct command *c, struct buf *out)
{
	enum completion_kind kind = completion_of_arguments(c);
	const struct command_flag *f;

	append_start("__propseal_after", c->group, NULL, out);
	/* A path may stand in place of a first word. */
	buf_printf(out, "%s -a %s -d ", c->group != NULL ? " -f" : "", c->name);
	append_quoted(out, c->summary);
	buf_append_char(out, '\n');
	for (f = c->flags; f->id != FLAG_COUNT; f++)
		append_flag(c, f, out);
	append_start("__propseal_at", c->group, c->name, out);
	if (kind == COMPLETION_NONE)
		buf_append_str(out, " -f");
	else if (kind == COMPLETION_FILES)
		buf_append_str(out, " -F");
	else
		append_value(kind, c->arguments, out);
	buf_append_char(out, '\n');
}

void
completion_fish(struct buf *out)
{
	const struct command *c;
	const struct flag *f;
	size_t i;
	int id;

	buf_append_str(out, head);
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
		append_command(c, out);
	}
	append_start("__propseal_after", NULL, NULL, out);
	buf_append_str(out, " -a 'help version'\n");
	append_start("__propseal_after", NULL, NULL, out);
	buf_append_str(out, " -l version -d 'print the version'\n");
}
