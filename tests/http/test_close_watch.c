/* Clients that leave, one or many, and a server that stops: on_gone at once, on_closed exactly
 * once, nothing left behind (served_end() checks, and the sanitizers do). */
#include "check.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "fakes/raw_client.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static void write_text(struct request *request, const char *text)
{
	reply_stream_write(request, text, strlen(text));
}

static void start_stream(struct request *request)
{
	reply_stream_start(request, 200, NULL);
}

static void send_ok(struct request *request)
{
	struct buf body;

	buf_init(&body, 100);
	assert_int_equal(buf_append_str(&body, "fine."), OK);
	reply_send(request, 200, NULL, &body);
}

enum leaving { CLOSES, HALF_CLOSES, RESETS, LEAVING_COUNT };

static void leave(struct raw_client *client, enum leaving how)
{
	if (how == CLOSES)
		raw_close(client);
	else if (how == RESETS)
		raw_reset(client);
	else
		assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

/* libmicrohttpd watches nothing while a connection is suspended. */
static void leaving_while_held_is_seen(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	for (size_t how = 0; how < LEAVING_COUNT; how++) {
		raw_connect(&client, &served);
		raw_send(&client, get);
		served_wait(&served, &served.requests, how + 1);
		served_turn(&served);
		leave(&client, (enum leaving)how);
		served_wait(&served, &served.gone, how + 1);
		assert_int_equal(served.closed, how); /* that comes on a later turn */
		assert_true(served.last->is_client_gone);
		send_ok(served.last); /* too late, and harmless */
		served_wait(&served, &served.closed, how + 1);
		if (how == HALF_CLOSES) {
			raw_expect_end(&client);
			raw_close(&client);
		}
	}
	assert_int_equal(served.gone, LEAVING_COUNT);
	served_end(&served);
}

static void leaving_while_a_stream_pauses_is_seen(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	for (size_t how = 0; how < LEAVING_COUNT; how++) {
		raw_connect(&client, &served);
		raw_send(&client, get);
		served_wait(&served, &served.requests, how + 1);
		write_text(served.last, "begin");
		raw_expect(&client, "begin");
		leave(&client, (enum leaving)how);
		served_wait(&served, &served.gone, how + 1);
		write_text(served.last, "nobody reads this");
		reply_stream_end(served.last);
		assert_int_equal(reply_stream_unsent(served.last), 0);
		served_wait(&served, &served.closed, how + 1);
		if (how == HALF_CLOSES)
			raw_close(&client);
	}
	served_end(&served);
}

/* The request arrives together with the end of the client. */
static void client_that_is_gone_already_is_not_served(void **state)
{
	struct served served;
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	raw_connect(&client, &served);
	while (http_server_connections(served.server) == 0)
		served_turn(&served);
	assert_int_equal(send(client.fd, get, sizeof(get) - 1, MSG_NOSIGNAL), sizeof(get) - 1);
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	raw_expect_end(&client);
	assert_int_equal(served.closed, served.requests);
	raw_close(&client);
	/* In the middle of a body it never was a request. */
	served.requests = served.closed = 0;
	raw_connect(&client, &served);
	raw_send(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	raw_reset(&client);
	while (http_server_connections(served.server) > 0)
		served_turn(&served);
	assert_int_equal(served.requests, 0);
	served_end(&served);
}

enum { CROWD = 300 };

static void write_to_all(struct served *served)
{
	for (size_t i = 0; i < SERVED_REQUESTS_MAX; i++)
		if (served->held[i] != NULL && reply_is_begun(served->held[i]))
			write_text(served->held[i], "data: a token\n\n");
}

/* Streams, held requests and slow senders in many daemons, cut at random moments in random ways,
 * while the others go on. The seed is fixed: a failure can be repeated. */
static void crowd_is_cut_at_random(void **state)
{
	static struct raw_client clients[CROWD];
	struct served served;
	size_t open = CROWD;

	(void)state;
	srand(7);
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	for (size_t i = 0; i < CROWD; i++) {
		if (i == CROWD / 3)
			served.on_request = NULL;
		raw_connect(&clients[i], &served);
		raw_send(&clients[i], i % 10 == 9 ? "GET / HTTP/1.1\r\nHo" : get);
	}
	served_wait(&served, &served.requests, CROWD - CROWD / 10);
	while (open > 10) {
		size_t i = (size_t)rand() % CROWD;

		write_to_all(&served);
		if (rand() % 2 == 0)
			served_turn(&served);
		if (clients[i].fd < 0)
			continue;
		if (rand() % 3 == 0)
			raw_reset(&clients[i]);
		else
			raw_close(&clients[i]);
		open--;
	}
	while (http_server_connections(served.server) > open)
		served_turn(&served);
	served_wait(&served, &served.closed, served.requests - open);
	assert_true(served.gone >= CROWD - CROWD / 10 - open);
	for (size_t i = 0; i < CROWD; i++)
		if (clients[i].fd >= 0)
			raw_close(&clients[i]);
	served_end(&served);
}

/* libmicrohttpd forgets a connection whose reader fails, when others share its daemon. */
static void a_cut_among_others_is_seen_at_once(void **state)
{
	struct served served;
	struct raw_client older[5];
	struct raw_client client;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = start_stream;
	for (size_t i = 0; i < COUNT_OF(older); i++) {
		raw_connect(&older[i], &served);
		raw_send(&older[i], get);
		raw_expect(&older[i], "200 OK");
	}
	raw_connect(&client, &served);
	raw_send(&client, get);
	raw_expect(&client, "200 OK");
	reply_stream_abort(served.last);
	raw_expect_end(&client);
	served_wait(&served, &served.closed, 1);
	assert_int_equal(http_server_connections(served.server), COUNT_OF(older));
	raw_close(&client);
	for (size_t i = 0; i < COUNT_OF(older); i++)
		raw_close(&older[i]);
	served_end(&served);
}

/* Held, streaming, reading, sending to a full socket, idle: all at once. */
static void stop_ends_every_kind_of_connection(void **state)
{
	static const char large[100000];
	struct served served;
	struct raw_client clients[6];

	(void)state;
	served_start(&served, &served_defaults, NULL);
	for (size_t i = 0; i < COUNT_OF(clients); i++)
		raw_connect(&clients[i], &served);
	raw_send(&clients[0], get);
	served_wait(&served, &served.requests, 1);
	served.on_request = send_ok;
	raw_send(&clients[1], get);
	raw_expect(&clients[1], "fine.");
	served.on_request = start_stream;
	raw_send(&clients[2], get);
	raw_expect(&clients[2], "200 OK");
	raw_send(&clients[3], get);
	served_wait(&served, &served.requests, 4);
	while (!reply_stream_is_full(served.last)) {
		reply_stream_write(served.last, large, sizeof(large));
		for (int i = 0; i < 5; i++)
			served_turn(&served);
	}
	raw_send(&clients[4], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	assert_int_equal(http_server_requests(served.server), 3);
	served_end(&served);
	assert_int_equal(served.gone, 0); /* it was us */
	for (size_t i = 0; i < COUNT_OF(clients); i++) {
		raw_read(&clients[i], SIZE_MAX);
		assert_true(clients[i].is_ended);
		raw_close(&clients[i]);
	}
}

static void on_stopped(void *context)
{
	struct served *served = context;

	served->is_stopped = true;
}

static void stop_server(struct request *request)
{
	struct served *served = request->user;

	http_server_stop(served->server, on_stopped, served);
}

/* From inside libmicrohttpd, as a handler may do. */
static void stop_inside_a_request(void **state)
{
	struct served served;
	struct raw_client client;
	struct reactor *reactor;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = stop_server;
	raw_connect(&client, &served);
	assert_int_equal(send(client.fd, get, sizeof(get) - 1, 0), sizeof(get) - 1);
	while (!served.is_stopped)
		served_turn(&served);
	assert_int_equal(served.closed, 1);
	raw_read(&client, SIZE_MAX);
	assert_true(client.is_ended);
	raw_close(&client);
	reactor = reactor_uv_base(served.reactor);
	http_server_free(served.server);
	reactor->timer_stop(reactor, &served.tick);
	reactor_uv_free(served.reactor);
}

static void drain_ends_idle_ones_and_lets_the_others_finish(void **state)
{
	struct served served;
	struct raw_client idle;
	struct raw_client held;
	struct raw_client waiting;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = send_ok;
	raw_connect(&idle, &served);
	raw_send(&idle, get);
	raw_expect(&idle, "fine.");
	served_wait(&served, &served.closed, 1);
	served.on_request = NULL;
	raw_connect(&held, &served);
	raw_send(&held, get);
	served_wait(&served, &served.requests, 2);
	raw_connect(&waiting, &served); /* not accepted yet */
	http_server_drain(served.server);
	raw_expect_end(&idle);
	send_ok(served.last);
	raw_expect(&held, "fine.");
	assert_true(raw_has(&held, "Connection: close\r\n"));
	raw_expect_end(&held);
	served.on_request = send_ok;
	raw_send(&waiting, get);
	raw_expect(&waiting, "fine.");
	raw_expect_end(&waiting);
	while (http_server_connections(served.server) > 0)
		served_turn(&served);
	raw_close(&idle);
	raw_close(&held);
	raw_close(&waiting);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaving_while_held_is_seen),
		cmocka_unit_test(leaving_while_a_stream_pauses_is_seen),
		cmocka_unit_test(client_that_is_gone_already_is_not_served),
		cmocka_unit_test(crowd_is_cut_at_random),
		cmocka_unit_test(a_cut_among_others_is_seen_at_once),
		cmocka_unit_test(stop_ends_every_kind_of_connection),
		cmocka_unit_test(stop_inside_a_request),
		cmocka_unit_test(drain_ends_idle_ones_and_lets_the_others_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
