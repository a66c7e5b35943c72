/* Addresses, and what happens when descriptors or memory run out. */
#include "check.h"
#include "http/listener.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "fakes/raw_client.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static void send_ok(struct request *request)
{
	struct buf body;

	buf_init(&body, 100);
	if (buf_append_str(&body, "fine.") != OK)
		buf_release(&body);
	reply_send(request, 200, NULL, &body);
}

/* Containers may be without IPv6, and without a name for their own loopback address. */
static bool has_host(const char *host)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int fd;
	bool is_bound;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	is_bound = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0;
	if (fd >= 0)
		(void)close(fd);
	freeaddrinfo(found);
	return is_bound;
}

static void every_kind_of_address_serves(void **state)
{
	static const struct {
		const char *address;
		const char *bound_prefix;
		const char *host; /* left out where the machine lacks it; NULL: never */
	} rows[] = {
		{ "127.0.0.1:0", "127.0.0.1:", NULL },
		{ "localhost:0", NULL, "localhost" },
		{ "[::1]:0", "[::1]:", "::1" },
		{ "unix:build/test_listener.sock", "unix:build/test_listener.sock", NULL },
	};
	struct served served;
	struct raw_client client;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].host != NULL && !has_host(rows[i].host))
			continue;
		served_start(&served, &served_defaults, rows[i].address);
		if (rows[i].bound_prefix != NULL)
			assert_memory_equal(served.address, rows[i].bound_prefix,
					    strlen(rows[i].bound_prefix));
		served.on_request = send_ok;
		raw_connect(&client, &served);
		raw_send(&client, get);
		raw_expect(&client, "fine.");
		raw_expect_end(&client);
		raw_close(&client);
		served_end(&served);
	}
	assert_int_equal(access("build/test_listener.sock", F_OK), -1);
}

static void what_is_no_address_is_said(void **state)
{
	static const struct {
		const char *address;
		enum err err;
	} rows[] = {
		{ "", ERR_INVALID },	       { "8080", ERR_INVALID },
		{ ":8080", ERR_INVALID },      { "127.0.0.1", ERR_INVALID },
		{ "127.0.0.1:", ERR_INVALID }, { "127.0.0.1:x", ERR_INVALID },
		{ "127.0.0.1:65536", ERR_INVALID }, { "127.0.0.1:-1", ERR_INVALID },
		{ "::1:80", ERR_INVALID },     { "[]:80", ERR_INVALID },
		{ "[::1:80", ERR_INVALID },    { "unix:", ERR_INVALID },
		{ "192.0.2.1:80", ERR_IO },    { "unix:/nowhere/at/all", ERR_IO },
	};
	struct served served;
	char bound[128];

	(void)state;
	served_start(&served, &served_defaults, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(http_server_listen(served.server, rows[i].address, false, bound),
				 rows[i].err);
	served_end(&served);
}

/* Two processes that share a port by mistake would silently share the requests. */
static void port_is_shared_only_when_asked(void **state)
{
	struct served served;
	char bound[128];
	char shared[128];

	(void)state;
	served_start(&served, &served_defaults, NULL);
	assert_int_equal(http_server_listen(served.server, served.address, false, bound), ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(http_server_listen(served.server, "127.0.0.1:0", true, shared), OK);
	assert_int_equal(http_server_listen(served.server, shared, true, bound), OK);
	assert_string_equal(shared, bound);
	served_end(&served);
}

static void socket_file_of_a_dead_process_is_replaced(void **state)
{
	static const char path[] = "build/test_listener.sock";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct served served;
	char bound[128];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* the file stays */
	served_start(&served, &served_defaults, "unix:build/test_listener.sock");
	/* A living one is not. */
	assert_int_equal(http_server_listen(served.server, served.address, false, bound), ERR_IO);
	assert_int_equal(access(path, F_OK), 0);
	served_end(&served);
}

static int open_all(int fds[64])
{
	int count = 0;

	while (count < 64 && (fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	return count;
}

/* The queue is emptied, the loop does not spin, and service goes on when there are descriptors
 * again. */
static void running_out_of_descriptors_is_survived(void **state)
{
	struct rlimit before;
	struct rlimit few;
	struct served served;
	struct raw_client client;
	int fds[64];
	int count;
	int probe;

	(void)state;
	served_start(&served, &served_defaults, NULL);
	served.on_request = send_ok;
	raw_connect(&client, &served); /* waits in the queue */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
	few = before;
	few.rlim_cur = (rlim_t)probe + 4;
	close(probe);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	count = open_all(fds);
	raw_expect_end(&client);
	assert_int_equal(http_server_connections(served.server), 0);
	while (count > 0)
		close(fds[--count]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	raw_close(&client);
	raw_connect(&client, &served);
	raw_send(&client, get);
	raw_expect(&client, "fine.");
	raw_close(&client);
	served_end(&served);
}

static void stream_a_little(struct request *request)
{
	reply_stream_start(request, 200, NULL);
	reply_stream_write(request, "some data", 9);
	reply_stream_end(request);
}

/* One request while the nth allocation fails: it is answered or cut, and the server lives. */
static void serve_one(struct served *served, size_t nth, const char *text)
{
	struct raw_client client;
	char waste[1000];
	ssize_t len;

	raw_connect(&client, served);
	assert_int_equal(send(client.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	mem_fail_at(nth);
	do {
		served_turn(served);
		len = recv(client.fd, waste, sizeof(waste), 0);
	} while (len > 0 || (len < 0 && errno == EAGAIN));
	mem_fail_at(0);
	raw_close(&client);
}

static void every_failed_allocation_is_survived(void **state)
{
	static const char post[] = "PURGE /path?query HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
				   "Content-Length: 4\r\n\r\nbody";
	struct served served;
	struct raw_client client;
	size_t before;
	size_t needed;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		served_start(&served, &served_defaults, NULL);
		served.on_request = kind == 0 ? send_ok : stream_a_little;
		before = mem_count();
		serve_one(&served, 0, post);
		needed = mem_count() - before;
		assert_true(needed > 3);
		for (size_t nth = 1; nth <= needed; nth++)
			serve_one(&served, nth, post);
		raw_connect(&client, &served);
		raw_send(&client, post);
		raw_expect(&client, "200 OK");
		raw_close(&client);
		served_end(&served);
	}
}

static void server_without_memory_is_not_made(void **state)
{
	struct http_handler handler = { .context = NULL };
	struct http_server *server = NULL;
	struct reactor_uv *reactor;
	enum err err = ERR_NO_MEMORY;
	char bound[128];

	(void)state;
	assert_int_equal(reactor_uv_new(&reactor), OK);
	for (size_t nth = 1; err == ERR_NO_MEMORY; nth++) {
		mem_fail_at(nth);
		err = http_server_new(reactor, &served_defaults, &handler, &server);
		if (err != OK)
			continue;
		err = http_server_listen(server, "127.0.0.1:0", false, bound);
		http_server_free(server);
		assert_true(nth < 50);
	}
	mem_fail_at(0);
	assert_int_equal(err, OK);
	reactor_uv_free(reactor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_address_serves),
		cmocka_unit_test(what_is_no_address_is_said),
		cmocka_unit_test(port_is_shared_only_when_asked),
		cmocka_unit_test(socket_file_of_a_dead_process_is_replaced),
		cmocka_unit_test(running_out_of_descriptors_is_survived),
		cmocka_unit_test(every_failed_allocation_is_survived),
		cmocka_unit_test(server_without_memory_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
