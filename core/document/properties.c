#include "document/document_internal.h"
#include "document/properties_syntax.h"

const struct document_ops properties_ops = {
	.parse = properties_parse,
	.append_value = properties_decode_value,
	.value_is = properties_decode_is,
	.seek = properties_decode_seek,
	.render_splices = properties_edit_splices,
	.render_begin = properties_edit_begin,
	.render_change = properties_edit_change
};
