#include "ready.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { URL_BYTES = 4096 };
static const long wait_ms = 2000;

static size_t drop(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

/* "http://host:port/v1" or with a slash behind: the same without what /v1 is. */
static int root_length(const char *server)
{
	size_t len = strlen(server);

	while (len > 0 && server[len - 1] == '/')
		len--;
	return (int)(len >= 3 && strncmp(server + len - 3, "/v1", 3) == 0 ? len - 3 : len);
}

int ready_run(const char *server)
{
	CURL *curl = curl_easy_init();
	char url[URL_BYTES];
	long status = 0;
	CURLcode code;

	if (curl == NULL)
		return 1;
	(void)snprintf(url, sizeof(url), "%.*s/readyz", root_length(server), server);
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, wait_ms);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	code = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK)
		(void)fprintf(stderr, "longhand: %s: %s\n", url, curl_easy_strerror(code));
	else if (status != 200)
		(void)fprintf(stderr, "longhand: %s answers %ld\n", url, status);
	return code == CURLE_OK && status == 200 ? 0 : 1;
}
