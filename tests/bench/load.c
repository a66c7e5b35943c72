/* Load for `make bench`: load stream|whole PORT CONNECTIONS SECONDS [PACE_MS]
 *
 *   stream   opens so many streams whose chunks come each PACE_MS, and measures the delay of every
 *            chunk: from its sending, which it carries, to its arrival here
 *   whole    so many connections, on each a request as soon as the last one is answered, or, with
 *            PACE_MS, one each PACE_MS, the connections' evenly apart
 *
 * Prints {"ready":N} when all are open, measures for SECONDS from the line that it then reads,
 * prints {"count","seconds"} at their end, then {"p50_us","p99_us","max_us"}, does so anew for each
 * further line, and holds everything open until its input ends. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "bench/bench_net.h"

enum { EVENTS = 256, AT_ONCE = 64, ANSWER_BYTES = 4096, NS_PER_US = 1000, NS_PER_MS = 1000000 };
enum { POLL_MS = 50 };

struct peer {
	int fd;
	bool is_answered; /* something has come */
	uint64_t sent_ns; /* whole: the last request */
	uint64_t due_ns;  /* whole, paced: the next one */
	bool is_idle;	  /* waits for that */
	size_t matched;	  /* stream: of the stamp's name, then of its digits */
	uint64_t stamp_ns;
	size_t len; /* whole: of the answer, so far */
	char answer[ANSWER_BYTES];
};

struct load {
	bool is_stream;
	uint16_t port;
	size_t count, opened, answered;
	uint64_t seconds;
	uint64_t pace_ns; /* whole: 0 for none */
	int epoll_fd;
	char request[1024];
	size_t request_len;
	struct peer *peers;
	bool is_ready_told, is_measuring;
	uint64_t begun_ns;
	uint64_t *delays_ns;
	size_t delays, delays_room;
};

_Noreturn static void complain(const char *what)
{
	(void)fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static void note_delay(struct load *load, uint64_t from_ns)
{
	uint64_t now_ns = bench_now_ns();

	if (!load->is_measuring)
		return;
	if (load->delays == load->delays_room) {
		load->delays_room = load->delays_room * 2 + 65536;
		load->delays_ns = mem_realloc(load->delays_ns,
					      load->delays_room * sizeof(load->delays_ns[0]));
		if (load->delays_ns == NULL)
			complain("out of memory");
	}
	load->delays_ns[load->delays++] = now_ns > from_ns ? now_ns - from_ns : 0;
}

static void send_request(struct load *load, struct peer *peer)
{
	peer->sent_ns = bench_now_ns();
	if (send(peer->fd, load->request, load->request_len, MSG_NOSIGNAL) !=
	    (ssize_t)load->request_len)
		bench_fail("send");
}

static void open_some(struct load *load)
{
	while (load->opened < load->count && load->opened - load->answered < AT_ONCE) {
		struct peer *peer = &load->peers[load->opened++];

		peer->fd = bench_connect(load->port);
		bench_watch(load->epoll_fd, peer->fd, peer);
		send_request(load, peer);
	}
}

/* Finds the stamps in the bytes of a stream, wherever these are cut. */
static void scan_stamps(struct load *load, struct peer *peer, const char *data, size_t len)
{
	static const char name[] = BENCH_STAMP;
	enum { NAME = sizeof(name) - 1 };

	for (size_t i = 0; i < len; i++) {
		if (peer->matched < NAME) {
			peer->matched = data[i] == name[peer->matched] ? peer->matched + 1
								       : data[i] == name[0];
			peer->stamp_ns = 0;
			continue;
		}
		if (data[i] < '0' || data[i] > '9')
			continue; /* between two pieces of a chunked body */
		peer->stamp_ns = peer->stamp_ns * 10 + (uint64_t)(data[i] - '0');
		if (++peer->matched == NAME + BENCH_STAMP_DIGITS) {
			note_delay(load, peer->stamp_ns);
			peer->matched = 0;
		}
	}
}

/* The answer is complete: the next request may go. */
static bool is_whole(const struct peer *peer)
{
	static const char name[] = "\r\ncontent-length:";
	const char *end = strstr(peer->answer, "\r\n\r\n");
	const char *length = strcasestr(peer->answer, name);

	if (end == NULL)
		return false;
	if (length == NULL || length > end)
		complain("an answer without its length");
	return (size_t)(end + 4 - peer->answer) + strtoul(length + sizeof(name) - 1, NULL, 10) ==
	       peer->len;
}

static void take_answer(struct load *load, struct peer *peer, const char *data, size_t len)
{
	if (len >= sizeof(peer->answer) - peer->len)
		complain("an answer is too long");
	memcpy(peer->answer + peer->len, data, len);
	peer->len += len;
	peer->answer[peer->len] = '\0';
	if (!is_whole(peer))
		return;
	note_delay(load, peer->sent_ns);
	peer->len = 0;
	peer->is_idle = load->pace_ns > 0;
	if (!peer->is_idle)
		send_request(load, peer);
}

/* Each connection keeps to its own times; what it is too late for is left out. */
static void send_due(struct load *load)
{
	uint64_t now_ns = bench_now_ns();

	for (size_t i = 0; load->pace_ns > 0 && i < load->opened; i++) {
		struct peer *peer = &load->peers[i];
		uint64_t phase_ns = load->pace_ns * i / load->count;

		if (!peer->is_idle || now_ns < peer->due_ns)
			continue;
		peer->is_idle = false;
		peer->due_ns = (now_ns / load->pace_ns + 1) * load->pace_ns + phase_ns;
		send_request(load, peer);
	}
}

static void peer_read(struct load *load, struct peer *peer)
{
	static const char good[] = "HTTP/1.1 200 ";
	char data[16384];
	ssize_t got = recv(peer->fd, data, sizeof(data), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		complain("a connection was closed");
	if (!peer->is_answered) {
		if (memcmp(data, good, sizeof(good) - 1) != 0)
			complain("the answer is not 200");
		peer->is_answered = true;
		load->answered++;
	}
	if (load->is_stream)
		scan_stamps(load, peer, data, (size_t)got);
	else
		take_answer(load, peer, data, (size_t)got);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static double percentile_us(const struct load *load, size_t percent)
{
	if (load->delays == 0)
		return 0;
	return (double)load->delays_ns[(load->delays - 1) * percent / 100] / NS_PER_US;
}

/* Two lines: sorting takes time that is not to be counted. */
static void tell_result(struct load *load)
{
	double seconds = (double)(bench_now_ns() - load->begun_ns) / 1e9;

	load->is_measuring = false;
	(void)printf("{\"count\":%zu,\"seconds\":%.3f}\n", load->delays, seconds);
	(void)fflush(stdout);
	if (load->delays > 0)
		qsort(load->delays_ns, load->delays, sizeof(load->delays_ns[0]), by_size);
	(void)printf("{\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
		     percentile_us(load, 50), percentile_us(load, 99), percentile_us(load, 100));
	(void)fflush(stdout);
}

static void tell_ready(struct load *load)
{
	load->is_ready_told = true;
	(void)printf("{\"ready\":%zu}\n", load->answered);
	(void)fflush(stdout);
}

/* A line begins the measuring; the end of the input is ours. */
static void read_input(struct load *load)
{
	char line[64];

	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		exit(0);
	load->is_measuring = true;
	load->delays = 0;
	load->begun_ns = bench_now_ns();
}

_Noreturn static void run(struct load *load)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int count;

		open_some(load);
		send_due(load);
		count = epoll_wait(load->epoll_fd, events, EVENTS,
				   load->pace_ns > 0 ? 1 : POLL_MS);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == NULL)
				read_input(load);
			else
				peer_read(load, events[i].data.ptr);
		}
		if (!load->is_ready_told && load->answered == load->count)
			tell_ready(load);
		if (load->is_measuring &&
		    bench_now_ns() - load->begun_ns >= load->seconds * UINT64_C(1000000000))
			tell_result(load);
	}
}

