#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "file/replace.h"
#include "registry/api/api.h"
#include "registry/audit/audit.h"
#include "registry/auth/access.h"
#include "registry/auth/auth.h"
#include "registry/base/settings.h"
#include "registry/database/database.h"
#include "registry/http/http.h"
#include "registry/kafka/kafka.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"
#include "registry/store/store.h"

#define SERVICE_PARTS 4		/* that service_look looks at */

#define CERTIFICATE "ssl.certificate"
#define KEY "ssl.key"
#define CLIENT_CA "ssl.client.ca"

#define KEYRING_MAX (1U << 20)
#define LOCK_MS 10000
#define END_MS 5000		/* for what is left at the end */
#define END_TOPIC_MS 25000	/* ... where brokers are to be told, too */

/* A secret as JSON may take six bytes for one, and has members beside it. */
#define BODY_FACTOR 6
#define BODY_EXTRA (128U << 10)

struct service {
	const struct settings *settings;
	struct master *master;
	struct master *old[SETTINGS_OLD_KEYS_MAX + 1];
	size_t old_count;
	struct database *db;
	struct kafka_options *kafka;	/* NULL: the tables are the truth */
	struct store *store;
	struct service_records *records;	/* NULL: users and roles are files */
	struct audit *audit;
	struct auth *auth;
	struct access *access;
	struct api *api;
	struct http_server *http;
	_Atomic uint64_t saved;		/* the generation of the keyring in keyring.json */
	struct error told[SERVICE_PARTS];	/* what was last said; code NONE: it is well */
};

/* The parts of a service that /health/ready asks. */
enum part { LOGINS, ROLES, STORE, AUDIT };

static int
hint(const struct settings *set, const char *key, struct error *err)
{
	if (strcmp(key, CLIENT_CA) == 0)
		return error_hint(err, CLIENT_CA " names a PEM file with the certificates of those "
		    "who sign certificates of clients");
	if (strcmp(key, KEY) == 0)
		return error_hint(err, KEY " names the PEM file of the private key that belongs to "
		    CERTIFICATE ", without a passphrase");
	return error_hint(err, CERTIFICATE " names a PEM file with the certificate of this server "
	    "and those between it and the root%s", set->tls_key != NULL ? "" :
	    "; with " KEY " not set the private key must be in it too");
}

static int
service_tls_check_file(const struct settings *set, const char *key, const char *file,
    struct error *err)
{
	if (file == NULL || faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0)
		return 0;
	error_io(err, file, "cannot be read");
	error_key(err, key, strlen(key));
	return hint(set, key, err);
}

static int
check_needed(const char *key, const char *needed, struct error *err)
{
	error_set(err, ERROR_USAGE, "this does nothing without %s", needed);
	error_key(err, key, strlen(key));
	return error_hint(err, "set %s, or take %s out", needed, key);
}

/* Can what the ssl.* settings name be read, and do they agree? */
static int
service_tls_check(const struct settings *set, struct error *err)
{
	if (set->tls_certificate == NULL && set->tls_key != NULL)
		return check_needed(KEY, CERTIFICATE, err);
	if (set->tls_certificate == NULL && set->tls_client_ca != NULL)
		return check_needed(CLIENT_CA, CERTIFICATE, err);
	/* Whoever asks for it must not be left without. */
	if (set->tls_client_ca == NULL && set->tls_client_required)
		return check_needed("ssl.client.auth=required", CLIENT_CA, err);
	if (service_tls_check_file(set, CERTIFICATE, set->tls_certificate, err) != 0 ||
	    service_tls_check_file(set, KEY, set->tls_key, err) != 0 ||
	    service_tls_check_file(set, CLIENT_CA, set->tls_client_ca, err) != 0)
		return -1;
	return 0;
}

static bool
is_at(const struct error *err, const char *file)
{
	return file != NULL && strncmp(err->file, file, sizeof(err->file) - 1) == 0;
}

