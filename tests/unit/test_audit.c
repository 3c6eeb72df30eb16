#include <string.h>

#include "audit_support.h"

#define THREADS 4
#define ROUNDS 300

static const char *
at(json_t *o, const char *path)
{
	char name[64];
	size_t n;

	while (o != NULL) {
		n = strcspn(path, ".");
		memcpy(name, path, n);
		name[n] = '\0';
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(name)) :
		    json_object_get(o, name);
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	return json_string_value(o);
}

static void
test_an_event_has_the_shape_of_confluents(void **state)
{
	struct audit_event e = audit_change_event(AUDIT_INTENT);
	char hmac[AUDIT_HMAC_TEXT];
	struct audit *a = audit_start(NULL);
	json_t *o, *data, *request;

	(void)state;
	assert_int_equal(audit_hmac(a, "secret", 6, hmac), 0);
	e.value_hmac = hmac;
	e.has_length = e.has_cas = true;
	e.length = 6;
	e.cas = -1;
	e.version = 3;
	assert_int_equal(audit_say(a, &e, 1), 2);
	audit_close(a);
	o = audit_line_json(FILE_NAME, 1);
	assert_string_equal(at(o, "specversion"), "1.0");
	assert_string_equal(at(o, "source"), "crn://mds/kafka=lkc-1/connect=cc");
	assert_string_equal(at(o, "subject"),
	    "crn://mds/kafka=lkc-1/connect=cc/secret-path=conn-a/secret-key=password/version=3");
	assert_string_equal(at(o, "type"), "io.confluent.kafka.server/authorization");
	assert_string_equal(at(o, "datacontenttype"), "application/json");
	assert_string_equal(at(o, "confluentRouting.route"), "confluent-audit-log-events");
	assert_int_equal(strlen(at(o, "time")), 24);
	assert_string_equal(at(o, "data.serviceName"), "crn://mds/kafka=lkc-1/connect=cc");
	assert_string_equal(at(o, "data.methodName"), "secret-registry.CreateSecretVersion");
	assert_string_equal(at(o, "data.resourceName"), at(o, "subject"));
	assert_string_equal(at(o, "data.authenticationInfo.principal"), "User:ann");
	assert_string_equal(at(o, "data.authenticationInfo.metadata.mechanism"), "BASIC");
	assert_string_equal(at(o, "data.authorizationInfo.operation"), "SecretWrite");
	assert_string_equal(at(o, "data.authorizationInfo.resourceType"), "Connector");
	assert_string_equal(at(o, "data.authorizationInfo.resourceName"), "conn-a");
	assert_string_equal(at(o, "data.authorizationInfo.patternType"), "LITERAL");
	assert_string_equal(at(o, "data.authorizationInfo.rbacAuthorization.role"),
	    "DeveloperRead");
	assert_string_equal(at(o, "data.authorizationInfo.rbacAuthorization.scope.clusters."
	    "kafka-cluster"), "lkc-1");
	assert_string_equal(at(o, "data.requestMetadata.requestId.0"), "req-1");
	assert_string_equal(at(o, "data.requestMetadata.clientAddress.0.ip"), "127.0.0.1");
	data = json_object_get(o, "data");
	request = json_object_get(data, "request");
	assert_true(json_is_true(json_object_get(json_object_get(data, "authorizationInfo"),
	    "granted")));
	assert_string_equal(at(request, "phase"), "intent");
	assert_string_equal(at(request, "value"), hmac);
	assert_int_equal(json_integer_value(json_object_get(request, "length")), 6);
	assert_int_equal(json_integer_value(json_object_get(request, "cas")), -1);
	assert_int_equal(json_integer_value(json_object_get(o, "seq")), 2);
	json_decref(o);
}

static void
test_an_outcome_names_its_intent(void **state)
{
	struct audit_event e = audit_change_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);
	json_t *o, *result;

	(void)state;
	assert_int_equal(audit_say_read(a), 2);
	e.intent = 77;
	e.version = 4;
	e.offset = 9;
	e.message = "done";
	audit_say(a, &e, 1);
	audit_close(a);
	o = audit_line_json(FILE_NAME, 2);
	assert_string_equal(at(o, "type"), "io.confluent.kafka.server/request");
	assert_string_equal(at(o, "data.request.phase"), "outcome");
	assert_int_equal(json_integer_value(json_object_get(o, "intentseq")), 2);
	json_decref(o);
	o = audit_line_json(FILE_NAME, 3);
	assert_int_equal(json_integer_value(json_object_get(o, "intentseq")), 77);
	result = json_object_get(json_object_get(o, "data"), "result");
	assert_int_equal(json_integer_value(json_object_get(result, "status")), 200);
	assert_int_equal(json_integer_value(json_object_get(result, "version")), 4);
	assert_int_equal(json_integer_value(json_object_get(result, "offset")), 9);
	assert_string_equal(at(result, "message"), "done");
	json_decref(o);
}

