#include <stdlib.h>
#include <string.h>

#include "file/file.h"
#include "crypto/key.h"
#include "document/document.h"
#include "estate/estate.h"
#include "secrets/secrets_file.h"
#include "ui/model.h"

/* The part of the model that is about the secrets file and its key. */

/* Put ${s} (owned; NULL: none) in the place of the secrets file. */
static int
take_secrets(struct model *m, struct secrets_file *s, struct error *err)
{
	const struct document *d;
	size_t *slot;
	size_t i;

	estate_set_secrets(m->estate, s);
	secrets_file_free(m->secrets);
	m->secrets = s;
	m->sealed.len = 0;
	m->scanning = true;
	if (s == NULL)
		return 0;
	d = secrets_file_document(s);
	for (i = 0; i < document_count(d); i++) {
		if (!secrets_file_is_sealed(s, i))
			continue;
		slot = vec_push(&m->sealed);
		if (slot == NULL)
			return error_memory(err);
		*slot = i;
	}
	return 0;
}

/* Read the secrets file at m->secrets_path; what is wrong is kept. */
static int
read_secrets(struct model *m, struct error *err)
{
	struct secrets_file *s;
	struct error problem = { .code = ERROR_NONE };

	s = secrets_file_load(m->secrets_path, &problem);
	m->secrets_problem = problem;
	if (problem.code == ERROR_MISSING)
		m->secrets_problem.code = ERROR_NONE;
	if (take_secrets(m, s, err) == -1)
		return -1;
	if (s != NULL && m->master != NULL &&
	    secrets_file_metadata(s)->data_key != NULL &&
	    secrets_file_unlock(s, m->master, NULL) == -1)
		model_lock(m);
	if (problem.code == ERROR_NONE || problem.code == ERROR_MISSING)
		return 0;
	if (err != NULL)
		*err = problem;
	return -1;
}

int
model_open_secrets(struct model *m, const char *path, struct error *err)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return error_memory(err);
	if (m->secrets_path == NULL || strcmp(copy, m->secrets_path) != 0)
		model_lock(m);
	free(m->secrets_path);
	m->secrets_path = copy;
	return read_secrets(m, err);
}

int
model_reload_secrets(struct model *m, struct error *err)
{
	struct file_id now;

	if (m->secrets != NULL && file_identify(m->secrets_path, &now, NULL) == 0 &&
	    file_id_equal(&now, secrets_file_id(m->secrets)))
		return 0;
	return read_secrets(m, err);
}

int
model_unlock(struct model *m, struct key *master, struct error *err)
{
	if (m->secrets != NULL && secrets_file_metadata(m->secrets)->data_key != NULL &&
	    secrets_file_unlock(m->secrets, master, err) == -1) {
		key_free(master);
		return -1;
	}
	if (key_fingerprint(master, m->fingerprint, err) == -1) {
		key_free(master);
		return -1;
	}
	key_free(m->master);
	m->master = master;
	/* With the key in hand damaged entries can be told from sound ones. */
	estate_set_secrets(m->estate, m->secrets);
	m->scanning = true;
	return 0;
}

void
model_lock(struct model *m)
{
	key_free(m->master);
	m->master = NULL;
	m->fingerprint[0] = '\0';
	if (m->secrets != NULL)
		secrets_file_lock(m->secrets);
}
