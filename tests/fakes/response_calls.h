/* response_calls - asks long_service for responses, and reads what comes. */
#ifndef LONGHAND_FAKES_RESPONSE_CALLS_H
#define LONGHAND_FAKES_RESPONSE_CALLS_H
#include "fakes/long_service.h"

#define RESPONSE_STORY "Write a 600-word story about a lighthouse."
/* The form of an id, of nothing. */
extern const char unknown_response[];
/* Of the response that was noted. */
extern char response_id[64];

void response_post_by(struct raw_client *client, const char *path, const char *body);
void response_post(const char *path, const char *body);
/* Asks for the story; `members` begins with a comma. */
void response_create(const char *members);
/* Of what came, by its X-Longhand-Job. */
void response_note(void);
/* /v1/responses/ID and `what`; valid until the next call. */
const char *response_path(const char *what);
/* The whole JSON answer, when it has come. */
json_t *response_answer(void);
void response_expect_http(const char *status);
/* Fetches the response. */
void response_expect_status(const char *status);
/* The whole stream; mem_free() it. */
char *response_bytes(void);
/* Creates, notes, and reads the whole stream. */
char *response_write(const char *members);
#endif