static void
test_any_bytes_in_names_make_one_line_of_json(void **state)
{
	static const char evil[] = "a\"\\\n\r\t\x01\x7f\xff\xc3(\xe2\x80\xae\xed\xa0\x80 \xc3\xa9\0z";
	struct audit_event e = audit_read_event(AUDIT_INTENT);
	struct audit *a = audit_start(NULL);
	json_t *o;
	char *text;

	(void)state;
	e.path = e.key = evil;
	e.path_len = e.key_len = sizeof(evil) - 1;
	e.principal = "User:\"}\n{\"x\":\"";
	e.request_id = e.client = e.message = e.role = e.operation = e.mechanism = evil;
	e.pattern = e.method = e.value_hmac = e.idempotency_hmac = evil;
	assert_int_not_equal(audit_say(a, &e, 1), 0);
	audit_close(a);
	assert_int_equal(audit_count_lines(FILE_NAME), 3);
	o = audit_line_json(FILE_NAME, 1);
	assert_string_equal(at(o, "data.authenticationInfo.principal"), e.principal);
	assert_non_null(strstr(at(o, "subject"), "/secret-path=a%22%5C%0A%0D%09%01%7F%FF%C3%28"));
	json_decref(o);
	text = audit_text_of(FILE_NAME, NULL);
	for (const char *p = text; *p != '\0'; p++)
		assert_true((unsigned char)*p >= ' ' || *p == '\n');
	assert_null(strstr(text, "\x7f"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	free(text);
	audit_assert_whole(3);
}

static void
test_texts_of_any_length_are_cut(void **state)
{
	struct audit_event e = audit_read_event(AUDIT_INTENT);
	struct audit *a = audit_start(NULL);
	char *huge = malloc(200001);
	json_t *o;

	(void)state;
	assert_non_null(huge);
	memset(huge, '\x01', 200000);
	huge[200000] = '\0';
	e.path = e.key = huge;
	e.path_len = e.key_len = 200000;
	e.principal = e.request_id = e.client = e.message = e.role = e.operation = huge;
	e.mechanism = e.pattern = e.method = e.value_hmac = e.idempotency_hmac = huge;
	assert_int_not_equal(audit_say(a, &e, 1), 0);
	audit_close(a);
	free(huge);
	o = audit_line_json(FILE_NAME, 1);
	json_decref(o);
	audit_assert_whole(3);
}

static void
test_the_log_is_for_its_owner_alone(void **state)
{
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_equal(files_stat(FILE_NAME).st_mode & 07777, 0600);
	audit_close(a);
}

static void
test_hmacs_tell_values_apart_and_hide_them(void **state)
{
	char one[AUDIT_HMAC_TEXT], two[AUDIT_HMAC_TEXT], again[AUDIT_HMAC_TEXT];
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_equal(audit_hmac(a, "one", 3, one), 0);
	assert_int_equal(audit_hmac(a, "two", 3, two), 0);
	audit_close(a);
	a = audit_start(NULL);
	assert_int_equal(audit_hmac(a, "one", 3, again), 0);
	audit_close(a);
	assert_string_equal(one, again);
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), AUDIT_HMAC_TEXT - 1);
	assert_int_equal(strncmp(one, "hmac-sha256:", 12), 0);
}

/* Many threads hand in pairs; each is told once, and pairs stand together. */
static void *
talk(void *arg)
{
	struct audit *a = arg;
	size_t failed = 0;

	for (int i = 0; i < ROUNDS; i++)
		failed += audit_say_read(a) == 0;
	return (void *)failed;
}

