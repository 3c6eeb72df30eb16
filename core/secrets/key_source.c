#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "crypto/key.h"
#include "file/file.h"
#include "secrets/key_source.h"
#include "secrets/sealed.h"
#include "secrets/secrets_file.h"

/* A key in base64 has at most 44 characters; the rest is room for line ends. */
#define TEXT_MAX 4096

#define SEPARATORS " \t,"

#define PASSPHRASE_FLOOR 12	/* characters that are not easily guessed */
#define PASSPHRASE_PLENTY 18	/* of them make a good one */

#define GROUPS 6
#define GROUP 4
#define WEIGHED_MAX 1024	/* bytes; a longer one is weighed by its beginning */

static bool
key_source_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The key in ${text}, where blanks around it do not count. */
static struct key *
key_source_parse(const struct buf *text, const char *where, struct error *err)
{
	const char *p = text->len > 0 ? (const char *)text->data : "";
	size_t n = text->len;
	struct key *k;

	for (; n > 0 && key_source_is_blank(p[n - 1]); n--)
		;
	for (; n > 0 && key_source_is_blank(*p); n--)
		p++;
	if ((k = key_from_base64(p, n, err)) == NULL) {
		error_place(err, where, 0);
		error_hint(err, n > 0 && (memchr(p, '\0', n) != NULL || (unsigned char)*p >= 0x80) ?
		    "it begins with a byte order mark, or is UTF-16, as PowerShell's > writes it: "
		    "write the key as plain text" : "a master key is 16, 24 or 32 bytes in base64, "
		    "as `propseal master-key generate` printed it, without a name and quotes");
	}
	return k;
}

/* Keys are few; more names of variables than this are a mistake. */
#define RING_MAX 32
#define NAME_MAX_BYTES 256

struct key_ring {
	size_t count;
	struct {
		struct key *key;
		char where[NAME_MAX_BYTES + 32];
	} found[RING_MAX];
};

/* The descriptor that `-` or `fd:N` names, -1: it is a path. */
static int
key_source_descriptor(const char *file)
{
	size_t n = strlen(file);

	if (strcmp(file, "-") == 0)
		return STDIN_FILENO;
	if (n < 4 || n > 8 || memcmp(file, "fd:", 3) != 0 ||
	    strspn(file + 3, "0123456789") + 3 != n)
		return -1;
	return atoi(file + 3);
}

static int
key_source_read_file(const char *file, struct buf *text, struct error *err)
{
	int fd = key_source_descriptor(file);

	if (fd == -1)
		return file_read_stream(file, text, err);
	return file_read_fd(fd, fd == STDIN_FILENO ? "standard input" :
	    "the descriptor of fd:N", text, err);
}

/* Put the key in ${text} on the ring. */
static int
key_ring_add(struct key_ring *r, const struct buf *text, const char *place, const char *where,
    struct error *err)
{
	struct key *k;

