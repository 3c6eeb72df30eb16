#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "cli/audit/audit.h"
#include "client/client.h"
#include "common/args.h"
#include "file/file.h"

/* What is looked at besides files: processes of Kafka, and connectors of a Connect worker. */

#define PATH_BYTES_MAX 65536
#define PROCESSES_MAX ((size_t)1 << 22)
#define CONNECT_TARGET "/connectors?expand=info"

/* --- processes --- */

/* The main classes of Kafka and Confluent Platform, of their tools, and of ZooKeeper. */
static bool
process_is_class(const char *word, size_t n)
{
	static const char *const packages[] = { "kafka.", "org.apache.kafka.", "io.confluent.",
		"org.apache.zookeeper.", "io.strimzi.", "io.aiven.", "io.debezium." };

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (n > strlen(packages[i]) &&
		    memcmp(word, packages[i], strlen(packages[i])) == 0 &&
		    memchr(word, '/', n) == NULL && memchr(word, '=', n) == NULL)
			return true;
	return false;
}

/* Is it a JVM with such a class, which is no option and no value of one? */
static bool
process_is_kafka(const struct buf *words)
{
	const char *p = (const char *)words->data, *before = "";
	size_t at = strnlen(p, words->len) + 1, n;
	bool is_value;

	if (words->len == 0 || strncmp(file_basename(p), "java", 4) != 0)
		return false;
	for (; at < words->len; before = p + at, at += n + 1) {
		n = strnlen(p + at, words->len - at);
		is_value = strcmp(before, "-cp") == 0 || strcmp(before, "-classpath") == 0 ||
		    strcmp(before, "--class-path") == 0;
		if (!is_value && process_is_class(p + at, n))
			return true;
	}
	return false;
}

/* As a shell or a file of variables would have to be told: in double quotes. */
static void
process_quote(struct buf *out, const char *word, size_t n)
{
	buf_append_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (word[i] != '\0' && strchr("\"\\$`", word[i]) != NULL)
			buf_append_char(out, '\\');
		buf_append_char(out, word[i]);
	}
	buf_append_char(out, '"');
}

/* The words of a command, a line each, so that lines are the numbers of arguments. */
static void
process_command(const struct buf *words, struct buf *out)
{
	const char *p = (const char *)words->data;

	for (size_t at = 0, n; at < words->len; at += n + 1) {
		n = strnlen(p + at, words->len - at);
		if (at > 0)
			buf_append_str(out, " \\\n");
		/* The program's path would be a part of every key. */
		if (at == 0)
			buf_append_str(out, "java");
		else
			process_quote(out, p + at, n);
	}
	buf_append_char(out, '\n');
}

/* A line a variable. */
static void
process_environment(const struct buf *words, struct buf *out)
{
	const char *p = (const char *)words->data, *equals;

	for (size_t at = 0, n; at < words->len; at += n + 1) {
		n = strnlen(p + at, words->len - at);
		equals = memchr(p + at, '=', n);
		/* The master key is what services are started with. */
		if (equals != NULL && strncmp(p + at, SECRETS_ENVVAR_DEFAULT "=",
		    sizeof(SECRETS_ENVVAR_DEFAULT)) != 0) {
			buf_append(out, p + at, (size_t)(equals - p) - at + 1);
			process_quote(out, equals + 1, (size_t)(p + at + n - equals) - 1);
		}
		buf_append_char(out, '\n');
	}
}

/* One of its files: cmdline or environ. */
static int
process_part(struct audit *a, const char *folder, const char *name, struct buf *words,
    struct error *err)
{
	struct error why;
	struct buf path;
	int rc;

	buf_init(&path, PATH_BYTES_MAX);
	buf_printf(&path, "%s/%s", folder, name);
	buf_clear(words);
	rc = file_read_stream(buf_cstr(&path), words, &why);
	/* One that has ended meanwhile is none. */
	if (rc != 0 && why.code == ERROR_MEMORY)
		*err = why;
	else if (rc != 0 && why.code != ERROR_MISSING && strcmp(name, "environ") == 0)
		rc = audit_unreadable(a, buf_cstr(&path), &why, err) == 0 ? 1 : -1;
	else if (rc != 0)
		rc = 1;
	if (rc == 0)
		(void)buf_cstr(words);
	buf_release(&path);
	return rc;
}

static int
process_text(struct audit *a, const char *folder, const char *name, enum form form,
    const struct buf *text, struct error *err)
{
	struct buf path;
	int rc;

	buf_init(&path, PATH_BYTES_MAX);
	buf_printf(&path, "%s/%s", folder, name);
	rc = buf_check(text, err) != 0 ? -1 : audit_text_from(a, &(struct audit_text){
		.name = buf_cstr(&path), .form = form, .origin = AUDIT_FROM_PROCESS,
		.content = text }, err);
	buf_release(&path);
	return rc;
}