/* Add the setting and a hint to an error at one of its files.  Returns -1. */
static int
service_tls_explain(const struct settings *set, struct error *err)
{
	const char *key = is_at(err, set->tls_key) ? KEY :
	    is_at(err, set->tls_certificate) ? CERTIFICATE :
	    is_at(err, set->tls_client_ca) ? CLIENT_CA : NULL;

	if (key == NULL)
		return -1;
	error_key(err, key, strlen(key));
	return hint(set, key, err);
}

static int
add_old(struct service *s, struct master *m)
{
	if (m == NULL)
		return -1;
	s->old[s->old_count++] = m;
	return 0;
}

/* Find the master secret and the old ones. */
static int
service_masters(struct service *s, struct error *err)
{
	const struct settings *set = s->settings;
	const char *where;
	size_t i;

	if (set->master_key_file == NULL && set->master_key.len > 0)
		s->master = master_from_text(&set->master_key, set->dev_mode, err);
	else
		s->master = registry_master_find(set->master_key_file, set->dev_mode, &where, err);
	if (s->master == NULL)
		return -1;
	/* An old key may be as weak as it was: it is only read with. */
	for (i = 0; i < set->old_key_count; i++) {
		if (set->old_keys[i].len > 0 &&
		    add_old(s, master_from_text(&set->old_keys[i], true, err)) != 0)
			return -1;
	}
	if (set->old_key_file != NULL &&
	    add_old(s, registry_master_find(set->old_key_file, true, &where, err)) != 0)
		return -1;
	return 0;
}

/* Read the master secret's file again: it may be another now.  NULL: there is
 * no file to read, it is the same, or ${err} (its code is then not NONE). */
static struct master *
service_fresh_master(const struct service *s, struct error *err)
{
	const char *where;
	struct master *m;

	err->code = ERROR_NONE;
	if (s->settings->master_key_file == NULL)
		return NULL;
	m = registry_master_find(s->settings->master_key_file, s->settings->dev_mode, &where, err);
	if (m != NULL && keyring_fits(store_keyring(s->store), m)) {
		master_free(m);
		m = NULL;
	}
	return m;
}

/* DATA/${name}; -1: too long. */
static int
service_path(const struct service *s, const char *name, char out[PATH_MAX], struct error *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", s->settings->data, name);

	if (n < 0 || n >= PATH_MAX)
		return error_set(err, ERROR_LIMIT, "the path of the data folder is too long");
	return 0;
}

/* Write DATA/keyring.json. */
static int
service_save_keyring(struct service *s, struct error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc = -1;

	s->saved = keyring_generation(store_keyring(s->store));
	buf_init(&text, KEYRING_MAX);
	if (service_path(s, "keyring.json", path, err) != 0 ||
	    keyring_encode(store_keyring(s->store), &text, err) != 0)
		goto done;
	buf_append_char(&text, '\n');
	if (buf_check(&text, err) == 0)
		rc = replace_file_locked(path, LOCK_MS, &text, err);
done:
	buf_release(&text);
	return rc;
}

_Static_assert(AUDIT + 1 == SERVICE_PARTS, "one place for each part");

static const char *const well_again[] = {
	"the users and tokens in force are those of the files again",
	"the roles in force are those of the files again",
	"the store is well again",
	"the audit log can be written again",
};

/* Where ${why} says, and on one line. */
static int
unread(const struct error *why, const char *what, struct error *err)
{
	error_set(err, why->code, "%.700s; the %s that were read before stay in force", why->text,
	    what);
	if (why->file[0] != '\0')
		error_place(err, why->file, why->line);
	return error_key(err, why->key, strlen(why->key));
}

static int
unwritten(const char *why, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, "the %s cannot be written, requests get 503: %s", what,
	    why);
}

