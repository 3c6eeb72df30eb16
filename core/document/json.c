#include "document/document_internal.h"
#include "document/json_path.h"
#include "document/json_syntax.h"

static bool
respell(const char *key, size_t n, struct buf *out)
{
	if (!json_path_is_plain(key, n))
		return false;
	json_path_canonical(out, key, n);
	return true;
}

const struct document_ops json_ops = {
	.parse = json_parse,
	.append_value = json_decode_value,
	.value_is = json_decode_is,
	.seek = json_decode_seek,
	.render_splices = json_splice_render,
	.render = json_edit_render,
	.check = json_check,
	.respell = respell
};
