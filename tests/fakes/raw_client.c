#include "fakes/raw_client.h"
#include "check.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 2, GOT_BYTES = 64 << 20, READ_BYTES = 64 << 10 };

const struct http_server_options served_defaults = {
	.connections_max = 1000,
	.body_bytes_max = 1 << 20,
	.header_pool_bytes = 32 << 10,
	.header_ms = 60000,
	.idle_ms = 60000,
	.stuck_ms = 60000,
	.stream_high_bytes = 256 << 10,
	.stream_low_bytes = 64 << 10,
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void on_tick(struct timer *timer)
{
	struct served *served = container_of(timer, struct served, tick);
	struct reactor *reactor = reactor_uv_base(served->reactor);

	served->ticks++;
	reactor->timer_start(reactor, &served->tick, TICK_MS, on_tick);
}

void served_turn(struct served *served)
{
	reactor_uv_turn(served->reactor);
}

void served_wait(struct served *served, const size_t *number, size_t enough)
{
	uint64_t deadline_ms = clock_ms() + SERVED_PATIENCE_MS;

	while (*number < enough) {
		assert_true(clock_ms() < deadline_ms);
		served_turn(served);
	}
}

static void on_gone(struct request *request)
{
	struct served *served = request->user;

	assert_true(request->is_client_gone);
	served->gone++;
}

static void on_drain(struct request *request)
{
	struct served *served = request->user;

	served->drained++;
}

static void on_closed(struct request *request)
{
	struct served *served = request->user;
	size_t place = 0;

	while (place < SERVED_REQUESTS_MAX && served->held[place] != request)
		place++;
	assert_true(place < SERVED_REQUESTS_MAX); /* once, and only what was handed out */
	served->held[place] = NULL;
	served->closed++;
	if (served->last == request)
		served->last = NULL;
}

static void on_request(void *context, struct request *request)
{
	struct served *served = context;
	size_t place = 0;

	while (place < SERVED_REQUESTS_MAX && served->held[place] != NULL)
		place++;
	assert_true(place < SERVED_REQUESTS_MAX);
	served->held[place] = request;
	served->requests++;
	served->last = request;
	request->user = served;
	request->on_gone = on_gone;
	request->on_drain = on_drain;
	request->on_closed = on_closed;
	if (served->on_request != NULL)
		served->on_request(request);
}

static bool is_wanted(void *context, const struct request *request)
{
	const struct served *served = context;

	assert_int_equal(request->body.len, 0);
	return !served->is_nothing_wanted;
}

static void on_refused(void *context, struct request *request, enum http_refusal refusal)
{
	static const int statuses[] = { 413, 429, 400, 401 };
	static const char *const headers[] = { "Content-Type: text/plain", NULL };
	struct served *served = context;
	struct buf body;

	served->refused[refusal]++;
	buf_init(&body, 100);
	assert_int_equal(buf_printf(&body, "refused %d", (int)refusal), OK);
	reply_send(request, statuses[refusal], headers, &body);
}

static void begin(struct served *served, const struct http_server_options *options,
		  const struct http_handler *handler, const char *address)
{
	memset(served, 0, sizeof(*served));
	assert_int_equal(reactor_uv_new(&served->reactor), OK);
	assert_int_equal(http_server_new(served->reactor, options, handler, &served->server), OK);
	assert_int_equal(http_server_listen(served->server,
					    address != NULL ? address : "127.0.0.1:0", false,
					    served->address),
			 OK);
	on_tick(&served->tick);
}

void served_start(struct served *served, const struct http_server_options *options,
		  const char *address)
{
	struct http_handler handler = { .context = served,
					.on_request = on_request,
					.is_wanted = is_wanted,
					.on_refused = on_refused };

	begin(served, options, &handler, address);
}

void served_start_with(struct served *served, const struct http_server_options *options,
		       const struct http_handler *handler)
{
	begin(served, options, handler, NULL);
}

static void on_stopped(void *context)
{
	struct served *served = context;

	served->is_stopped = true;
}

void served_end(struct served *served)
{
	struct reactor *reactor = reactor_uv_base(served->reactor);

	http_server_stop(served->server, on_stopped, served);
	while (!served->is_stopped)
		served_turn(served);
	assert_int_equal(http_server_connections(served->server), 0);
	assert_int_equal(http_server_requests(served->server), 0);
	assert_int_equal(served->closed, served->requests);
	http_server_free(served->server);
	reactor->timer_stop(reactor, &served->tick);
	reactor_uv_free(served->reactor);
}

static int connect_local(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int connect_tcp(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	uint16_t port = htons((uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10));
	bool is_v6 = text[0] == '[';
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	v4.sin_port = v6.sin6_port = port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (is_v6)
		assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	return fd;
}

void raw_connect(struct raw_client *client, struct served *served)
{
	bool is_local = strncmp(served->address, "unix:", 5) == 0;

	*client = (struct raw_client){ .served = served };
	buf_init(&client->got, GOT_BYTES);
	client->fd = is_local ? connect_local(served->address + 5) : connect_tcp(served->address);
	assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

void raw_send_bytes(struct raw_client *client, const char *data, size_t len)
{
	uint64_t deadline_ms = clock_ms() + SERVED_PATIENCE_MS;

	while (len > 0 && client->error == 0) {
		ssize_t sent = send(client->fd, data, len, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			client->error = errno;
		data += sent > 0 ? sent : 0;
		len -= sent > 0 ? (size_t)sent : 0;
		assert_true(clock_ms() < deadline_ms);
		served_turn(client->served);
	}
}

void raw_send(struct raw_client *client, const char *text)
{
	raw_send_bytes(client, text, strlen(text));
}

void raw_read(struct raw_client *client, size_t max)
{
	static char chunk[READ_BYTES];
	ssize_t len = 1;

	while (len > 0 && max > 0 && !client->is_ended) {
		len = recv(client->fd, chunk, max < sizeof(chunk) ? max : sizeof(chunk), 0);
		if (len > 0) {
			assert_int_equal(buf_append(&client->got, chunk, (size_t)len), OK);
			max -= (size_t)len;
		} else if (len == 0) {
			client->is_ended = true;
		} else if (errno != EAGAIN) {
			client->error = errno;
			client->is_ended = true;
		}
	}
}

bool raw_has(const struct raw_client *client, const char *text)
{
	return client->got.data != NULL &&
	       memmem(client->got.data, client->got.len, text, strlen(text)) != NULL;
}

void raw_expect(struct raw_client *client, const char *text)
{
	uint64_t deadline_ms = clock_ms() + SERVED_PATIENCE_MS;

	while (!raw_has(client, text)) {
		raw_read(client, SIZE_MAX);
		if (raw_has(client, text))
			return;
		if (client->is_ended || clock_ms() > deadline_ms)
			fail_msg("expected \"%s\" (ended %d, errno %d), got: %.1000s", text,
				 client->is_ended, client->error, buf_str(&client->got));
		served_turn(client->served);
	}
}

void raw_expect_end(struct raw_client *client)
{
	uint64_t deadline_ms = clock_ms() + SERVED_PATIENCE_MS;

	while (!client->is_ended) {
		raw_read(client, SIZE_MAX);
		if (clock_ms() > deadline_ms)
			fail_msg("still open, got: %.1000s", buf_str(&client->got));
		served_turn(client->served);
	}
}

size_t raw_count(const struct raw_client *client, const char *text)
{
	const char *at = buf_str(&client->got);
	size_t count = 0;

	for (; (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

void raw_forget(struct raw_client *client)
{
	buf_clear(&client->got);
}

void raw_close(struct raw_client *client)
{
	close(client->fd);
	client->fd = -1;
	buf_release(&client->got);
}

void raw_reset(struct raw_client *client)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	raw_close(client);
}