/* The topic.  A node that does not lead is well. */
static int
log_look(struct service *s, struct error *err)
{
	struct store_log_state l;
	const char *withheld;

	store_log_state(s->store, &l);
	if (l.stopped != NULL) {
		error_set(err, ERROR_IO, "the topic is not gone on with, changes get 503: %s",
		    l.stopped);
		return error_hint(err, "nothing was deleted here");
	}
	if (l.wrong[0] != '\0' && !l.locked)
		return error_set(err, ERROR_IO, "the topic takes no changes: %s", l.wrong);
	if ((withheld = store_withheld(s->store, s->settings->staleness_ms)) != NULL)
		return error_set(err, ERROR_IO, "requests get 503: %s", withheld);
	if (!l.folded)
		return error_set(err, ERROR_IO, "the topic was not read to its end yet%s%s",
		    l.complaint[0] != '\0' ? ": " : "", l.complaint);
	if (l.denied != NULL)
		return error_set(err, ERROR_REFUSED, "this node cannot lead: %s", l.denied);
	if (l.silence_ms <= STORE_SILENCE_MS)
		return 0;
	error_set(err, ERROR_IO, "the brokers do not answer, changes get 503 till they do");
	/* Its words are ever others, which are no news. */
	return l.complaint[0] != '\0' ? error_hint(err, "%s", l.complaint) : -1;
}

/* -1: it is not well. */
static int
service_health_look(struct service *s, enum part part, struct error *err)
{
	struct error why = { .code = ERROR_NONE };
	const char *reason;

	switch (part) {
	case LOGINS:
		return auth_health(s->auth, &why) == 0 ? 0 : unread(&why, "users and tokens", err);
	case ROLES:
		return access_health(s->access, &why) == 0 ? 0 : unread(&why, "roles", err);
	case STORE:
		reason = store_unready(s->store);
		return reason == NULL ? log_look(s, err) : unwritten(reason, "store", err);
	default:
		if ((reason = audit_unready(s->audit)) != NULL)
			return unwritten(reason, "audit log", err);
		if ((reason = audit_behind(s->audit)) == NULL)
			return 0;
		return error_set(err, ERROR_IO, "the audit log cannot be exported, which is made "
		    "up for later: %s", reason);
	}
}

static bool
service_health_is_same(const struct error *a, const struct error *b)
{
	return a->code == b->code && a->line == b->line && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->key, b->key) == 0 && strcmp(a->text, b->text) == 0;
}

/* Say what has changed about the parts that /health/ready
 * asks, since it was last said; ${again}: and what is still wrong. */
static void
service_look(struct service *s, const struct service_callbacks *v, bool again)
{
	struct error now;
	unsigned i;

	for (i = 0; i < SERVICE_PARTS; i++) {
		now = (struct error){ .code = ERROR_NONE };
		(void)service_health_look(s, (enum part)i, &now);
		if (service_health_is_same(&now, &s->told[i]) && (!again || now.code == ERROR_NONE))
			continue;
		s->told[i] = now;
		if (now.code != ERROR_NONE)
			v->tell(&now);
		else
			v->note(well_again[i]);
	}
}

/* The data folder, made if it is not there, for nobody else to look into. */
static int
open_folder(const char *data, struct error *err)
{
	char word[TEXT_WORD_MAX];
	struct stat st;

	if (mkdir(data, 0700) != 0 && errno != EEXIST)
		return error_io(err, data, "cannot make the data folder");
	if (stat(data, &st) != 0)
		return error_io(err, data, "cannot look at the data folder");
	if (!S_ISDIR(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "this is no folder");
		return error_place(err, data, 0);
	}
	if (file_writers(st.st_mode, st.st_uid, st.st_gid) != 0) {
		error_set(err, ERROR_REFUSED, "others may write into the data folder");
		error_place(err, data, 0);
		return error_hint(err, "chmod 700 %s", text_word(data, word));
	}
	return 0;
}