static void
test_pairs_of_many_threads_stand_together(void **state)
{
	struct audit *a = audit_start(NULL);
	struct audit_counts counts;
	pthread_t threads[THREADS];
	void *failed;
	json_t *o;

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, talk, a), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	audit_count(a, &counts);
	assert_int_equal(counts.lines, 1 + 2 * THREADS * ROUNDS);
	assert_int_equal(counts.failures, 0);
	assert_int_equal(counts.waiting, 0);
	assert_true(counts.batches > 0 && counts.batches <= THREADS * ROUNDS);
	audit_close(a);
	for (size_t i = 1; i < 20; i += 2) {
		o = audit_line_json(FILE_NAME, i + 1);
		assert_int_equal(json_integer_value(json_object_get(o, "intentseq")), i + 1);
		json_decref(o);
	}
	audit_assert_whole(2 + 2 * THREADS * ROUNDS);
}

static void
test_what_nobody_waits_for_is_written_too(void **state)
{
	struct audit_event e = audit_read_event(AUDIT_OUTCOME);
	struct audit *a = audit_start(NULL);

	(void)state;
	e.method = "Authenticate";
	e.has_count = true;
	e.count = 4711;
	audit_submit(a, &e, 1, NULL);
	audit_close(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"count\":4711"), 1);
}

/* --- after a crash --- */

struct unfinished {
	struct audit *audit;	/* NULL: do not answer */
	size_t count;
	uint64_t seq;
	char method[64], path[64], key[64], request[64], hmac[128], principal[64];
	uint32_t version;
};

static void
copy(char *out, const char *text)
{
	snprintf(out, 64, "%s", text != NULL ? text : "(none)");
}

static void
note(void *cookie, const struct audit_unfinished *u)
{
	struct unfinished *f = cookie;
	struct audit_event e = { .phase = AUDIT_RECOVERED, .method = u->method,
	    .path = u->path, .path_len = u->path != NULL ? strlen(u->path) : 0,
	    .status = 200, .intent = u->seq };

	f->count++;
	f->seq = u->seq;
	f->version = u->version;
	copy(f->method, u->method);
	copy(f->path, u->path);
	copy(f->key, u->key);
	copy(f->request, u->request_id);
	copy(f->principal, u->principal);
	snprintf(f->hmac, sizeof(f->hmac), "%s", u->value_hmac != NULL ? u->value_hmac : "");
	assert_int_equal(strlen(u->time), 24);
	if (f->audit != NULL)
		audit_submit(f->audit, &e, 1, NULL);
}

static size_t
unfinished(struct audit *a, bool answer, struct unfinished *f)
{
	memset(f, 0, sizeof(*f));
	f->audit = answer ? a : NULL;
	assert_int_equal(audit_unfinished(a, note, f, NULL), 0);
	return f->count;
}

/* As a process leaves it that is killed: without the last line of audit_close. */
static void
crash(struct audit *a)
{
	char *text;
	size_t n;

	audit_close(a);
	text = audit_text_of(FILE_NAME, &n);
	text[n - 1] = '\0';
	assert_int_equal(truncate(FILE_NAME, strrchr(text, '\n') + 1 - text), 0);
	free(text);
	unlink(FILE_NAME ".anchor");
}

static void
test_a_change_without_outcome_is_found_and_ended(void **state)
{
	struct audit_event done = audit_change_event(AUDIT_INTENT), open = done, e;
	struct audit *a = audit_start(NULL);
	struct unfinished f;
	uint64_t seq;

	(void)state;
	assert_int_equal(unfinished(a, true, &f), 0);
	seq = audit_say(a, &done, 1);
	open.path = "a/\" b";
	open.path_len = 5;
	open.request_id = "req-2";
	open.version = 5;
	open.value_hmac = "hmac-sha256:00";
	assert_int_equal(audit_say(a, &open, 1), seq + 1);
	e = audit_change_event(AUDIT_OUTCOME);
	e.intent = seq;
	audit_say(a, &e, 1);
	audit_say_read(a);
	e = audit_change_event(AUDIT_INTENT);
	e.granted = false;
	audit_say(a, &e, 1);
	crash(a);

	/* Not answered: found again. */
	a = audit_start(NULL);
	assert_int_equal(unfinished(a, false, &f), 1);
	crash(a);
	a = audit_start(NULL);
	assert_int_equal(unfinished(a, true, &f), 1);
	assert_int_equal(f.seq, seq + 1);
	assert_string_equal(f.method, "CreateSecretVersion");
	assert_string_equal(f.principal, "User:ann");
	assert_string_equal(f.path, "a/\" b");
	assert_string_equal(f.key, "password");
	assert_string_equal(f.request, "req-2");
	assert_string_equal(f.hmac, "hmac-sha256:00");
	assert_int_equal(f.version, 5);
	crash(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"phase\":\"recovered\""), 1);

	a = audit_start(NULL);
	assert_int_equal(unfinished(a, true, &f), 0);
	audit_close(a);
	audit_assert_whole(0);
}

