#include "base/redis_url.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

enum { DB_MAX = 65535, HOST_BYTES_MAX = 255 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes in place. False: a % without two digits behind it, or %00. */
static bool decode(char *text)
{
	char *out = text;

	for (const char *at = text; *at != '\0'; at++) {
		int high, low;

		if (*at != '%') {
			*out++ = *at;
			continue;
		}
		high = hex_value(at[1]);
		low = high >= 0 ? hex_value(at[2]) : -1;
		if (low < 0 || high + low == 0)
			return false;
		*out++ = (char)(high * 16 + low);
		at += 2;
	}
	*out = '\0';
	return true;
}

/* Digits only, no leading zero, at most `max`. */
static bool read_number(const char *text, size_t len, unsigned max, unsigned *ret_number)
{
	unsigned number = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text[i] - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* "user:password", "password" behind ":" or a user alone, which makes no sense. */
static enum err read_credentials(struct redis_url *url, const char *text, size_t len,
				 const char **ret_fault)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - text) : 0;

	*ret_fault = "a name before @ needs a password behind a colon";
	if (colon == NULL)
		return ERR_INVALID;
	url->password = mem_copy(colon + 1, len - user_len - 1);
	if (user_len > 0)
		url->user = mem_copy(text, user_len);
	if (url->password == NULL || (user_len > 0 && url->user == NULL))
		return ERR_NO_MEMORY;
	*ret_fault = "a % in the name or the password is not followed by two hexadecimal digits";
	if (!decode(url->password) || (url->user != NULL && !decode(url->user)))
		return ERR_INVALID;
	*ret_fault = "the password is empty";
	return url->password[0] != '\0' ? OK : ERR_INVALID;
}

/* "host", "host:port", "[v6]", "[v6]:port"; *ret_port is what stands behind the colon, or NULL.
 * False: something else. */
static bool split_host(const char *text, size_t len, struct slice *ret_host, const char **ret_port)
{
	const char *end = text + len;
	const char *colon = memchr(text, ':', len);
	const char *close;

	if (len == 0 || text[0] != '[') {
		*ret_host = (struct slice){ text, colon != NULL ? (size_t)(colon - text) : len };
		*ret_port = colon != NULL ? colon + 1 : NULL;
		return colon == NULL || memchr(colon + 1, ':', (size_t)(end - colon - 1)) == NULL;
	}
	close = memchr(text, ']', len);
	if (close == NULL)
		return false;
	*ret_host = (struct slice){ text + 1, (size_t)(close - text - 1) };
	*ret_port = close + 1 < end ? close + 2 : NULL;
	return *ret_port == NULL || close[1] == ':';
}

static enum err read_host(struct redis_url *url, const char *text, size_t len,
			  const char **ret_fault)
{
	unsigned port = REDIS_PORT_DEFAULT;
	const char *port_text;
	struct slice host;

	*ret_fault = "the host is missing, too long, or an IPv6 address without [ ]";
	if (!split_host(text, len, &host, &port_text) || host.len == 0 || host.len > HOST_BYTES_MAX)
		return ERR_INVALID;
	*ret_fault = "the port is not a number from 1 to 65535";
	if (port_text != NULL &&
	    (!read_number(port_text, (size_t)(text + len - port_text), 65535, &port) || port == 0))
		return ERR_INVALID;
	(void)snprintf(url->port, sizeof(url->port), "%u", port);
	url->host = mem_copy(host.data, host.len);
	return url->host != NULL ? OK : ERR_NO_MEMORY;
}

static const char *find_scheme_end(const char *text, const char **ret_fault)
{
	if (strncmp(text, "redis://", strlen("redis://")) == 0)
		return text + strlen("redis://");
	*ret_fault = strncmp(text, "rediss://", strlen("rediss://")) == 0
			     ? "rediss:// is not possible: the hiredis that this is built with "
			       "(Debian 12's 0.14.1) has no TLS; run stunnel beside longhandd and "
			       "give its address as redis://"
			     : "it does not begin with redis://";
	return NULL;
}

static enum err parse(const char *text, struct redis_url *url, const char **ret_fault)
{
	const char *at = find_scheme_end(text, ret_fault);
	const char *slash, *sign;
	enum err err = OK;

	if (at == NULL)
		return ERR_INVALID;
	sign = strrchr(at, '@');
	if (sign != NULL)
		err = read_credentials(url, at, (size_t)(sign - at), ret_fault);
	if (err != OK)
		return err;
	if (sign != NULL)
		at = sign + 1;
	slash = strchr(at, '/');
	err = read_host(url, at, slash != NULL ? (size_t)(slash - at) : strlen(at), ret_fault);
	if (err != OK)
		return err;
	*ret_fault = "the database behind / is not a number from 0 to 65535";
	if (slash != NULL && slash[1] != '\0' &&
	    !read_number(slash + 1, strlen(slash + 1), DB_MAX, &url->db))
		return ERR_INVALID;
	(void)snprintf(url->shown, sizeof(url->shown),
		       strchr(url->host, ':') != NULL ? "[%s]:%s/%u" : "%s:%s/%u", url->host,
		       url->port, url->db);
	return OK;
}

enum err redis_url_parse(const char *text, struct redis_url *ret_url, const char **ret_fault)
{
	enum err err;

	*ret_url = (struct redis_url){ .user = NULL };
	err = parse(text, ret_url, ret_fault);
	if (err != OK)
		redis_url_release(ret_url);
	return err;
}

void redis_url_release(struct redis_url *url)
{
	mem_free(url->user);
	if (url->password != NULL)
		explicit_bzero(url->password, strlen(url->password));
	mem_free(url->password);
	mem_free(url->host);
	*url = (struct redis_url){ .user = NULL };
}