/* Is there something of a registry, but for its database? */
static int
check_rest(const struct service *s, const char *path, struct error *err)
{
	static const char *const names[] = { "keyring.json", "audit.log", "audit.log.anchor" };
	char other[PATH_MAX];
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (service_path(s, names[i], other, err) != 0)
			return -1;
		if (stat(other, &st) != 0 || st.st_size == 0)
			continue;
		error_set(err, ERROR_MISSING, "the database is missing, and %s is there", names[i]);
		error_place(err, path, 0);
		return error_hint(err, "is the volume mounted?  Put the file back, or a backup "
		    "with `propseal registry restore`; for a new registry, take an empty folder");
	}
	return 0;
}

/* What the settings say of the topic, which must last as long as the store. */
static int
open_kafka(struct service *s, struct error *err)
{
	if ((s->kafka = error_alloc(sizeof(*s->kafka), err)) == NULL)
		return -1;
	return kafka_options_read(s->kafka, s->settings, err);
}

static int
open_store(struct service *s, const struct service_callbacks *v, struct error *err)
{
	char path[PATH_MAX], text[256];
	struct takeover over;
	struct store_options o = {
		.master = s->master,
		.old = (const struct master *const *)s->old,
		.old_count = s->old_count,
		.undelete_window_ms = s->settings->undelete_window_ms,
		.quota = s->settings->quota,
		.path_quota = s->settings->path_quota,
		.url = s->settings->base_url != NULL ? s->settings->base_url : s->settings->listen,
	};
	int taken, version;

	if (service_path(s, "registry.db", path, err) != 0 ||
	    (s->settings->log == STORE_LOG_KAFKA && open_kafka(s, err) != 0))
		return -1;
	o.kafka = s->kafka;
	if ((taken = store_take_over(path, &over, err)) == -1 ||
	    (version = database_look(path, err)) == -1 ||
	    (version == 0 && check_rest(s, path, err) == -1) ||
	    (s->db = database_open(path, err)) == NULL) {
		error_place(err, path, 0);
		return -1;
	}
	if (taken == 1) {
		snprintf(text, sizeof(text), "the database of the first edition was taken over, "
		    "with %llu versions; it stays as registry.db.v1",
		    (unsigned long long)over.secrets);
		v->note(text);
	}
	o.db = s->db;
	if ((s->store = store_open(&o, err)) == NULL)
		return s->kafka != NULL ? -1 : error_place(err, path, 0);
	if (s->kafka != NULL &&
	    (s->records = records_begin(s->settings->data, s->store, err)) == NULL)
		return -1;
	return service_save_keyring(s, err);
}

/* An error at the ${file} that the setting ${key} names, if it is that. */
static int
explain(const char *file, const char *key, const char *hint, struct error *err)
{
	if (file == NULL || strcmp(err->file, file) != 0)
		return -1;
	error_key(err, key, strlen(key));
	return err->hint[0] != '\0' ? -1 : error_hint(err, "%s", hint);
}

static void
wake_store(void *cookie)
{
	struct service *s = cookie;

	store_wake(s->store);
}

static int
open_audit(struct service *s, struct error *err)
{
	const struct settings *set = s->settings;
	char path[PATH_MAX];
	struct audit_options o = {
		.db = s->db,
		.wake = wake_store,
		.wake_cookie = s,
		.file = set->audit_file,
		.to_stdout = set->audit_stdout,
		.to_syslog = set->audit_syslog,
		.deadline_ms = set->audit_deadline_ms,
		.rotate_bytes = set->audit_rotate_bytes,
		.keep = set->audit_keep,
		.authority = set->audit_authority,
		.cluster = set->audit_cluster,
		.connect = set->audit_connect,
		.compact = set->audit_compact,
		.type_prefix = set->audit_type_prefix,
	};

	if (o.file == NULL) {
		if (service_path(s, "audit.log", path, err) != 0)
			return -1;
		o.file = path;
	}
	for (int i = 0; i < AUDIT_SINKS; i++)
		o.required[i] = (set->audit_required & 1U << i) != 0;
	s->audit = audit_open(&o, keyring_audit_key(store_keyring(s->store)), err);
	if (s->audit != NULL)
		return 0;
	return explain(set->audit_file, "audit.file", "audit.file names a file that the service "
	    "may write, in a folder that is there", err);
}

