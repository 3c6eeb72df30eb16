#include "registry/service/service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "registry/auth/access.h"
#include "registry/api/api.h"
#include "registry/audit/audit.h"
#include "registry/auth/auth.h"
#include "registry/http/http.h"
#include "registry/keys/keyring.h"
#include "registry/keys/master.h"
#include "registry/log/log.h"
#include "registry/log/log_sqlite.h"
#include "registry/service/service_internal.h"
#include "registry/store/store.h"

/* A secret as JSON may take six bytes for one, and has members beside it. */
#define BODY_FACTOR 6
#define BODY_EXTRA (128U << 10)

int
service_path(const struct service *s, const char *name, char out[PATH_MAX], struct error *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", s->settings->data, name);

	if (n < 0 || n >= PATH_MAX)
		return error_set(err, ERROR_LIMIT, "the path of the data folder is too long");
	return 0;
}

/* The data folder, made if it is not there, for nobody else to look into. */
static int
open_folder(const char *data, struct error *err)
{
	struct stat st;

	if (mkdir(data, 0700) != 0 && errno != EEXIST)
		return error_io(err, data, "cannot make the data folder");
	if (stat(data, &st) != 0)
		return error_io(err, data, "cannot look at the data folder");
	if (!S_ISDIR(st.st_mode)) {
		error_set(err, ERROR_REFUSED, "this is no folder");
		return error_place(err, data, 0);
	}
	if ((st.st_mode & 022) != 0) {
		error_set(err, ERROR_REFUSED, "others may write into the data folder");
		error_place(err, data, 0);
		return error_hint(err, "chmod 700 %s", data);
	}
	return 0;
}

static int
open_store(struct service *s, struct error *err)
{
	const struct master *old[SETTINGS_OLD_KEYS_MAX + 1];
	char path[PATH_MAX];
	struct store_options o = {
		.master = s->master,
		.old = old,
		.old_count = s->old_count,
		.node = "embedded",
		.undelete_window_ms = s->settings->undelete_window_ms,
	};
	size_t i;

	for (i = 0; i < s->old_count; i++)
		old[i] = s->old[i];
	if (service_path(s, "registry.db", path, err) != 0 ||
	    (o.log = log_sqlite_open(path, err)) == NULL ||
	    (s->store = store_open(&o, err)) == NULL) {
		error_place(err, path, 0);
		return -1;
	}
	return service_save_keyring(s, err);
}

/* What a crash may have taken from the audit log. */
static size_t
carried_lines(const struct store *s, struct audit_carry out[AUDIT_CARRY_SLOTS])
{
	size_t count = 0;
	unsigned slot;

	for (slot = 0; slot < AUDIT_CARRY_SLOTS; slot++) {
		out[count].lines = store_carried(s, slot, &out[count].n);
		count += out[count].lines != NULL;
	}
	return count;
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

static int
open_audit(struct service *s, struct error *err)
{
	const struct settings *set = s->settings;
	struct audit_carry carried[AUDIT_CARRY_SLOTS];
	char path[PATH_MAX];
	struct audit_options o = {
		.file = set->audit_file,
		.to_stdout = set->audit_stdout,
		.to_syslog = set->audit_syslog,
		.deadline_ms = set->audit_deadline_ms,
		.rotate_bytes = set->audit_rotate_bytes,
		.keep = set->audit_keep,
		.authority = set->audit_authority,
		.cluster = set->audit_cluster,
		.connect = set->audit_connect,
		.type_prefix = set->audit_type_prefix,
	};

	if (o.file == NULL) {
		if (service_path(s, "audit.log", path, err) != 0)
			return -1;
		o.file = path;
	}
	o.carried = carried;
	o.carried_count = carried_lines(s->store, carried);
	s->audit = audit_open(&o, keyring_audit_key(store_keyring(s->store)), err);
	store_forget_carried(s->store);
	if (s->audit != NULL)
		return service_recover(s, err);
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
service_open(const struct settings *set, struct error *err)
{
	struct service *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		error_memory(err);
		return NULL;
	}
	s->settings = set;
	lock_memory();
	if (open_folder(set->data, err) != 0 || service_masters(s, err) != 0 ||
	    open_store(s, err) != 0 || open_audit(s, err) != 0 || open_access(s, err) != 0)
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
	/* What is still under way ends here; its answers go nowhere. */
	store_close(s->store);
	ended = audit_close(s->audit);
	auth_close(s->auth);
	/* A thread of the audit log that wakes yet may be telling requests of their end. */
	if (ended)
		http_server_free(s->http);
	api_free(s->api);
	access_close(s->access);
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
reload(struct service *s, const struct service_voice *v)
{
	struct http_options o;
	struct master *fresh;
	struct error err;

	audit_reopen(s->audit);
	/* What is wrong about these is said by service_look. */
	(void)auth_reload(s->auth, NULL);
	(void)access_reload(s->access, NULL);
	http_options_of(s, &o);
	if (o.certificate != NULL && (service_tls_check(s->settings, &err) != 0 ||
	    (http_server_reload(s->http, &o, &err) != 0 &&
	    service_tls_explain(s->settings, &err) != 0)))
		v->tell(&err);
	fresh = service_fresh_master(s, &err);
	if (fresh == NULL ? err.code != ERROR_NONE : store_rotate(s->store, fresh, &err) != 0)
		v->tell(&err);
	master_free(fresh);
}

int
service_run(struct service *s, const struct service_voice *v)
{
	static const struct timespec pause = { .tv_sec = 1 };
	sigset_t set;
	int sig;

	signals(&set);
	for (;;) {
		sig = sigtimedwait(&set, NULL, &pause);
		if (sig == SIGTERM || sig == SIGINT)
			return sig;
		if (sig == SIGHUP)
			reload(s, v);
		service_look(s, v, sig == SIGHUP);
	}
}
