#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "common/args.h"
#include "common/report.h"
#include "registry/base/settings.h"
#include "registry/database/database.h"
#include "registry/kafka/kafka.h"
#include "registry/keys/keyring.h"
#include "registry/service/service.h"
#include "registry/store/store.h"

#define OUT_MAX ((size_t)64 << 10)

/* `propseal registry copy`: a registry's secrets into a topic, and back. */

static int
copy_tell(const struct options *o, const struct store_copied *done, bool to_topic,
    const char *topic, struct error *err)
{
	struct json_out json;
	struct buf out;
	int rc;

	if (done->stopped != NULL)
		report_warning(NULL, "%s: what this node has read of it was copied", done->stopped);
	buf_init(&out, OUT_MAX);
	if (options_format(o) == OUTPUT_JSON) {
		json_out_init(&json, &out);
		json_out_object(&json, NULL);
		json_out_text(&json, "to", to_topic ? "kafka" : "local");
		json_out_text(&json, "topic", topic);
		json_out_uint(&json, "versions", done->versions);
		json_out_end(&json);
		(void)json_out_finish(&json, NULL);
	} else if (to_topic) {
		buf_printf(&out, "copied %" PRIu64 " versions into the topic %s; serve this folder "
		    "with store.log=kafka from now on\n", done->versions, topic);
	} else {
		buf_printf(&out, "the database has %" PRIu64 " versions of its own; serve this "
		    "folder with store.log=local from now on, and no other node of the topic\n",
		    done->versions);
	}
	rc = output_write(&out, err);
	buf_release(&out);
	return rc;
}

/* The master key from where serve takes it. */
static struct master *
copy_master(const struct options *o, const struct settings *s, struct error *err)
{
	const char *where;

	if (o->text[FLAG_MASTER_KEY_FILE] == NULL && s->master_key_file != NULL)
		return registry_master_find(s->master_key_file, true, &where, err);
	if (o->text[FLAG_MASTER_KEY_FILE] == NULL && s->master_key.len > 0)
		return master_from_text(&s->master_key, true, err);
	return audit_command_master(o, err);
}

static int
copy_run(const struct options *o, const struct settings *s, bool to_topic, struct error *err)
{
	struct kafka_options *kafka = error_alloc(sizeof(*kafka), err);
	struct store_options so = { .kafka = kafka, .no_thread = true,
	    .copy = to_topic ? STORE_COPY_TO_TOPIC : STORE_COPY_TO_LOCAL };
	struct store_copied done;
	struct master *m = NULL;
	char path[PATH_MAX];
	int rc = -1, version;

	if (kafka == NULL)
		return -1;
	if (kafka_options_read(kafka, s, err) != 0 ||
	    audit_command_path(o, "registry.db", path, err) != 0 ||
	    (version = database_look(path, err)) == -1)
		goto done;
	if (version == 0) {
		error_set(err, ERROR_MISSING, "there is no database");
		error_place(err, path, 0);
		error_hint(err, "--data names the folder of a registry; a node that begins with an "
		    "empty one is filled from the topic by itself");
		goto done;
	}
	if (version != DATABASE_VERSION) {
		error_set(err, ERROR_REFUSED, "this is a database of the first edition");
		error_place(err, path, 0);
		error_hint(err, "serve it once with store.log=local, which takes it over");
		goto done;
	}
	if ((m = copy_master(o, s, err)) == NULL || (so.db = database_open(path, err)) == NULL)
		goto done;
	so.master = m;
	rc = store_copy(&so, &done, err);
	if (rc == 0 && !to_topic)
		rc = records_to_files(o->text[FLAG_DATA], so.db, err);
	if (rc == 0)
		rc = copy_tell(o, &done, to_topic, kafka->topic, err);
done:
	database_close(so.db);
	master_free(m);
	kafka_options_release(kafka);
	free(kafka);
	return rc;
}

int
commands_registry_copy(const struct options *o)
{
	bool to_topic = strcmp(o->args[0], "kafka") == 0;
	struct settings *s = settings_new();
	struct error err = { .code = ERROR_NONE };
	int rc = -1;

	if (s == NULL) {
		error_memory(&err);
		return report_error(&err);
	}
	if (!to_topic && strcmp(o->args[0], "local") != 0) {
		error_set(&err, ERROR_USAGE, "copy goes to kafka or to local");
	} else if (settings_read(s, o->text[FLAG_SERVE_CONFIG], &err) == 0 &&
	    settings_read_environment(s, &err) == 0) {
		/* Which of them it is does not matter: the topic is meant. */
		s->log = STORE_LOG_KAFKA;
		if (settings_check(s, &err) == 0)
			rc = copy_run(o, s, to_topic, &err);
	}
	settings_free(s);
	return rc == 0 ? 0 : report_error(&err);
}