static int
open_access(struct service *s, struct error *err)
{
	const struct settings *set = s->settings;
	struct auth_options o = {
		.data = set->data,
		.jwks_file = set->jwks_file,
		.jwt_issuer = set->jwt_issuer,
		.jwt_audience = set->jwt_audience,
		.jwt_principal_claim = set->jwt_principal_claim,
		.mtls_principal = set->mtls_principal,
		.cache_ms = set->auth_cache_ms,
		.failures_max = set->auth_failures_max,
		.rate_limit = set->rate_limit,
		.rate_burst = set->rate_burst,
	};

	if ((s->auth = auth_open(&o, err)) == NULL)
		return explain(set->jwks_file, "auth.jwt.jwks.file", "auth.jwt.jwks.file names a "
		    "file with the public keys of who signs JWTs, a JSON Web Key Set", err);
	s->access = access_open(set->data, err);
	return s->access != NULL ? 0 : -1;
}

static void
http_options_of(const struct service *s, struct http_options *o)
{
	const struct settings *set = s->settings;

	*o = (struct http_options){
		.listen = set->listen,
		.insecure_allowed = set->listen_insecure,
		.threads = set->threads,
		.max_connections = set->max_connections,
		.max_per_address = set->max_per_address,
		.max_half_open = set->max_half_open,
		.request_timeout_ms = set->request_timeout_ms,
		.idle_timeout_ms = set->idle_timeout_ms,
		.drain_timeout_ms = set->drain_timeout_ms,
		.body_max = set->secret_max * BODY_FACTOR + BODY_EXTRA,
		.certificate = set->tls_certificate,
		.key = set->tls_key,
		.client_ca = set->tls_client_ca,
		.client_required = set->tls_client_required,
		.handle = api_handle,
		.refuse = api_refuse,
		.expect = api_expect,
		.cookie = s->api,
	};
}

static int
open_http(struct service *s, struct error *err)
{
	struct http_options o;
	struct api_parts parts = {
		.settings = s->settings,
		.auth = s->auth,
		.access = s->access,
		.audit = s->audit,
		.store = s->store,
	};
	unsigned threads = http_server_threads(s->settings->threads);

	if (service_tls_check(s->settings, err) != 0 ||
	    (s->api = api_new(&parts, threads, err)) == NULL)
		return -1;
	http_options_of(s, &o);
	o.threads = threads;
	if ((s->http = http_server_new(&o, err)) == NULL)
		return service_tls_explain(s->settings, err);
	api_set_server(s->api, s->http);
	return 0;
}

/* A step of a rotation, on the writer's thread. */
static void
tell_rotation(void *cookie, const char *step, const struct rotation_state *r)
{
	struct service *s = cookie;
	struct audit_event e = {
		.phase = AUDIT_OUTCOME,
		.method = "RotateMasterKey",
		.principal = "User:propseal",
		.operation = "RotateKey",
		.authorization = true,
		.granted = true,
		.status = strcmp(step, "failed") == 0 ? 500 : 200,
		.message = step,
		.has_count = true,
		.count = r->done,
	};
	struct error ignored;

	audit_submit(s->audit, &e, 1, NULL);
	(void)service_save_keyring(s, &ignored);
}

/* Keep out of swap what passes through the heap, where the limit allows it. */
static void
lock_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

struct service *
service_open(const struct settings *set, const struct service_callbacks *v, struct error *err)
{
	struct service *s = error_alloc(sizeof(*s), err);

	if (s == NULL)
		return NULL;
	s->settings = set;
	lock_memory();
	if (open_folder(set->data, err) != 0 || service_masters(s, err) != 0 ||
	    open_store(s, v, err) != 0 || open_audit(s, err) != 0 || open_access(s, err) != 0)
		goto fail;
	store_on_rotation(s->store, tell_rotation, s);
	if (open_http(s, err) != 0)
		goto fail;
	return s;
fail:
	(void)service_close(s);
	return NULL;
}

