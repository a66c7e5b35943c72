/* Many connections are many small daemons, which come and go, and rest when there is nothing to
 * do. */
#include "check.h"
#include "http/daemon_pool.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fakes/raw_client.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

enum { CLIENTS = 4 * DAEMON_CONNECTIONS_MAX + 1 };

static struct raw_client clients[CLIENTS];

/* Each daemon has one epoll set; the loop and the close watch have theirs. */
static size_t count_epoll_sets(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[len > 0 ? len : 0] = '\0';
		count += strstr(target, "eventpoll") != NULL;
	}
	closedir(dir);
	return count;
}

static void start_stream(struct request *request)
{
	reply_stream_start(request, 200, NULL);
}

static void daemons_come_and_go(void **state)
{
	struct served served;
	size_t before;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	before = count_epoll_sets();
	for (size_t i = 0; i < CLIENTS; i++)
		raw_connect(&clients[i], &served);
	while (http_server_connections(served.server) < CLIENTS)
		served_turn(&served);
	assert_int_equal(count_epoll_sets(), before + 5);
	for (size_t i = 0; i < CLIENTS; i++)
		raw_close(&clients[i]);
	while (http_server_connections(served.server) > 0)
		served_turn(&served);
	for (int i = 0; i < 5; i++)
		served_turn(&served);
	assert_int_equal(count_epoll_sets(), before + DAEMON_SPARES_MAX);
	/* A place that became free in a full daemon is used again. */
	for (size_t i = 0; i < CLIENTS; i++) {
		raw_connect(&clients[0], &served);
		raw_send(&clients[0], get);
		raw_close(&clients[0]);
	}
	assert_true(count_epoll_sets() <= before + DAEMON_SPARES_MAX + 2);
	served_end(&served);
}

/* Suspended, idle and half-read connections must not keep the loop awake: libmicrohttpd spins
 * when a reader has nothing and does not suspend. */
static void nothing_to_do_is_no_work(void **state)
{
	struct served served;
	size_t ticks;
	size_t turns = 0;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	for (size_t i = 0; i < CLIENTS; i++) {
		served.on_request = i % 3 == 0 ? start_stream : NULL;
		raw_connect(&clients[i], &served);
		raw_send(&clients[i], i % 3 == 2 ? "GET / HT" : get);
		while (i % 3 == 0 && served.requests < 1 + i / 3 * 2)
			served_turn(&served);
	}
	for (int i = 0; i < 10; i++)
		served_turn(&served);
	ticks = served.ticks;
	for (; served.ticks < ticks + 50; turns++)
		served_turn(&served);
	assert_true(turns <= 150);
	for (size_t i = 0; i < CLIENTS; i++)
		raw_close(&clients[i]);
	served_end(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daemons_come_and_go),
		cmocka_unit_test(nothing_to_do_is_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
