#include "api/jobs.h"
#include "api/jobs_parts.h"
#include <stdio.h>
#include <string.h>

/* "ID" or "ID/what" with an id of 32 hex digits; what is "" without the slash. */
static bool split_path(const char *rest, char ret_id[JOB_ID_BYTES], const char **ret_what)
{
	size_t len = strspn(rest, "0123456789abcdef");

	if (len != JOB_ID_BYTES - 1 || (rest[len] != '\0' && rest[len] != '/'))
		return false;
	memcpy(ret_id, rest, len);
	ret_id[len] = '\0';
	*ret_what = rest[len] == '/' ? rest + len + 1 : "";
	return true;
}

/* A stream has no HEAD: there is nothing to say about it that would not begin it. */
static const struct job_path {
	const char *what; /* behind the id */
	const char *method;
	enum job_question question;
} paths[] = {
	{ "", "GET", JOB_STATE },	 { "", "HEAD", JOB_STATE },
	{ "", "DELETE", JOB_ERASE },	 { "text", "GET", JOB_TEXT },
	{ "text", "HEAD", JOB_TEXT },	 { "chat", "GET", JOB_CHAT },
	{ "events", "GET", JOB_EVENTS }, { "cancel", "POST", JOB_CANCEL },
};

enum { ALLOW_BYTES = 32 };

/* The question that path and method ask; NULL: none, and `ret_allow` has the methods of that path,
 * "" if there is no such path. */
static const struct job_path *find_path(const char *what, const char *method,
					char ret_allow[ALLOW_BYTES])
{
	ret_allow[0] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t used = strlen(ret_allow);

		if (strcmp(paths[i].what, what) != 0)
			continue;
		if (strcmp(paths[i].method, method) == 0)
			return &paths[i];
		(void)snprintf(ret_allow + used, ALLOW_BYTES - used, "%s%s", used > 0 ? ", " : "",
			       paths[i].method);
	}
	return NULL;
}

void jobs_one(struct api *api, struct request *request, const char *rest, const char *owner)
{
	char id[JOB_ID_BYTES];
	char allow[ALLOW_BYTES] = "";
	const char *what;
	const struct job_path *path = NULL;

	if (split_path(rest, id, &what))
		path = find_path(what, request->method, allow);
	if (path != NULL)
		jobs_find(api, request, id, owner, path->question);
	else if (allow[0] != '\0')
		api_refuse_method(request, allow);
	else
		jobs_refuse_unknown(request, rest);
}
