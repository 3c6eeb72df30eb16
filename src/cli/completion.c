#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "file/file.h"
#include "cli/commands.h"
#include "common/args.h"
#include "common/report.h"
#include "document/document.h"
#include "plan/configuration.h"

/*
 * The scripts of share/completion know how a shell is told what fits, and ask
 * `propseal __complete -` what does.  They send the words of the command line
 * so far, each with a NUL behind it, the last one up to the cursor.  The
 * answer has a line for each word that fits (without what `:front` says, and
 * with a tab and its meaning behind it), and before them lines that say more:
 *
 *	:front TEXT	the words begin behind this beginning of the last one
 *	:nospace	more may follow in the same word
 *	:files		names of files fit, too
 *	:folders	names of folders
 *	:command N	a command of the system and its arguments, from word N on
 *
 * Words that do not begin as the last one does are in the answer: it is the
 * shell that knows how its user wants to have them matched.
 */

#define WORDS_MAX (1U << 20)	/* bytes of a command line */
#define ANSWER_MAX BUF_MAX_FILE

/* What fits as a value. */
enum completion_kind {
	COMPLETION_NONE,	/* nothing is known */
	COMPLETION_FILES,
	COMPLETION_FOLDERS,
	COMPLETION_WORDS,	/* one of a few */
	COMPLETION_KEYS,	/* keys of the configuration file, with commas; @FILE */
	COMPLETION_PAIRS,	/* key=; @FILE */
	COMPLETION_SOURCE,	/* @FILE */
	COMPLETION_COMMAND	/* a command of the system and its arguments */
};

/* A command line so far. */
struct completion_line {
	const char **words;
	size_t count;			/* without the last one */
	const char *last;
	const char *first;		/* word of the command, or the group; NULL: none yet */
	const struct command *command;	/* NULL: none yet, or an unknown one */
	bool unknown;
	const char *flag;		/* that waits for its value, with dashes; NULL: none */
	size_t flag_len;
	bool ended;			/* by -- */
	size_t ended_at;		/* the word behind it */
	size_t arguments;		/* of the command */
	const char *file;		/* the configuration file, NULL: none */
	const char *named;		/* by --config-file, which goes before it */
};

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

static enum completion_kind
completion_of_arguments(const struct command *c)
{
	if (c->arguments == NULL)
		return COMPLETION_NONE;
	if (strstr(c->arguments, "COMMAND") != NULL)
		return COMPLETION_COMMAND;
	if (memchr(c->arguments, '|', strcspn(c->arguments, " [")) != NULL)
		return COMPLETION_WORDS;
	/* Names that only a registry knows. */
	if (strstr(c->arguments, "KEY") != NULL || strstr(c->arguments, "PATH [") != NULL)
		return COMPLETION_NONE;
	return COMPLETION_FILES;
}

/* Does a value stand behind the flag ${word}, whatever the command? */
static bool
waits_for_value(const char *word)
{
	enum flag_id id = word[1] == '-' ? flag_find(word + 2, strlen(word + 2)) :
	    word[2] == '\0' ? flag_find_letter(word[1]) : FLAG_COUNT;

	return id != FLAG_COUNT && flag_get(id)->kind != FLAG_IS_SWITCH;
}

/* A word that is neither a flag nor the value of one. */
static void
take_word(struct completion_line *l, const char *word)
{
	if (l->first == NULL) {
		l->first = word;
		if (!command_is_group(word))
			l->command = command_find(NULL, word);
		l->unknown = l->command == NULL && !command_is_group(word);
	} else if (l->command == NULL && !l->unknown) {
		l->command = command_find(l->first, word);
		l->unknown = l->command == NULL;
	} else {
		if (l->arguments++ == 0)
			l->file = word;
	}
}

/* Which command is it, and is a flag waiting for its value? */
static void
read_line(struct completion_line *l)
{
	static const char config[] = "--config-file";
	const char *word;
	size_t i;

	for (i = 0; i < l->count; i++) {
		word = l->words[i];
		if (l->flag != NULL) {
			if (strcmp(l->flag, config) == 0)
				l->named = word;
			l->flag = NULL;
		} else if (l->ended || word[0] == '\0') {
			continue;
		} else if (strcmp(word, "--") == 0) {
			l->ended = true;
			l->ended_at = i + 1;
		} else if (word[0] != '-' || word[1] == '\0') {
			if (l->first != NULL || strcmp(word, "secret") != 0)
				take_word(l, word);
		} else if (strchr(word, '=') == NULL) {
			l->flag = waits_for_value(word) ? word : NULL;
		} else if (strncmp(word, "--config-file=", sizeof(config)) == 0) {
			l->named = word + sizeof(config);
		}
	}
	if (l->named != NULL)
		l->file = l->named;
	if (l->flag != NULL)
		l->flag_len = strlen(l->flag);
	else if (!l->ended && strncmp(l->last, "--", 2) == 0 && strchr(l->last, '=') != NULL) {
		l->flag = l->last;
		l->flag_len = strcspn(l->last, "=");
	}
}

