/* A backend that costs next to nothing: prints its port, then answers every request whose body
 * holds "pace_ms":N with an endless stream of chat chunks, one each N ms, every other one with a
 * whole chat completion. Chunks carry the time at which they were sent. A stream asked for without
 * a pace is prose, a word each 20 ms, sentence after sentence, until whoever asked has enough.
 *
 * The streams of one pace share its period evenly, whenever they came: a wheel with a slot for
 * each ms holds who is due. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "bench/bench_net.h"

enum { SLOTS = 8192, EVENTS = 256, REQUEST_BYTES_MAX = 64 << 10, NS_PER_MS = 1000000 };

static const char whole_body[] =
	"{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1700000000,"
	"\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
	"\"content\":\"Hello! How can I help you today?\"},\"finish_reason\":\"stop\"}],"
	"\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9,\"total_tokens\":18}}";
static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				  "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char chunk_before[] =
	"data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
	"\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":"
	"{\"content\":\" words\"},\"finish_reason\":null}]," BENCH_STAMP;
static const char chunk_behind[] = "}\n\n";

enum { PROSE_PACE_MS = 20, SENTENCE_WORDS = 11, PROSE_WORDS = 64 };
static const char *const prose[PROSE_WORDS] = {
	"river",   "stone",  "garden", "carries", "under",  "winter", "market", "behind",
	"morning", "letter", "quiet",  "builds",  "window", "paper",  "silver", "toward",
	"harbour", "copper", "gentle", "follows", "bridge", "summer", "valley", "between",
	"evening", "wooden", "narrow", "gathers", "candle", "forest", "mirror", "across",
	"village", "marble", "bright", "returns", "island", "autumn", "meadow", "beyond",
	"journey", "velvet", "hollow", "listens", "engine", "spring", "temple", "without",
	"teacher", "golden", "simple", "watches", "signal", "harvest", "shadow", "around",
	"library", "cotton", "steady", "answers", "ribbon", "thunder", "castle", "against",
};

struct client {
	struct client *next; /* in its slot */
	int fd;
	struct buf request;
	uint64_t pace_ms; /* 0: no stream */
	bool is_prose;
	uint64_t words, dice; /* of the prose */
	bool is_closed;	  /* freed when its slot comes, or at once when it has none */
};

struct mock {
	int epoll_fd;
	int listen_fd;
	uint64_t at_ms; /* the next slot to be sent is the one of this time */
	uint64_t streams;
	struct client *slots[SLOTS];
	char whole[1024];
	size_t whole_len;
};

static void client_free(struct client *client)
{
	buf_release(&client->request);
	mem_free(client);
}

static void client_close(struct client *client)
{
	(void)close(client->fd);
	client->is_closed = true;
	if (client->pace_ms == 0)
		client_free(client);
}