static void
test_unfinished_changes_are_found_over_rotated_files(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit_event e = audit_change_event(AUDIT_INTENT);
	struct unfinished f;
	struct audit *a;
	uint64_t seq;

	(void)state;
	o.rotate_bytes = 10000;
	a = audit_start(&o);
	assert_int_equal(unfinished(a, true, &f), 0);
	seq = audit_say(a, &e, 1);
	for (int i = 0; i < 50; i++)
		audit_say_read(a);
	crash(a);
	assert_true(files_count(".") > 3);
	a = audit_start(&o);
	assert_int_equal(unfinished(a, true, &f), 1);
	assert_int_equal(f.seq, seq);
	audit_close(a);
	a = audit_start(&o);
	assert_int_equal(unfinished(a, true, &f), 0);
	audit_close(a);
	audit_assert_whole(0);
}

/* --- search --- */

static int
count(void *cookie, const char *text, size_t n)
{
	size_t *lines = cookie;

	assert_true(n > 0 && text[0] == '{' && text[n - 1] == '}');
	++*lines;
	return 0;
}

static size_t
search(struct audit_filter f)
{
	struct error err = { 0 };
	size_t lines = 0;

	if (audit_search(FILE_NAME, &f, count, &lines, &err) != 0)
		fail_msg("%s", err.text);
	return lines;
}

static void
test_search_finds_by_each_filter(void **state)
{
	struct audit_options o = audit_defaults();
	struct audit_event e = audit_read_event(AUDIT_INTENT);
	struct audit *a;

	(void)state;
	o.rotate_bytes = 3000;
	a = audit_start(&o);
	for (int i = 0; i < 5; i++)
		audit_say_read(a);
	e.principal = "User:b\"ob";
	e.path = "team 1";
	e.path_len = 6;
	e.key = "k";
	e.key_len = 1;
	e.granted = false;
	e.request_id = "other";
	e.method = "GetKey";
	audit_say(a, &e, 1);
	audit_close(a);
	assert_int_equal(search((struct audit_filter){ .principal = "ann" }), 10);
	assert_int_equal(search((struct audit_filter){ .principal = "User:ann" }), 10);
	assert_int_equal(search((struct audit_filter){ .principal = "an" }), 0);
	assert_int_equal(search((struct audit_filter){ .principal = "b\"ob" }), 1);
	assert_int_equal(search((struct audit_filter){ .path = "team 1" }), 1);
	assert_int_equal(search((struct audit_filter){ .path = "conn-a", .key = "password" }), 10);
	assert_int_equal(search((struct audit_filter){ .path = "conn-a", .key = "k" }), 0);
	assert_int_equal(search((struct audit_filter){ .method = "GetKey" }), 1);
	assert_int_equal(search((struct audit_filter){ .method = "secret-registry.GetKey" }), 1);
	assert_int_equal(search((struct audit_filter){ .request_id = "other" }), 1);
	assert_int_equal(search((struct audit_filter){ .denied = true }), 1);
	assert_int_equal(search((struct audit_filter){ .since = "2020", .until = "9998" }), 13);
	assert_int_equal(search((struct audit_filter){ .since = "9998-01-01T00:00:00Z" }), 0);
	assert_int_equal(search((struct audit_filter){ .until = "2020-12-31 10:00" }), 0);
	assert_int_equal(audit_search(FILE_NAME, &(struct audit_filter){ .since = "yesterday" },
	    count, NULL, NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_event_has_the_shape_of_confluents),
		TEST(test_an_outcome_names_its_intent),
		TEST(test_any_bytes_in_names_make_one_line_of_json),
		TEST(test_texts_of_any_length_are_cut),
		TEST(test_the_log_is_for_its_owner_alone),
		TEST(test_hmacs_tell_values_apart_and_hide_them),
		TEST(test_pairs_of_many_threads_stand_together),
		TEST(test_what_nobody_waits_for_is_written_too),
		TEST(test_a_change_without_outcome_is_found_and_ended),
		TEST(test_unfinished_changes_are_found_over_rotated_files),
		TEST(test_search_finds_by_each_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
