#include "fakes/raw_server.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS_MAX = 1024, HEAD_BYTES_MAX = 65536 };

struct running {
	struct raw_server server;
	pthread_t acceptor;
	pthread_t threads[CONNS_MAX];
	struct server_conn conns[CONNS_MAX];
	pthread_mutex_t lock;
	bool is_stopping;
};

static void close_conn(struct server_conn *conn)
{
	struct running *running = (struct running *)(void *)conn->server;

	pthread_mutex_lock(&running->lock);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	pthread_mutex_unlock(&running->lock);
}

static void *run_conn(void *arg)
{
	struct server_conn *conn = arg;

	conn->server->serve(conn);
	close_conn(conn);
	atomic_fetch_sub(&conn->server->open, 1);
	free(conn->head);
	free(conn->body);
	return NULL;
}

static void *run_acceptor(void *arg)
{
	struct running *running = arg;
	struct raw_server *server = &running->server;

	for (unsigned number = 0; number < CONNS_MAX; number++) {
		struct server_conn *conn = &running->conns[number];
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0)
			break;
		*conn = (struct server_conn){ .server = server, .fd = fd, .number = number };
		atomic_fetch_add(&server->open, 1);
		atomic_fetch_add(&server->accepted, 1); /* before it can answer */
		if (pthread_create(&running->threads[number], NULL, run_conn, conn) != 0)
			abort();
	}
	return NULL;
}

struct raw_server *raw_server_start(raw_serve_fn serve, void *user)
{
	struct running *running = calloc(1, sizeof(*running));
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	if (running == NULL)
		return NULL;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	running->server.serve = serve;
	running->server.user = user;
	running->server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (running->server.fd < 0 ||
	    bind(running->server.fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(running->server.fd, CONNS_MAX) != 0 ||
	    getsockname(running->server.fd, (struct sockaddr *)&address, &len) != 0 ||
	    pthread_mutex_init(&running->lock, NULL) != 0 ||
	    pthread_create(&running->acceptor, NULL, run_acceptor, running) != 0) {
		free(running);
		return NULL;
	}
	running->server.port = ntohs(address.sin_port);
	return &running->server;
}

void raw_server_stop(struct raw_server *server)
{
	struct running *running = (struct running *)(void *)server;
	unsigned accepted;

	if (server == NULL)
		return;
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(running->acceptor, NULL);
	close(server->fd);
	atomic_store(&server->gate, 1000000);
	accepted = atomic_load(&server->accepted);
	for (unsigned i = 0; i < accepted; i++) {
		pthread_mutex_lock(&running->lock);
		if (running->conns[i].fd >= 0)
			shutdown(running->conns[i].fd, SHUT_RDWR);
		pthread_mutex_unlock(&running->lock);
		pthread_join(running->threads[i], NULL);
	}
	pthread_mutex_destroy(&running->lock);
	free(running);
}

static bool read_exactly(struct server_conn *conn, char *data, size_t len)
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

bool conn_read_request(struct server_conn *conn)
{
	const char *length;
	size_t len = 0;

	free(conn->head);
	free(conn->body);
	conn->body = NULL;
	conn->body_len = 0;
	conn->head = calloc(1, HEAD_BYTES_MAX);
	/* Byte by byte: nothing of the next request may be taken. */
	while (len < 4 || memcmp(conn->head + len - 4, "\r\n\r\n", 4) != 0) {
		if (len + 1 >= HEAD_BYTES_MAX || !read_exactly(conn, conn->head + len, 1))
			return false;
		len++;
	}
	length = strstr(conn->head, "Content-Length: ");
	if (length != NULL)
		conn->body_len = strtoul(length + strlen("Content-Length: "), NULL, 10);
	conn->body = calloc(1, conn->body_len + 1);
	if (conn->body == NULL || !read_exactly(conn, conn->body, conn->body_len))
		return false;
	atomic_fetch_add(&conn->server->requests, 1);
	return true;
}

bool conn_send_bytes(struct server_conn *conn, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(conn->fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		atomic_fetch_add(&conn->server->sent_bytes, (size_t)sent);
		data += sent;
		len -= (size_t)sent;
	}
	return true;
}

bool conn_send(struct server_conn *conn, const char *text)
{
	return conn_send_bytes(conn, text, strlen(text));
}

bool conn_answer(struct server_conn *conn, const char *status, const char *body, size_t len)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 %s\r\nX-Server: raw\r\nContent-Length: %zu\r\n\r\n", status, len);
	return conn_send(conn, head) && conn_send_bytes(conn, body, len);
}

void conn_reset(struct server_conn *conn)
{
	struct linger linger = { .l_onoff = 1 };

	(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close_conn(conn);
}

void conn_wait_close(struct server_conn *conn)
{
	char rest[512];

	while (recv(conn->fd, rest, sizeof(rest), 0) > 0)
		;
}

void conn_wait_gate(struct server_conn *conn, unsigned level)
{
	while (atomic_load(&conn->server->gate) < level)
		(void)poll(NULL, 0, 1);
}