static int
process_look(struct audit *a, const char *folder, struct error *err)
{
	struct buf words, text;
	int rc;

	buf_init_secret(&words, BUF_MAX_FILE);
	buf_init_secret(&text, BUF_MAX_FILE);
	rc = process_part(a, folder, "cmdline", &words, err);
	if (rc == 0 && process_is_kafka(&words)) {
		process_command(&words, &text);
		rc = process_text(a, folder, "cmdline", FORM_SHELL, &text, err);
		if (rc == 0)
			rc = process_part(a, folder, "environ", &words, err);
		if (rc == 0) {
			buf_clear(&text);
			process_environment(&words, &text);
			rc = process_text(a, folder, "environ", FORM_ENV, &text, err);
		}
	}
	buf_release(&text);
	buf_release(&words);
	return rc == -1 ? -1 : 0;
}

static int
process_by_number(const void *a, const void *b)
{
	const unsigned long x = strtoul(*(char *const *)a, NULL, 10),
	    y = strtoul(*(char *const *)b, NULL, 10);

	return (x > y) - (x < y);
}

int
audit_processes(struct audit *a, const char *host, struct error *err)
{
	struct dirent *ent;
	struct vec names;
	struct buf path;
	DIR *dir;
	int rc = 0;

	buf_init(&path, PATH_BYTES_MAX);
	vec_init(&names, sizeof(char *), PROCESSES_MAX);
	buf_printf(&path, "%s/proc", host);
	if ((dir = opendir(buf_cstr(&path))) == NULL) {
		/* Other systems than Linux have none. */
		error_io(err, buf_cstr(&path), "cannot look at processes");
		buf_release(&path);
		return -1;
	}
	while (rc == 0 && (ent = readdir(dir)) != NULL)
		if (ent->d_name[0] != '\0' &&
		    ent->d_name[strspn(ent->d_name, "0123456789")] == '\0' &&
		    vec_push_string(&names, ent->d_name, strlen(ent->d_name)) == NULL)
			rc = error_memory(err);
	closedir(dir);
	if (names.len > 0)
		qsort(names.items, names.len, sizeof(char *), process_by_number);
	for (size_t i = 0; rc == 0 && i < names.len; i++) {
		buf_clear(&path);
		buf_printf(&path, "%s/proc/%s", host, vec_string(&names, i));
		rc = process_look(a, buf_cstr(&path), err);
	}
	vec_release_strings(&names);
	buf_release(&path);
	return rc;
}

/* --- Connect --- */

/* Who asks: a user with a password from a file, if one is named. */
static int
connect_log_in(struct client *c, const struct options *o, struct error *err)
{
	const char *user = o->text[FLAG_CONNECT_USER], *file = o->text[FLAG_CONNECT_PASSWORD_FILE];
	struct buf header;
	int rc;

	if (user == NULL && file == NULL)
		return 0;
	if (user == NULL || file == NULL) {
		error_set(err, ERROR_USAGE,
		    "--connect-user and --connect-password-file go together");
		return error_hint(err, "give both, or neither");
	}
	buf_init_secret(&header, LOGIN_HEADER_MAX);
	rc = login_by_password_file(user, file, &header, err);
	if (rc == 0)
		rc = client_authorize(c, &header, err);
	buf_release(&header);
	return rc;
}

/* What the command line says.  Variables and propseal.ini speak of a registry, and its login
 * is not a worker's. */
static const char *
connect_flag(const struct options *o, enum flag_id id)
{
	return o->given[id] ? o->text[id] : NULL;
}

int
audit_connect(struct audit *a, const struct options *o, struct error *err)
{
	const struct client_options options = { .url = o->text[FLAG_CONNECT_URL],
		.ca = connect_flag(o, FLAG_CA), .certificate = connect_flag(o, FLAG_CERT),
		.key = connect_flag(o, FLAG_CERT_KEY),
		.insecure_allowed = o->on[FLAG_INSECURE_HTTP] };
	struct client_answer answer = { 0 };
	struct client *c = client_new(&options, err);
	struct buf body, name;
	int rc = -1;

	if (c == NULL)
		return -1;
	buf_init_secret(&body, CLIENT_BODY_MAX);
	buf_init(&name, PATH_BYTES_MAX);
	answer.body = &body;
	if (connect_log_in(c, o, err) == 0)
		rc = client_request(c, "GET", CONNECT_TARGET, NULL, NULL, &answer, err);
	if (rc == 0 && answer.status != 200) {
		error_set(err, ERROR_IO, "the worker answers with status %d", answer.status);
		error_place(err, options.url, 0);
		rc = error_hint(err, answer.status == 401 || answer.status == 403 ?
		    "--connect-user and --connect-password-file say who asks" :
		    "give the address of Connect's REST interface, such as http://localhost:8083");
	}
	if (rc == 0) {
		buf_append_str(&name, options.url);
		while (name.len > 0 && name.data[name.len - 1] == '/')
			buf_truncate(&name, name.len - 1);
		buf_append_str(&name, CONNECT_TARGET);
		rc = audit_text_from(a, &(struct audit_text){ .name = buf_cstr(&name),
			.form = FORM_JSON, .origin = AUDIT_FROM_CONNECT, .content = &body }, err);
	}
	buf_release(&name);
	buf_release(&body);
	client_free(c);
	return rc;
}