static void
append_line(struct buf *out, const char *word, size_t n, const char *meaning)
{
	buf_append(out, word, n);
	if (meaning != NULL)
		buf_printf(out, "\t%s", meaning);
	buf_append_char(out, '\n');
}

/* Each word of "a|b|c", up to a blank. */
static void
append_choices(struct buf *out, const char *choices)
{
	size_t n;

	for (; *choices != '\0' && *choices != ' '; choices += n + (choices[n] == '|')) {
		n = strcspn(choices, "| ");
		append_line(out, choices, n, NULL);
	}
}

/*
 * Append a key and ${behind} it.  A shell would take some characters for its
 * own, and a line end for two keys: such keys are left out.
 */
static void
append_key(struct buf *out, const char *key, size_t len, const char *behind)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/@%+~";
	size_t i;

	for (i = 0; i < len; i++) {
		if (key[i] == '\0' || strchr(plain, key[i]) == NULL)
			return;
	}
	buf_append(out, key, len);
	buf_append_str(out, behind);
	buf_append_char(out, '\n');
}

/* The keys of a configuration file.  -1: it cannot be read; somebody is
 * typing, so no error is said. */
static int
append_keys(struct buf *out, const char *file, const char *behind)
{
	struct configuration *c = configuration_load(file, NULL, NULL);
	const char *key;
	size_t i, len;

	if (c == NULL)
		return -1;
	for (i = 0; i < document_count(c->doc); i++) {
		key = document_key(c->doc, i, &len);
		if (!document_shadowed(c->doc, i) && len > 0)
			append_key(out, key, len, behind);
	}
	configuration_free(c);
	return 0;
}

/* The shell has not put the home folder in the place of ~/ yet. */
static void
append_keys_of(const struct completion_line *l, const char *behind, struct buf *out)
{
	const char *home = getenv("HOME");
	struct buf path;

	if (l->file == NULL)
		return;
	buf_append_str(out, ":nospace\n");
	buf_init(&path, BUF_MAX_FILE);
	if (strncmp(l->file, "~/", 2) == 0 && home != NULL)
		buf_printf(&path, "%s%s", home, l->file + 1);
	else
		buf_append_str(&path, l->file);
	if (buf_check(&path, NULL) == 0)
		append_keys(out, buf_cstr(&path), behind);
	buf_release(&path);
}

static void
append_front(struct buf *out, const char *word, size_t n)
{
	/* A line end in it would make two lines of it. */
	if (n > 0 && memchr(word, '\n', n) == NULL) {
		buf_append_str(out, ":front ");
		buf_append(out, word, n);
		buf_append_char(out, '\n');
	}
}

/* What fits behind the first ${front} bytes of the last word. */
static void
append_value(const struct completion_line *l, enum completion_kind kind, const char *choices,
    size_t front, struct buf *out)
{
	const char *value = l->last + front;
	const char *comma = strrchr(value, ',');
	bool file = value[0] == '@' && (kind == COMPLETION_SOURCE || kind == COMPLETION_KEYS ||
	    kind == COMPLETION_PAIRS);

	if (file)
		front++;
	else if (kind == COMPLETION_KEYS && comma != NULL)
		front += (size_t)(comma - value) + 1;
	append_front(out, l->last, front);
	if (file || kind == COMPLETION_FILES)
		buf_append_str(out, ":files\n");
	else if (kind == COMPLETION_FOLDERS)
		buf_append_str(out, ":folders\n");
	else if (kind == COMPLETION_WORDS)
		append_choices(out, choices);
	else if (kind == COMPLETION_KEYS || kind == COMPLETION_PAIRS)
		append_keys_of(l, kind == COMPLETION_PAIRS ? "=" : "", out);
	else if (kind == COMPLETION_COMMAND && l->ended)
		buf_printf(out, ":command %zu\n", l->ended_at);
}

/* The value of the flag that waits for one. */
static void
append_flag_value(const struct completion_line *l, const struct command *c, struct buf *out)
{
	size_t front = l->flag == l->last ? l->flag_len + 1 : 0;
	const struct command_flag *cf;
	const struct flag *f;

	for (int i = 0; i < 2; i++) {
		for (cf = i == 0 ? c->flags : flags_of_all(); cf->id != FLAG_COUNT; cf++) {
			f = flag_get(cf->id);
			if (l->flag[1] == '-' ? strlen(f->name) + 2 == l->flag_len &&
			    memcmp(f->name, l->flag + 2, l->flag_len - 2) == 0 :
			    f->letter != 0 && f->letter == l->flag[1]) {
				append_value(l, completion_of_flag(f), f->choices, front, out);
				return;
			}
		}
	}
}

static void
append_flags(const struct command *c, struct buf *out)
{
	const struct command_flag *cf;
	const struct flag *f;

	for (int i = 0; i < 2; i++) {
		for (cf = i == 0 ? c->flags : flags_of_all(); cf->id != FLAG_COUNT; cf++) {
			f = flag_get(cf->id);
			buf_append_str(out, "--");
			append_line(out, f->name, strlen(f->name),
			    cf->help != NULL ? cf->help : f->help);
		}
	}
}

