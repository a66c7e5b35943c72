#include "fakes/response_calls.h"
#include "check.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

const char unknown_response[] = "resp_0123456789abcdef0123456789abcdef";
char response_id[64];

void response_post_by(struct raw_client *client, const char *path, const char *body)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
		       "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", path,
		       strlen(body), body);
	raw_send(client, text);
}

void response_post(const char *path, const char *body)
{
	raw_forget(&world.client);
	response_post_by(&world.client, path, body);
}

/* `members` begins with a comma. */
void response_create(const char *members)
{
	char body[2048];

	(void)snprintf(body, sizeof(body),
		       "{\"model\":\"longhand\",\"input\":\"" RESPONSE_STORY "\"%s}", members);
	response_post("/v1/responses", body);
}

const char *response_path(const char *what)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "/v1/responses/%s%s", response_id, what);
	return path;
}

void response_note(void)
{
	note_job();
	(void)snprintf(response_id, sizeof(response_id), "resp_%s", job_id);
}

json_t *response_answer(void)
{
	const char *head;
	json_t *json = NULL;

	raw_expect(&world.client, "\r\n\r\n");
	while (json == NULL) {
		head = strstr(world.client.got.data, "\r\n\r\n");
		json = json_loads(head + 4, 0, NULL);
		served_turn(&world.served);
		raw_read(&world.client, 1 << 20);
	}
	return json;
}

void response_expect_status(const char *status)
{
	json_t *object;

	get(response_path(""));
	object = response_answer();
	assert_string_equal(string_at(object, "status"), status);
	assert_string_equal(string_at(object, "id"), response_id);
	json_decref(object);
}

void response_expect_http(const char *status)
{
	raw_expect(&world.client, status);
	json_decref(response_answer());
}

/* A whole stream's bytes; the caller frees them. */
char *response_bytes(void)
{
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	assert_true(raw_has(&world.client, "Content-Type: text/event-stream"));
	return mem_strdup(unchunked());
}

char *response_write(const char *members)
{
	response_create(members);
	raw_expect(&world.client, "\r\n0\r\n\r\n");
	response_note();
	return response_bytes();
}
