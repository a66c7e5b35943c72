/* Which headers go through, which end here (RFC 9110, 7.6.1). */
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "api/headers.h"
#include "base/mem.h"
#include "fakes/raw_client.h"

/* The lines, joined by '|'. */
static char sent[HEADERS_BYTES_MAX];
static unsigned rules;
static size_t n_lines;

static void keep_lines(const struct header_lines *headers)
{
	size_t used = 0;

	sent[0] = '\0';
	for (n_lines = 0; headers->lines[n_lines] != NULL; n_lines++)
		used += (size_t)snprintf(sent + used, sizeof(sent) - used, "%s|",
					 headers->lines[n_lines]);
}

static void collect(struct request *request)
{
	struct header_lines headers;

	header_lines_init(&headers);
	assert_int_equal(headers_to_backend(request, rules, "X-Request-Id: ours", &headers), OK);
	keep_lines(&headers);
	header_lines_release(&headers);
	reply_send(request, 200, NULL, NULL);
}

static void ask(struct served *served, const char *headers)
{
	struct raw_client client;

	raw_connect(&client, served);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n");
	raw_send(&client, headers);
	raw_send(&client, "\r\n");
	raw_expect(&client, "\r\n\r\n");
	raw_close(&client);
}

static void a_requests_own_headers_go_on_the_connections_stay(void **state)
{
	static const struct {
		const char *headers;
		unsigned rules;
		const char *sent;
	} rows[] = {
		{ "Authorization: Bearer k\r\nAccept: */*\r\n", 0,
		  "X-Request-Id: ours|Authorization: Bearer k|Accept: */*|" },
		{ "TE: trailers\r\nKeep-Alive: 5\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\n"
		  "Trailer: T\r\nExpect: nothing\r\nX-Request-Id: theirs\r\n"
		  "X-Longhand-Mode: off\r\nx-a: 1\r\n",
		  0, "X-Request-Id: ours|x-a: 1|" },
		{ "Content-Type: application/x-www-form-urlencoded\r\n", HEADERS_JSON,
		  "Content-Type: application/json|X-Request-Id: ours|" },
		{ "content-type: multipart/form-data; boundary=x\r\n", 0,
		  "X-Request-Id: ours|content-type: multipart/form-data; boundary=x|" },
		{ "Connection: keep-alive, X-Trace ,x-b\r\nX-Trace: 1\r\nX-B: 2\r\nX-C: 3\r\n",
		  0, "X-Request-Id: ours|X-C: 3|" },
		{ "Authorization: Bearer k\r\nx-api-key: k\r\nApi-Key: k\r\nX-A: 1\r\n",
		  HEADERS_NO_KEY, "X-Request-Id: ours|X-A: 1|" },
		{ "X-Twice: 1\r\nX-Twice: 2\r\nX-Empty:\r\n", 0,
		  "X-Request-Id: ours|X-Twice: 1|X-Twice: 2|X-Empty: |" },
	};
	struct served served;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = collect;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		rules = rows[i].rules;
		ask(&served, rows[i].headers);
		assert_string_equal(sent, rows[i].sent);
	}
	served_end(&served);
}

static void of_very_many_headers_ours_are_never_lost(void **state)
{
	struct served served;
	char headers[8192];
	size_t used = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(headers + used, sizeof(headers) - used, "X-%d: %d\r\n", i,
					 i);
	served_start(&served, &served_defaults, NULL);
	served.on_request = collect;
	rules = HEADERS_JSON;
	ask(&served, headers);
	assert_int_equal(n_lines, HEADERS_MAX);
	assert_non_null(strstr(sent, "Content-Type: application/json|X-Request-Id: ours|X-0: 0|"));
	served_end(&served);
}

static void an_answers_own_headers_go_on(void **state)
{
	static const struct {
		const char *head;
		const char *sent;
		const char *extra;
	} rows[] = {
		{ "", "", NULL },
		{ "X-A: 1\r\n", "X-B: 2|X-A: 1|", "X-B: 2" },
		{ "Content-Type: text/plain\r\nContent-Length: 5\r\n",
		  "Content-Type: text/plain|", NULL },
		{ "content-type:text/plain\nX-A:\t 1 \nDate: now\nServer: s\n",
		  "content-type: text/plain|X-A: 1|", NULL },
		{ "Transfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: 1\r\n"
		  "Proxy-Authenticate: x\r\nX-Request-Id: theirs\r\nRetry-After: 3\r\n",
		  "Retry-After: 3|", NULL },
		{ "X-Hop: 1\r\nConnection: X-HOP\r\nX-End: 2\r\n", "X-End: 2|", NULL },
		{ "no colon\r\nX-A: 1: 2", "X-A: 1: 2|", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct header_lines headers;

		header_lines_init(&headers);
		assert_int_equal(headers_to_client((struct slice){ rows[i].head,
								   strlen(rows[i].head) },
						   rows[i].extra, &headers),
				 OK);
		keep_lines(&headers);
		assert_string_equal(sent, rows[i].sent);
		header_lines_release(&headers);
	}
}

static void a_header_is_found_wherever_it_stands(void **state)
{
	static const struct {
		const char *head;
		const char *value; /* NULL: absent */
	} rows[] = {
		{ "Content-Length: 5\r\nA: b\r\n", "5" }, { "A: b\r\ncontent-length:7", "7" },
		{ "A: b\r\nContent-Length:\r\n", "" },	  { "X-Content-Length: 5\r\n", NULL },
		{ "A: Content-Length: 5\r\n", NULL },	  { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice value = headers_find(
			(struct slice){ rows[i].head, strlen(rows[i].head) }, "Content-Length");

		assert_int_equal(value.data == NULL, rows[i].value == NULL);
		if (rows[i].value == NULL)
			continue;
		assert_int_equal(value.len, strlen(rows[i].value));
		assert_memory_equal(value.data, rows[i].value, value.len);
	}
}

static void a_lack_of_memory_is_said(void **state)
{
	static const char head[] = "Content-Type: text/plain\r\nX-A: 1\r\n";
	size_t failed = 0;
	enum err err = ERR_NO_MEMORY;

	(void)state;
	for (size_t nth = 1; err != OK; nth++) {
		struct header_lines headers;

		header_lines_init(&headers);
		mem_fail_at(nth);
		err = headers_to_client((struct slice){ head, sizeof(head) - 1 }, "X-B: 2",
					&headers);
		mem_fail_at(0);
		assert_true(err == OK || err == ERR_NO_MEMORY);
		failed += err != OK;
		header_lines_release(&headers);
	}
	assert_true(failed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_requests_own_headers_go_on_the_connections_stay),
		cmocka_unit_test(of_very_many_headers_ours_are_never_lost),
		cmocka_unit_test(an_answers_own_headers_go_on),
		cmocka_unit_test(a_header_is_found_wherever_it_stands),
		cmocka_unit_test(a_lack_of_memory_is_said),
	};

	mem_init();
	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
