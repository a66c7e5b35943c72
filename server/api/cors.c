#include "api/cors.h"
#include "base/metrics.h"
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 4096 };

static bool is_allowed(const char *origins, const char *origin)
{
	size_t wanted = strlen(origin);

	while (*origins != '\0') {
		size_t len = strcspn(origins, ", ");

		if (len == 1 && *origins == '*')
			return true;
		if (len == wanted && strncmp(origins, origin, len) == 0)
			return true;
		origins += len;
		origins += strspn(origins, ", ");
	}
	return false;
}

static void add_line(struct request *request, const char *name, const char *value)
{
	char line[LINE_BYTES];
	int len = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (len > 0 && (size_t)len < sizeof(line))
		reply_add_header(request, line);
}

static void answer_preflight(struct request *request)
{
	const char *headers = request_header(request, "Access-Control-Request-Headers");

	add_line(request, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
	if (headers != NULL && headers[0] != '\0')
		add_line(request, "Access-Control-Allow-Headers", headers);
	add_line(request, "Access-Control-Max-Age", "600");
	metric_inc(METRIC_RESPONSES_2XX);
	reply_send(request, 204, NULL, NULL);
}

bool cors_handle(const char *origins, struct request *request)
{
	const char *origin = request_header(request, "Origin");

	if (origins == NULL)
		return false;
	reply_add_header(request, "Vary: Origin");
	if (origin == NULL || !is_allowed(origins, origin))
		return false;
	add_line(request, "Access-Control-Allow-Origin", origin);
	if (strcmp(request->method, "OPTIONS") == 0 &&
	    request_header(request, "Access-Control-Request-Method") != NULL) {
		answer_preflight(request);
		return true;
	}
	reply_add_header(request, "Access-Control-Expose-Headers: X-Request-Id, X-Longhand-Job, "
				  "Retry-After");
	return false;
}