	if (r->count == RING_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d master keys", RING_MAX);
	if ((k = key_source_parse(text, place, err)) == NULL)
		return -1;
	r->found[r->count].key = k;
	snprintf(r->found[r->count].where, sizeof(r->found[0].where), "%s", where);
	r->count++;
	return 0;
}

static int
key_ring_add_variable(struct key_ring *r, const char *name, struct error *err)
{
	char *value = getenv(name), where[NAME_MAX_BYTES + 32];
	struct buf text;
	int rc;

	if (value == NULL || value[0] == '\0')
		return 0;
	snprintf(where, sizeof(where), "the environment variable %s", name);
	buf_init_secret(&text, TEXT_MAX);
	buf_append_str(&text, value);
	if ((rc = buf_check(&text, err)) == 0)
		rc = key_ring_add(r, &text, name, where, err);
	buf_release(&text);
	if (rc == 0) {
		secmem_wipe(value, strlen(value));
		unsetenv(name);
	}
	return rc;
}

/* The variables that the user allows. */
static int
key_ring_add_variables(struct key_ring *r, const char *names, struct error *err)
{
	char name[NAME_MAX_BYTES];
	int rc = 0;
	size_t n;

	for (; rc == 0 && names != NULL && *names != '\0'; names += n) {
		n = strcspn(names, SEPARATORS);
		if (n >= sizeof(name))
			return error_set(err, ERROR_LIMIT, "the name of a variable is too long");
		memcpy(name, names, n);
		name[n] = '\0';
		if (n > 0)
			rc = key_ring_add_variable(r, name, err);
		n += strspn(names + n, SEPARATORS);
	}
	return rc;
}

static int
key_ring_add_credential(struct key_ring *r, struct error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	struct buf path, text;
	struct file_id id;
	int rc = 0;

	if (dir == NULL || dir[0] == '\0')
		return 0;
	buf_init(&path, 4096);
	buf_init_secret(&text, TEXT_MAX);
	buf_printf(&path, "%s/%s", dir, KEY_SOURCE_CREDENTIAL);
	/* One that cannot be examined is not one that is not there. */
	if (buf_check(&path, NULL) == 0 &&
	    (file_identify(buf_cstr(&path), &id, NULL) != 0 || id.exists) &&
	    (rc = file_read_stream(buf_cstr(&path), &text, err)) == 0)
		rc = key_ring_add(r, &text, buf_cstr(&path),
		    "the systemd credential " KEY_SOURCE_CREDENTIAL, err);
	buf_release(&text);
	buf_release(&path);
	return rc;
}

/* What was asked for: a file, a command. */
static int
key_ring_add_given(struct key_ring *r, const struct key_source *from, struct error *err)
{
	struct buf text;
	int rc = 0;

	buf_init_secret(&text, TEXT_MAX);
	if (from->file != NULL && (rc = key_source_read_file(from->file, &text, err)) == 0)
		rc = key_ring_add(r, &text, from->file, "--master-key-file", err);
	buf_clear(&text);
	if (rc == 0 && from->command != NULL &&
	    (rc = from->command(from->cookie, &text, err)) == 0)
		rc = key_ring_add(r, &text, "--master-key-command", "--master-key-command", err);
	buf_release(&text);
	return rc;
}

struct key_ring *
key_ring_read(const struct key_source *from, struct error *err)
{
	struct key_ring *r = error_alloc(sizeof(*r), err);

	if (r == NULL)
		return NULL;
	if (key_ring_add_given(r, from, err) == 0 && ((r->count > 0 && !from->all) ||
	    (key_ring_add_variable(r, SECRETS_ENVVAR_DEFAULT, err) == 0 &&
	    key_ring_add_variables(r, from->variables, err) == 0 &&
	    key_ring_add_credential(r, err) == 0)))
		return r;
	key_ring_free(r);
	return NULL;
}

struct key_ring *
key_ring_new(struct error *err)
{
	return error_alloc(sizeof(struct key_ring), err);
}

int
key_ring_take(struct key_ring *r, const struct key *k, const char *where, struct error *err)
{
	for (size_t i = 0; i < r->count; i++)
		if (key_equal(r->found[i].key, k))
			return 0;
	if (r->count == RING_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d keys", RING_MAX);
	r->found[r->count].key = key_copy(k, err);
	if (r->found[r->count].key == NULL)
		return -1;
	snprintf(r->found[r->count].where, sizeof(r->found[r->count].where), "%s", where);
	r->count++;
	return 0;
}

void
key_ring_free(struct key_ring *r)
{
	if (r == NULL)
		return;
	while (r->count > 0)
		key_free(r->found[--r->count].key);
	free(r);
}

size_t
key_ring_count(const struct key_ring *r)
{
	return r->count;
}

const struct key *
key_ring_key(const struct key_ring *r, size_t i)
{
	return r->found[i].key;
}

const char *
key_ring_where(const struct key_ring *r, size_t i)
{
	return r->found[i].where;
}

const struct key *
key_ring_for(const struct key_ring *r, const struct secrets_file *s, const char **where)
{
	const char *wrapped = s != NULL ? secrets_file_metadata(s)->data_key : NULL;
	size_t i = r->count;

	if (r->count == 0)
		return NULL;
	/* One key alone is asked for its reason by whoever unlocks with it. */
	if (wrapped != NULL && r->count > 1) {
		for (i = 0; i < r->count; i++) {
			struct key *data_key = wrap_open(r->found[i].key, wrapped, strlen(wrapped),
			    NULL);

			key_free(data_key);
			if (data_key != NULL)
				break;
		}
	}
	if (i == r->count)
		i = 0;
	if (where != NULL)
		*where = r->found[i].where;
	return r->found[i].key;
}

int
key_ring_missing(const struct secrets_file *s, struct error *err)
{
	const char *named = s != NULL ? secrets_file_metadata(s)->envvar : SECRETS_ENVVAR_DEFAULT;
	const char *value = getenv(named);

	error_set(err, ERROR_MISSING, "no master key: the environment variable %s is not set",
	    SECRETS_ENVVAR_DEFAULT);
	if (strcmp(named, SECRETS_ENVVAR_DEFAULT) != 0 && value != NULL && value[0] != '\0')
		return error_hint(err, "the secrets file names the variable %s: if that is where "
		    "you put the key, say so with --master-key-variable %s", named, named);
	return error_hint(err, "export %s, or give --master-key-file FILE, or the systemd "
	    "credential %s", SECRETS_ENVVAR_DEFAULT, KEY_SOURCE_CREDENTIAL);
}

/* What is tried first, by people and by programs; in lower case. */
static const char *const words[] = {
	"password", "passwort", "passw0rd", "passphrase", "changeme", "changeit", "confluent",
	"connector", "connect", "keystore", "truststore", "zookeeper", "kafka", "broker",
	"cluster", "secret", "master", "admin", "administrator", "welcome", "letmein", "qwerty",
	"qwertz", "azerty", "asdfgh", "default", "example", "testing", "test", "demo",
	"production", "staging", "prod", "stage", "server", "client", "company", "spring",
	"summer", "autumn", "winter", "monday", "dragon", "monkey", "iloveyou", "hunter", "key",
};

/* The length of the longest word that the text starts with. */
static size_t
word_at(const char *text, size_t n)
{
	size_t longest = 0;
	size_t i, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (len > longest && len <= n && strncasecmp(text, words[i], len) == 0)
			longest = len;
	}
	return longest;
}

/* Is what stands at ${at} the beginning once more, to the end or a part of it? */
static bool
repeats_beginning(const unsigned char *p, size_t n, size_t at)
{
	size_t i;

	for (i = at; i < n; i++)
		if (p[i] != p[i - at])
			return false;
	return n - at >= at || n - at >= GROUP;
}

enum passphrase_strength
passphrase_weigh(const void *text, size_t n, const char **why)
{
	const unsigned char *p = text;
	size_t characters = 0, counted = 0;
	uint32_t cp, before = 0;
	size_t i = 0;
	size_t len, word;

	if (n > WEIGHED_MAX)
		n = WEIGHED_MAX;
	while (i < n) {
		if (i > 0 && repeats_beginning(p, n, i)) {
			counted++;
			characters += n - i;
			break;
		}
		word = word_at((const char *)p + i, n - i);
		if (word > 0) {
			i += word;
			characters += word;
			counted++;
			before = 0;
			continue;
		}
		len = text_utf8_decode(p + i, n - i, &cp);
		if (len == 0) {
			cp = p[i];
			len = 1;
		}
		characters++;
		if (before == 0 || (cp != before && cp != before + 1 && cp + 1 != before))
			counted++;
		before = cp;
		i += len;
	}
	secmem_wipe(&cp, sizeof(cp));
	secmem_wipe(&before, sizeof(before));
	if (why != NULL)
		*why = characters < PASSPHRASE_FLOOR ? "it is shorter than 12 characters" :
		    "it is made of what is guessed first: known words, repetitions, rows of "
		    "letters";
	return counted < PASSPHRASE_FLOOR ? PASSPHRASE_WEAK :
	    counted < PASSPHRASE_PLENTY ? PASSPHRASE_FAIR : PASSPHRASE_GOOD;
}

int
passphrase_generate(struct buf *out, struct error *err)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	const size_t count = sizeof(letters) - 1;
	unsigned char byte;
	size_t i = 0;

	while (i < GROUPS * GROUP) {
		if (random_bytes(&byte, 1, err) == -1)
			return -1;
		if (byte >= 256 / count * count)
			continue;	/* the same chance for each */
		if (i > 0 && i % GROUP == 0)
			buf_append_char(out, '-');
		buf_append_char(out, letters[byte % count]);
		i++;
	}
	secmem_wipe(&byte, sizeof(byte));
	return buf_check(out, err);
}
