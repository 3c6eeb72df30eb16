/* The view of the Secret Registry: lists without end or content, other registries, the audit log. */
#include "golden.h"
#include "session.h"

static void
list_that_is_cut_says_so_at_every_size(void **state)
{
	struct reply replies[] = {
		{ "deleted=true", 200, "[]" },
		{ "GET /secret/paths?", 200, NULL },
		{ "/metadata", 200, "{\"keys\":[]}" },
	};
	char *body = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&body, &size);
	struct vt *v;
	int i;

	assert_non_null(out);
	for (i = 0; i <= 10000; i++)
		fprintf(out, "%c\"path-%05d\"", i == 0 ? '[' : ',', i);
	fprintf(out, "]");
	assert_int_equal(fclose(out), 0);
	replies[1].body = body;
	v = session_fake(state, replies, 3);
	see(v, "only the first 10000 paths are shown");
	see(v, "10000 paths and more");
	/* The last one is above that line, not behind it. */
	vt_key(v, KEY_END);
	see(v, "path-09999");
	see(v, "only the first 10000 paths are shown");
	vt_resize(v, 5, 20);
	see(v, "path-09999");
	see(v, "first 10000 only");
	session_quit(state);
	free(body);
}

static void
list_that_is_not_cut_does_not_say_so(void **state)
{
	struct vt *v = session_open(state);

	vt_assert_lacks(v, "only the first");
	session_quit(state);
}

static void
keys_that_are_not_known_yet_are_not_counted_as_all(void **state)
{
	struct reply replies[] = {
		/* As other registries, it takes no notice of deleted=true. */
		{ "GET /secret/paths?", 200, NULL },
		{ "/metadata", 200, "{\"keys\":[{\"key\":\"k\",\"currentVersion\":1}]}" },
	};
	char body[1024] = "";
	struct vt *v;
	int i;

	/* So many that they are not unfolded, and their keys not asked for. */
	for (i = 0; i < 60; i++)
		snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s\"p%02d\"",
		    i == 0 ? "[" : ",", i);
	snprintf(body + strlen(body), sizeof(body) - strlen(body), "]");
	replies[0].body = body;
	v = session_fake(state, replies, 2);
	see(v, "60 paths, 7 references");
	go_to(v, "p05", "60 paths, 1 key so far, 7 references");
	vt_key(v, "+");
	see(v, "60 paths, 60 keys, 7 references");
	session_quit(state);
}

static void
empty_registry_says_what_to_do(void **state)
{
	static const struct reply replies[] = { { "GET /secret/paths?", 200, "[]" } };
	struct session *t = *state;
	struct vt *v;

	server_fake(&t->s, t->f, replies, 1);
	fixture_write(t->f, "connectors/conn-a.json", "{}\n");
	fixture_write(t->f, "connectors/other.properties", "a=b\n");
	v = t->v = server_open(&t->s, 24, 80);
	vt_settle(v);
	vt_key(v, "s");
	see(v, "nothing that you may see is stored here");
	see(v, "i stores a first secret.");
	vt_key(v, "X");
	see(v, "select a path, a key or a version first");
	session_quit(state);
}

/* Two events of one request, and one that was refused. */
#define LOG "[" \
	"{\"time\":\"2026-10-05T11:22:33.123Z\",\"seq\":7,\"data\":{\"methodName\":" \
	"\"secret-registry.GetSecretVersion\",\"resourceName\":" \
	"\"crn:///kafka=k/connect=c/secret-path=conn-%41/secret-key=password/version=3\"," \
	"\"authenticationInfo\":{\"principal\":\"User:bob\"},\"request\":{\"phase\":\"intent\"}}}," \
	"{\"time\":\"2026-10-05T11:22:33.124Z\",\"seq\":8,\"intentseq\":7,\"data\":{\"methodName\":" \
	"\"secret-registry.GetSecretVersion\",\"resourceName\":" \
	"\"crn:///kafka=k/connect=c/secret-path=conn-%41/secret-key=password/version=3\"," \
	"\"authenticationInfo\":{\"principal\":\"User:bob\"},\"request\":{\"phase\":\"outcome\"}," \
	"\"result\":{\"status\":200}}}," \
	"{\"time\":\"2026-10-05T11:22:34Z\",\"seq\":9,\"data\":{\"methodName\":" \
	"\"secret-registry.DeletePath\",\"authenticationInfo\":{\"principal\":" \
	"\"User:\\u001beve\"},\"authorizationInfo\":{\"granted\":false}}}," \
	"{\"time\":\"2026-10-05T11:22:35Z\",\"seq\":10,\"data\":{\"methodName\":" \
	"\"secret-registry.GetKey\",\"authenticationInfo\":{\"principal\":\"User:bob\"}," \
	"\"request\":{\"phase\":\"intent\"}}}]"