/* The commands of a group; NULL: every first word. */
static void
append_commands(const char *group, struct buf *out)
{
	const char *last = NULL;
	const struct command *c;
	size_t i;

	for (i = 0; i < command_count(); i++) {
		c = command_at(i);
		if (c->hidden || (group != NULL &&
		    (c->group == NULL || strcmp(c->group, group) != 0)))
			continue;
		if (group != NULL || c->group == NULL) {
			append_line(out, c->name, strlen(c->name), c->summary);
		} else if (last == NULL || strcmp(last, c->group) != 0) {
			buf_printf(out, "%s\tcommands: %s ...\n", c->group, c->group);
			last = c->group;
		}
	}
	if (group == NULL)
		buf_append_str(out, "help\texplain a command\nversion\tprint the version\n");
}

/* No command yet: it may come, or paths and flags of the interface. */
static void
append_first(const struct completion_line *l, struct buf *out)
{
	const struct command *ui = command_find(NULL, "ui");

	if (l->flag != NULL) {
		append_flag_value(l, ui, out);
	} else if (!l->ended && l->last[0] == '-') {
		buf_append_str(out, "--version\tprint the version\n");
		append_flags(ui, out);
	} else {
		buf_append_str(out, ":files\n");
		append_commands(NULL, out);
	}
}

static void
append_answer(const struct completion_line *l, struct buf *out)
{
	const struct command *c = l->command;
	bool flags = !l->ended && l->last[0] == '-' && l->flag == NULL;
	const char *group;
	size_t i;

	if (l->first == NULL) {
		append_first(l, out);
	} else if (strcmp(l->first, "help") == 0) {
		/* The words of a command: those behind `help` were not looked at. */
		for (i = 0; i + 1 < l->count && strcmp(l->words[i], "help") != 0; i++)
			;
		group = i + 1 < l->count ? l->words[i + 1] : NULL;
		if (group == NULL || (i + 2 == l->count && command_is_group(group)))
			append_commands(group, out);
	} else if (l->unknown) {
		if (!flags && l->flag == NULL)
			buf_append_str(out, ":files\n");
	} else if (c == NULL) {
		if (flags)
			buf_append_str(out, "--help\texplain the commands\n");
		else if (l->flag == NULL)
			append_commands(l->first, out);
	} else if (l->flag != NULL) {
		append_flag_value(l, c, out);
	} else if (flags) {
		append_flags(c, out);
	} else if (completion_of_arguments(c) == COMPLETION_WORDS && l->arguments > 0) {
		append_choices(out, l->arguments == 1 && c->further != NULL ? c->further : "");
	} else {
		append_value(l, completion_of_arguments(c), c->arguments, 0, out);
	}
}

/* Take the words apart, of which each has a NUL behind it. */
static int
split(struct completion_line *l, struct buf *words)
{
	const char *p = (const char *)words->data;
	const char *end = p + words->len;
	size_t n = 0, i;

	if (words->len == 0 || end[-1] != '\0')
		return -1;
	for (i = 0; i < words->len; i++)
		n += p[i] == '\0';
	if ((l->words = calloc(n, sizeof(*l->words))) == NULL)
		return -1;
	for (i = 0; p < end; p += strlen(p) + 1)
		l->words[i++] = p;
	l->count = n - 1;
	l->last = l->words[n - 1];
	return 0;
}

/* The words may be a passphrase: they come by standard input, into secret memory. */
static int
answer(struct buf *out)
{
	struct completion_line l = { 0 };
	struct buf words;
	int rc = -1;

	buf_init_secret(&words, WORDS_MAX);
	if (file_read_fd(STDIN_FILENO, "standard input", &words, NULL) == 0 &&
	    split(&l, &words) == 0) {
		read_line(&l);
		append_answer(&l, out);
		rc = 0;
	}
	free(l.words);
	buf_release(&words);
	return rc;
}

/* `__complete FILE` prints the keys of a configuration file, one a line. */
int
commands_complete(const struct options *o)
{
	struct buf out;
	int rc;

	buf_init(&out, ANSWER_MAX);
	rc = strcmp(o->args[0], "-") == 0 ? answer(&out) : append_keys(&out, o->args[0], "");
	if (rc == 0)
		rc = output_write(&out, NULL);
	buf_release(&out);
	return rc == 0 ? 0 : 1;
}

int
commands_completion(const struct options *o)
{
	static const struct {
		const char *shell;
		const char *script;	/* a file of share/completion, by the Makefile */
	} shells[] = {
		{
			"bash",
#include "completion/bash.inc"
		},
		{
			"zsh",
#include "completion/zsh.inc"
		},
		{
			"fish",
#include "completion/fish.inc"
		},
	};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].shell, o->args[0]) != 0)
			continue;
		return output_write_fd(STDOUT_FILENO, "standard output", shells[i].script,
		    strlen(shells[i].script), &err) == 0 ? 0 : report_error(&err);
	}
	error_set(&err, ERROR_USAGE, "there is no completion for %s", o->args[0]);
	near_choice(o->args[0], o->command->arguments, &err);
	return usage_error(o->command, &err);
}