const char *
service_address(const struct service *s)
{
	return http_server_address(s->http);
}

unsigned
service_end_ms(const struct settings *set)
{
	/* The audit log's exports are waited for twice. */
	return set->drain_timeout_ms + 2 * set->audit_deadline_ms +
	    (set->log == STORE_LOG_KAFKA ? END_TOPIC_MS : END_MS);
}

bool
service_close(struct service *s)
{
	bool ended;
	size_t i;

	if (s == NULL)
		return true;
	if (s->http != NULL) {
		api_drain(s->api);
		http_server_stop(s->http);
	}
	if (s->api != NULL)
		api_stop(s->api);
	records_end(s->records);
	/* What is still under way ends here; its answers go nowhere. */
	audit_stop(s->audit);
	store_close(s->store);
	ended = audit_close(s->audit);
	auth_close(s->auth);
	/* A thread of the audit log that wakes yet may be telling requests of their end. */
	if (ended)
		http_server_free(s->http);
	api_free(s->api);
	access_close(s->access);
	if (ended)
		database_close(s->db);
	if (s->kafka != NULL)
		kafka_options_release(s->kafka);
	free(s->kafka);
	master_free(s->master);
	for (i = 0; i < s->old_count; i++)
		master_free(s->old[i]);
	free(s);
	return ended;
}

static void
signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void
service_block_signals(void)
{
	sigset_t set;

	signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Everything that can be read again; what is wrong leaves the old in force. */
static void
reload(struct service *s, const struct service_callbacks *v)
{
	struct store_log_state l;
	struct http_options o;
	struct master *fresh;
	struct error err;

	audit_reopen(s->audit);
	if (s->records != NULL)
		records_due(s->records);
	/* What is wrong about these is said by service_look. */
	(void)auth_reload(s->auth, NULL);
	(void)access_reload(s->access, NULL);
	http_options_of(s, &o);
	if (o.certificate != NULL && (service_tls_check(s->settings, &err) != 0 ||
	    (http_server_reload(s->http, &o, &err) != 0 &&
	    service_tls_explain(s->settings, &err) != 0)))
		v->tell(&err);
	fresh = service_fresh_master(s, &err);
	store_log_state(s->store, &l);
	if (fresh != NULL && l.role != LOG_LOCAL && l.role != LOG_LEADER) {
		store_give_master(s->store, fresh);
		v->note("the leader rotates; this master secret is tried on what it writes");
		return;
	}
	if (fresh == NULL ? err.code != ERROR_NONE : store_rotate(s->store, fresh, &err) != 0)
		v->tell(&err);
	master_free(fresh);
}

/* Are the files of users and roles to be records from here on? */
static void
look_at_records(struct service *s, const struct service_callbacks *v)
{
	struct error err = { .code = ERROR_NONE };
	int taken = records_step(s->records, &err);

	if (taken == 1)
		v->note("the users, tokens, bindings and roles of the data folder are records of "
		    "the topic from now on, of all its nodes");
	else if (taken == -1)
		v->tell(&err);
}

int
service_run(struct service *s, const struct service_callbacks *v)
{
	static const struct timespec pause = { .tv_sec = 1 };
	struct error ignored;
	sigset_t set;
	int sig;

	signals(&set);
	for (;;) {
		sig = sigtimedwait(&set, NULL, &pause);
		if (sig == SIGTERM || sig == SIGINT)
			return sig;
		if (sig == SIGHUP)
			reload(s, v);
		/* Another node may have rotated. */
		if (s->saved != keyring_generation(store_keyring(s->store)))
			(void)service_save_keyring(s, &ignored);
		if (s->records != NULL)
			look_at_records(s, v);
		service_look(s, v, sig == SIGHUP);
	}
}