static bool send_all(struct client *client, const char *data, size_t len)
{
	return send(client->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool send_chunk(struct client *client)
{
	enum { PAYLOAD = sizeof(chunk_before) - 1 + BENCH_STAMP_DIGITS + sizeof(chunk_behind) - 1 };
	char chunk[512];
	int len = snprintf(chunk, sizeof(chunk), "%x\r\n%s%0*llu%s\r\n", PAYLOAD, chunk_before,
			   BENCH_STAMP_DIGITS, (unsigned long long)bench_now_ns(), chunk_behind);

	return send_all(client, chunk, (size_t)len);
}

/* A word, the sentence's first one with its capital, its last one with its stop. */
static bool send_word(struct client *client)
{
	char payload[256];
	char chunk[300];
	char word[16];
	uint64_t at = client->words++ % SENTENCE_WORDS;
	int len;

	client->dice = client->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	(void)snprintf(word, sizeof(word), "%s", prose[client->dice >> 58]);
	if (at == 0)
		word[0] = (char)(word[0] - 'a' + 'A');
	len = snprintf(payload, sizeof(payload),
		       "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
		       "\"delta\":{\"content\":\"%s%s\"},\"finish_reason\":null}]}\n\n",
		       word, at == SENTENCE_WORDS - 1 ? ". " : " ");
	len = snprintf(chunk, sizeof(chunk), "%x\r\n%s\r\n", (unsigned)len, payload);
	return send_all(client, chunk, (size_t)len);
}

static bool send_next(struct client *client)
{
	return client->is_prose ? send_word(client) : send_chunk(client);
}

static void slot_add(struct mock *mock, struct client *client, uint64_t due_ms)
{
	struct client **slot = &mock->slots[due_ms % SLOTS];

	client->next = *slot;
	*slot = client;
}

static void slot_send(struct mock *mock, uint64_t due_ms)
{
	struct client *client = mock->slots[due_ms % SLOTS];

	mock->slots[due_ms % SLOTS] = NULL;
	while (client != NULL) {
		struct client *next = client->next;

		if (client->is_closed) {
			client_free(client);
		} else {
			/* One that takes no more has closed, or will be closed when that is read.
			 */
			(void)send_next(client);
			slot_add(mock, client, due_ms + client->pace_ms);
		}
		client = next;
	}
}

static bool start_stream(struct mock *mock, struct client *client, uint64_t pace_ms)
{
	uint64_t phase_ms;

	client->pace_ms = pace_ms;
	if (client->pace_ms == 0 || client->pace_ms >= SLOTS) {
		client->pace_ms = 0;
		return false;
	}
	/* 7 has no factor in common with any period of whole tens. */
	phase_ms = mock->streams++ * 7 % client->pace_ms;
	slot_add(mock, client,
		 mock->at_ms - mock->at_ms % client->pace_ms + client->pace_ms + phase_ms);
	return send_all(client, stream_head, sizeof(stream_head) - 1) && send_next(client);
}

static bool answer(struct mock *mock, struct client *client, const char *body)
{
	static const char name[] = "\"pace_ms\":";
	const char *pace = strstr(body, name);

	if (pace != NULL)
		return start_stream(mock, client, strtoul(pace + sizeof(name) - 1, NULL, 10));
	if (strstr(body, "\"stream\":true") != NULL) {
		client->is_prose = true;
		client->dice = mock->streams + 1;
		return start_stream(mock, client, PROSE_PACE_MS);
	}
	return send_all(client, mock->whole, mock->whole_len);
}

/* The bytes of the request that stands first; 0: it is not all there. */
static size_t request_len(const struct buf *request, const char **ret_body)
{
	static const char name[] = "\r\ncontent-length:";
	const char *end = strstr(buf_str(request), "\r\n\r\n");
	const char *length = strcasestr(buf_str(request), name);
	size_t len;

	if (end == NULL)
		return 0;
	*ret_body = end + 4;
	len = (size_t)(*ret_body - request->data);
	if (length != NULL && length < end)
		len += strtoul(length + sizeof(name) - 1, NULL, 10);
	return len <= request->len ? len : 0;
}

/* False: the client has closed, or is to be closed. */
static bool client_read(struct mock *mock, struct client *client)
{
	char data[16384];
	ssize_t got = recv(client->fd, data, sizeof(data), 0);
	const char *body;
	size_t len;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	if (buf_append(&client->request, data, (size_t)got) != OK)
		return false;
	while ((len = request_len(&client->request, &body)) > 0) {
		if (!answer(mock, client, body))
			return false;
		buf_consume(&client->request, len);
	}
	return true;
}

static void accept_clients(struct mock *mock)
{
	int on = 1;
	int fd;

	while ((fd = accept4(mock->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct client *client = mem_alloc(sizeof(*client));

		if (client == NULL)
			bench_fail("memory");
		client->fd = fd;
		buf_init(&client->request, REQUEST_BYTES_MAX);
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		bench_watch(mock->epoll_fd, fd, client);
	}
	if (errno != EAGAIN)
		bench_fail("accept4");
}

static void run(struct mock *mock)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(mock->epoll_fd, events, EVENTS, mock->streams > 0 ? 1 : 100);

		for (int i = 0; i < count; i++) {
			struct client *client = events[i].data.ptr;

			if (client == NULL)
				accept_clients(mock);
			else if (!client_read(mock, client))
				client_close(client);
		}
		for (uint64_t now_ms = bench_now_ns() / NS_PER_MS; mock->at_ms <= now_ms;
		     mock->at_ms++)
			slot_send(mock, mock->at_ms);
	}
}

int main(void)
{
	static struct mock mock;
	uint16_t port;

	mock.epoll_fd = bench_epoll();
	mock.listen_fd = bench_listen(&port);
	bench_watch(mock.epoll_fd, mock.listen_fd, NULL);
	mock.whole_len = (size_t)snprintf(mock.whole, sizeof(mock.whole),
					  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
					  "Content-Length: %zu\r\n\r\n%s",
					  sizeof(whole_body) - 1, whole_body);
	mock.at_ms = bench_now_ns() / NS_PER_MS;
	(void)printf("%u\n", (unsigned)port);
	(void)fflush(stdout);
	run(&mock);
}
