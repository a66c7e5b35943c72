/* redis_url - where Redis is and who we are there, read from a URL:
 *
 *   redis://[[user]:password@]host[:port][/db]      host may be [an IPv6 address]
 *
 * User and password are percent-decoded. The struct owns its strings; the password is in no
 * message and no log: `shown` is what people may read. */
#ifndef LONGHAND_BASE_REDIS_URL_H
#define LONGHAND_BASE_REDIS_URL_H
#include <stdint.h>
#include "base/err.h"

enum { REDIS_PORT_DEFAULT = 6379, REDIS_URL_SHOWN_BYTES = 320 };

struct redis_url {
	char *user;	/* NULL: the default user */
	char *password; /* NULL: none */
	char *host;
	char port[6];
	unsigned db;
	char shown[REDIS_URL_SHOWN_BYTES]; /* host:port/db */
};

/* ERR_INVALID with a static sentence part in *ret_fault, ERR_NO_MEMORY. On an error the struct is
 * empty. */
MUST_CHECK enum err redis_url_parse(const char *text, struct redis_url *ret_url,
				    const char **ret_fault);
void redis_url_release(struct redis_url *url); /* zeroed is ok */
#endif