static void
end_of_the_audit_log_is_followed(void **state)
{
	static const struct reply replies[] = {
		{ "GET /secret/paths?", 200, "[]" },
		{ "GET /secret/admin/audit?limit=", 200, LOG },
	};
	struct vt *v = session_fake(state, replies, 2);
	int row, col;

	see(v, "7 references, 4 dangling");
	vt_key(v, "t");
	see(v, "11:22:33 bob     GetSecretVersion conn-A / password, version 3");
	see(v, "200");
	/* Control characters drive no terminal. */
	see(v, "11:22:34 \\x1beve DeletePath");
	/* Begun and done is one line. */
	assert_true(vt_find(v, "DeletePath", &row, &col));
	assert_int_equal(row, 2);
	see(v, "denied");
	see(v, "11:22:35 bob     GetKey");
	see(v, "intent");
	golden_assert_sizes(v, "registry-audit");
	vt_resize(v, 24, 120);
	see(v, "2026-10-05 11:22:33 bob     GetSecretVersion");
	vt_resize(v, 5, 20);
	see(v, "GetKey      intent");
	vt_resize(v, 24, 80);
	vt_key(v, "k");
	vt_key(v, KEY_ESC);
	vt_wait_text(v, "denied", false);
	session_quit(state);
}

static void
registry_without_audit_tail_or_metadata_is_used_all_the_same(void **state)
{
	static const struct reply replies[] = {
		{ "GET /secret/paths?", 200, "[\"conn-a\"]" },
		{ "GET /secret/paths/conn-a/keys?", 200, "[\"password\"]" },
		{ "GET /secret/paths/conn-a/keys/password/versions ", 200, "[1,3]" },
	};
	struct vt *v = session_fake(state, replies, 3);

	see(v, "1 path, 1 key,");
	go_to_password(v);
	see(v, "S 3  live");
	vt_key(v, "t");
	see(v, "this registry offers no audit tail");
	vt_key(v, KEY_ENTER);
	session_quit(state);
}

static void
registry_that_refuses_to_list_what_is_deleted_is_used_all_the_same(void **state)
{
	static const struct reply replies[] = {
		{ "deleted=true", 400, "{\"error_code\":400,\"message\":\"what?\"}" },
		{ "GET /secret/paths?", 200, "[\"conn-a\"]" },
		{ "/metadata", 200, "{\"keys\":[{\"key\":\"k\",\"currentVersion\":1}]}" },
	};
	struct vt *v = session_fake(state, replies, 3);

	see(v, "1 path, 1 key,");
	session_quit(state);
}

static void
without_a_registry_the_view_tells_how_to_name_one(void **state)
{
	struct session *t = *state;
	struct vt *v = t->v = fixture_open(t->f);

	vt_settle(v);
	vt_key(v, "s");
	golden_assert(v, "registry-none-80x24");
	vt_key(v, "i");
	see(v, "no registry is configured");
	vt_key(v, "s");
	see(v, "2 files");
	session_quit(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TEST(list_that_is_cut_says_so_at_every_size),
		SESSION_TEST(list_that_is_not_cut_does_not_say_so),
		SESSION_TEST(keys_that_are_not_known_yet_are_not_counted_as_all),
		SESSION_TEST(empty_registry_says_what_to_do),
		SESSION_TEST(end_of_the_audit_log_is_followed),
		SESSION_TERMS(end_of_the_audit_log_is_followed),
		SESSION_TEST(registry_without_audit_tail_or_metadata_is_used_all_the_same),
		SESSION_TEST(registry_that_refuses_to_list_what_is_deleted_is_used_all_the_same),
		SESSION_TEST(without_a_registry_the_view_tells_how_to_name_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
