#include "fakes/resp_script.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool read_bytes(struct server_conn *conn, char *data, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(conn->fd, data, len, 0);

		if (got <= 0)
			return false;
		data += got;
		len -= (size_t)got;
	}
	return true;
}

/* "*3\r\n" or "$5\r\n". */
static bool read_count(struct server_conn *conn, char sign, size_t *ret_count)
{
	char line[32] = "";

	for (size_t at = 0; at + 1 < sizeof(line); at++) {
		if (!read_bytes(conn, line + at, 1))
			return false;
		if (line[at] == '\n')
			break;
	}
	*ret_count = strtoul(line + 1, NULL, 10);
	return line[0] == sign;
}

static bool read_arg(struct server_conn *conn, char *text, size_t *len)
{
	size_t size;
	char c;

	if (!read_count(conn, '$', &size))
		return false;
	for (size_t i = 0; i < size + 2; i++) {
		if (!read_bytes(conn, &c, 1))
			return false;
		if (i < size && *len + 1 < RESP_TEXT_BYTES)
			text[(*len)++] = c;
	}
	return true;
}

bool resp_read(struct server_conn *conn, char text[RESP_TEXT_BYTES])
{
	size_t n, len = 0;

	if (!read_count(conn, '*', &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && len + 1 < RESP_TEXT_BYTES)
			text[len++] = ' ';
		if (!read_arg(conn, text, &len))
			return false;
	}
	text[len] = '\0';
	atomic_fetch_add(&conn->server->requests, 1);
	return true;
}

bool resp_greet(struct server_conn *conn)
{
	char text[RESP_TEXT_BYTES];

	while (resp_read(conn, text)) {
		bool is_last = strcmp(text, "PING") == 0;

		if (!conn_send(conn, is_last ? "+PONG\r\n" : "+OK\r\n"))
			return false;
		if (is_last)
			return true;
	}
	return false;
}
