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
	audit_end(a);
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
	audit_end(a);
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
	audit_end(a);
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
	audit_end(a);
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
	audit_end(a);
}

static void
test_hmacs_tell_values_apart_and_hide_them(void **state)
{
	char one[AUDIT_HMAC_TEXT], two[AUDIT_HMAC_TEXT], again[AUDIT_HMAC_TEXT];
	struct audit *a = audit_start(NULL);

	(void)state;
	assert_int_equal(audit_hmac(a, "one", 3, one), 0);
	assert_int_equal(audit_hmac(a, "two", 3, two), 0);
	audit_end(a);
	a = audit_start(NULL);
	assert_int_equal(audit_hmac(a, "one", 3, again), 0);
	audit_end(a);
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
	/* Who waits is counted down behind the answer. */
	for (int tries = 0; tries < 1000; tries++) {
		audit_count(a, &counts);
		if (counts.waiting == 0)
			break;
		usleep(5000);
	}
	assert_int_equal(counts.lines, 1 + 2 * THREADS * ROUNDS);
	assert_int_equal(counts.failures, 0);
	assert_int_equal(counts.waiting, 0);
	assert_true(counts.batches > 0 && counts.batches <= THREADS * ROUNDS);
	audit_end(a);
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
	audit_end(a);
	assert_int_equal(audit_count_with(FILE_NAME, "\"count\":4711"), 1);
}

/* --- the table --- */

/* A text of up to ${max} bytes by chance, or none. */
static const char *
any_text(uint64_t *seed, char *room, size_t max)
{
	size_t n;

	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	if ((*seed >> 60) < 4)
		return NULL;
	n = (size_t)(*seed >> 33) % max;
	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 6364136223846793005U + 1442695040888963407U;
		room[i] = (char)((*seed >> 40) % 255 + 1);
	}
	room[n] = '\0';
	return room;
}

static void
rows_again(bool compact)
{
	struct audit_options o = audit_defaults();
	struct audit_event e[2] = { { .phase = AUDIT_INTENT }, { .phase = AUDIT_OUTCOME } };
	static char rooms[15][700];
	struct error err = { 0 };
	uint64_t seed = 4711, lines;
	struct audit *a;
	struct database *d;
	char *text, *again;

	o.compact = compact;
	a = audit_start(&o);
	for (int i = 0; i < 400; i++) {
		e[0].method = any_text(&seed, rooms[0], 30);
		e[0].principal = any_text(&seed, rooms[1], 600);
		e[0].mechanism = any_text(&seed, rooms[2], 30);
		e[0].operation = any_text(&seed, rooms[3], 30);
		e[0].role = any_text(&seed, rooms[4], 30);
		e[0].pattern = any_text(&seed, rooms[5], 30);
		e[0].path = any_text(&seed, rooms[6], 250);
		e[0].path_len = e[0].path != NULL ? strlen(e[0].path) : 0;
		e[0].key = any_text(&seed, rooms[7], 250);
		e[0].key_len = e[0].key != NULL ? strlen(e[0].key) : 0;
		e[0].request_id = any_text(&seed, rooms[8], 64);
		e[0].client = any_text(&seed, rooms[9], 40);
		e[0].via = any_text(&seed, rooms[13], 40);
		e[0].value_hmac = any_text(&seed, rooms[10], 80);
		e[0].idempotency_hmac = any_text(&seed, rooms[11], 80);
		e[0].authorization = seed >> 63;
		e[0].granted = seed >> 62 & 1;
		e[0].has_cas = seed >> 61 & 1;
		e[0].cas = (int64_t)seed;
		e[0].has_length = seed >> 59 & 1;
		e[0].length = (size_t)(seed >> 40);
		e[0].change = any_text(&seed, rooms[14], 600);
		e[1] = e[0];
		e[1].phase = AUDIT_OUTCOME;
		e[1].authorization = false;
		e[1].via = e[1].change = NULL;
		e[1].message = any_text(&seed, rooms[12], 600);
		e[1].version = (uint32_t)(seed >> 34);
		e[1].status = (int)(seed >> 50) % 1000;
		e[1].offset = seed >> 7;
		e[1].has_count = true;
		e[1].count = seed;
		assert_int_not_equal(audit_say(a, e, 1 + (size_t)i % 2), 0);
	}
	audit_end(a);
	text = audit_text_of(FILE_NAME, NULL);
	/* Without the file, it is written anew from the table. */
	assert_int_equal(unlink(FILE_NAME), 0);
	audit_end(audit_start(NULL));
	again = audit_text_of(FILE_NAME, NULL);
	assert_int_equal(strncmp(text, again, strlen(text)), 0);
	audit_assert_whole(0);
	d = database_open(AUDIT_DB, NULL);
	assert_int_equal(audit_verify_table(d, audit_key, &lines, &err), 0);
	assert_int_equal(lines, audit_count_lines(FILE_NAME));
	database_close(d);
	free(text);
	free(again);
}

/* Whatever is in them: rows give the lines that were written, byte for byte. */
static void
test_rows_give_the_same_lines_again(void **state)
{
	(void)state;
	rows_again(false);
	rows_again(true);
	rows_again(false);
}

/* A row that is not what its hash was made of is found, whatever was changed. */
static void
test_changes_in_the_table_are_found(void **state)
{
	static const char *const changes[] = {
		("UPDATE audit SET events=CAST(substr(events,1,20)||x'7f'||substr(events,22) "
		    "AS BLOB) WHERE seq=4"),
		"UPDATE audit SET hash=zeroblob(32) WHERE seq=4",
		"UPDATE audit SET hash=x'' WHERE seq=4",
		"UPDATE audit SET lines=1 WHERE seq=4",
		"UPDATE audit SET start=7 WHERE seq=4",
		"UPDATE audit SET events=substr(events,1,9) WHERE seq=4",
		"DELETE FROM audit WHERE seq=4",
		"UPDATE start SET style=x'00'",
		"DELETE FROM start",
	};
	struct error err = { 0 };
	struct database *d;
	struct audit *a;
	uint64_t lines;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		a = audit_start(NULL);
		for (int j = 0; j < 4; j++)
			assert_int_not_equal(audit_say_read(a), 0);
		audit_end(a);
		audit_sql(changes[i]);
		d = database_open(AUDIT_DB, NULL);
		assert_int_equal(audit_verify_table(d, audit_key, &lines, &err), -1);
		assert_int_equal(err.code, ERROR_DAMAGED);
		database_close(d);
		assert_int_equal(unlink(AUDIT_DB), 0);
		assert_int_equal(unlink(FILE_NAME), 0);
		assert_int_equal(unlink(FILE_NAME ".anchor"), 0);
	}
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
	audit_end(a);
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
		TEST(test_rows_give_the_same_lines_again),
		TEST(test_changes_in_the_table_are_found),
		TEST(test_search_finds_by_each_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
