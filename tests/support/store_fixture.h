#ifndef SUPPORT_STORE_FIXTURE_H
#define SUPPORT_STORE_FIXTURE_H

#include "store_support.h"

/* A store of its own for each case, in a folder of its own. */
struct fixture {
	void *folder;
	struct master *master;
	struct store *s;
};

UNIT_HELPER int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	store_clock = 1000000;
	assert_int_equal(files_setup(&f->folder), 0);
	f->master = store_master('a');
	f->s = store_on(f->master);
	*state = f;
	return 0;
}

UNIT_HELPER int
tear_down(void **state)
{
	struct fixture *f = *state;

	int result;

	store_end(f->s);
	master_free(f->master);
	result = files_teardown(&f->folder);
	free(f);
	return result;
}

UNIT_HELPER void
restart(struct fixture *f)
{
	store_end(f->s);
	f->s = store_on(f->master);
}

/* A case on a store of its own. */
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

UNIT_HELPER enum store_result
create_with_idem(struct store *s, unsigned char who, unsigned char body, uint32_t *version)
{
	struct store_op op;
	enum store_result result;

	store_op_create(&op, "p", "k", "x");
	op.has_idem = true;
	memset(op.idem, who, 32);
	memset(op.idem + 32, body, 32);
	op.cas = *version == 0 ? -1 : 0;	/* not looked at when repeated */
	result = store_do(s, &op);
	*version = op.version;
	store_op_release(&op);
	return result;
}

#endif /* !SUPPORT_STORE_FIXTURE_H */