static void write_request(struct load *load, long pace_ms)
{
	char body[256];
	int len;

	if (load->is_stream)
		len = snprintf(body, sizeof(body),
			       "{\"model\":\"mock\",\"messages\":[{\"role\":\"user\",\"content\":"
			       "\"hello\"}],\"stream\":true,\"pace_ms\":%ld}",
			       pace_ms);
	else
		len = snprintf(body, sizeof(body),
			       "{\"model\":\"mock\",\"messages\":[{\"role\":\"user\",\"content\":"
			       "\"hello\"}]}");
	len = snprintf(load->request, sizeof(load->request),
		       "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		       "User-Agent: OpenAI/Python 1.57.0\r\nAccept: application/json\r\n"
		       "Authorization: Bearer sk-bench\r\nContent-Type: application/json\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       (unsigned)load->port, len, body);
	load->request_len = (size_t)len;
}

int main(int argc, char **argv)
{
	static struct load load;
	long pace_ms = 20;

	if (argc < 5 || argc > 6 ||
	    (strcmp(argv[1], "stream") != 0 && strcmp(argv[1], "whole") != 0))
		complain("stream|whole PORT CONNECTIONS SECONDS [PACE_MS]");
	load.is_stream = strcmp(argv[1], "stream") == 0;
	load.port = (uint16_t)bench_number(argv[2], "port");
	load.count = (size_t)bench_number(argv[3], "connections");
	load.seconds = (uint64_t)bench_number(argv[4], "seconds");
	if (argc == 6)
		pace_ms = bench_number(argv[5], "pace");
	if (argc == 6 && !load.is_stream)
		load.pace_ns = (uint64_t)pace_ms * NS_PER_MS;
	write_request(&load, pace_ms);
	load.peers = mem_alloc(load.count * sizeof(load.peers[0]));
	if (load.peers == NULL)
		complain("out of memory");
	load.epoll_fd = bench_epoll();
	bench_watch(load.epoll_fd, STDIN_FILENO, NULL);
	run(&load);
}
