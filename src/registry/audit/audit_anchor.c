#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json_out.h"
#include "base/secmem.h"
#include "file/file.h"
#include "file/replace.h"
#include "registry/audit/audit_anchor.h"
#include "registry/audit/audit_text.h"

#define PURPOSE "audit anchor"
#define ANCHOR_MAX 512
#define LOCK_MS 1000

static int
audit_anchor_path_of(const char *file, char path[PATH_MAX], struct error *err)
{
	if ((size_t)snprintf(path, PATH_MAX, "%s.anchor", file) < PATH_MAX)
		return 0;
	return error_set(err, ERROR_LIMIT, "the file's name is too long");
}

/* The whole text; it has no other form. */
static int
audit_anchor_put(const struct key *k, const struct audit_chain *c, uint64_t first, struct buf *out,
    struct error *err)
{
	char hex[2 * MAC_BYTES + 1];
	struct audit_text t = { hex, hex + sizeof(hex) - 1 };
	unsigned char sum[MAC_BYTES];
	struct json_out o;
	struct mac *m;
	int rc;

	audit_text_hex(&t, c->hash, MAC_BYTES);
	*t.at = '\0';
	json_out_init(&o, out);
	json_out_object(&o, NULL);
	json_out_uint(&o, "seq", c->seq);
	json_out_text(&o, "hash", hex);
	json_out_uint(&o, "first", first);
	if (buf_check(out, err) != 0 || (m = mac_new(k, PURPOSE, err)) == NULL)
		return -1;
	rc = mac_sum(m, "", 0, out->data, out->len, sum, err);
	mac_free(m);
	if (rc != 0)
		return -1;
	t.at = hex;
	audit_text_hex(&t, sum, MAC_BYTES);
	json_out_text(&o, "mac", hex);
	json_out_end(&o);
	return json_out_finish(&o, err);
}

int
audit_anchor_write(const char *file, const struct key *k, const struct audit_chain *c,
    uint64_t first, struct error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc = -1;

	buf_init(&text, ANCHOR_MAX);
	if (audit_anchor_path_of(file, path, err) == 0 && audit_anchor_put(k, c, first, &text,
	    err) == 0)
		rc = replace_file_locked(path, LOCK_MS, &text, err);
	buf_release(&text);
	return rc;
}

static int
audit_anchor_parse(const struct key *k, struct buf *text, struct audit_anchor *out,
    struct error *err)
{
	char hex[2 * MAC_BYTES + 1];
	struct buf again;
	int rc = -1;

	buf_init(&again, ANCHOR_MAX);
	if (sscanf(buf_cstr(text), "{" JSON_NAME("seq") "%" SCNu64 "," JSON_NAME("hash")
	    "\"%64[0-9a-f]\"," JSON_NAME("first") "%" SCNu64, &out->chain.seq, hex,
	    &out->first) == 3 && strlen(hex) == 2 * MAC_BYTES && out->chain.seq > 0 &&
	    audit_chain_unhex(hex, out->chain.hash) &&
	    audit_anchor_put(k, &out->chain, out->first, &again, err) == 0 &&
	    secret_equal(text->data, text->len, again.data, again.len))
		rc = 0;
	else
		error_set(err, ERROR_DAMAGED, "the anchor of the audit log was changed");
	buf_release(&again);
	return rc;
}

int
audit_anchor_read(const char *file, const struct key *k, struct audit_anchor *out,
    struct error *err)
{
	char path[PATH_MAX];
	struct error failed = { 0 };
	struct buf text;
	int rc;

	memset(out, 0, sizeof(*out));
	if (audit_anchor_path_of(file, path, err) != 0)
		return -1;
	buf_init(&text, ANCHOR_MAX);
	rc = file_read(path, &text, NULL, &failed);
	if (rc == 0 && (rc = audit_anchor_parse(k, &text, out, &failed)) != 0)
		error_place(&failed, path, 0);
	buf_release(&text);
	if (rc == 0 || failed.code == ERROR_MISSING)
		return 0;
	if (err != NULL)
		*err = failed;
	return -1;
}
