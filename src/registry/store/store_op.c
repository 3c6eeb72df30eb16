#include <stdlib.h>
#include <string.h>

#include "registry/log/log.h"
#include "registry/store/store.h"

void
store_op_init(struct store_op *op, enum store_action action)
{
	memset(op, 0, sizeof(*op));
	op->action = action;
	op->cas = -1;
	op->if_match = -1;
	buf_init_secret(&op->value, LOG_VALUE_MAX);
	buf_init(&op->custom, LOG_VALUE_MAX);
	buf_init(&op->names, BUF_MAX_FILE);
}

void
store_op_release(struct store_op *op)
{
	buf_release(&op->value);
	buf_release(&op->custom);
	buf_release(&op->names);
	free(op->touched);
	op->touched = NULL;
	op->touched_count = 0;
}
