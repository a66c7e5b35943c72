#include "loop/http_shard.h"
#include "base/must.h"

/* Every message, after every action, also when nothing runs any more: the last completion of
 * all comes exactly then. */
static void drain_messages(struct http_shard *shard)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(shard->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle; /* the message dies with the removal */
		CURLcode code = message->data.result;

		if (message->msg == CURLMSG_DONE)
			shard->events->on_end(shard, easy, code);
	}
}

static void enter(struct http_shard *shard)
{
	MUST(!*shard->is_inside);
	*shard->is_inside = true;
}

static void leave(struct http_shard *shard)
{
	drain_messages(shard);
	*shard->is_inside = false;
	shard->events->on_left(shard);
}

static void act(struct http_shard *shard, curl_socket_t fd, int flags)
{
	int running;

	enter(shard);
	(void)curl_multi_socket_action(shard->multi, fd, flags, &running);
	leave(shard);
}

void http_shard_on_socket(struct http_shard *shard, curl_socket_t fd, int flags)
{
	act(shard, fd, flags);
}

/* CURLMOPT_SOCKETFUNCTION. */
static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
	struct http_shard *shard = user;

	(void)of_socket;
	if (http_sockets_wish(shard->sockets, shard, fd, what) != OK)
		shard->events->on_lost(shard, easy);
	return 0;
}

static void on_timer(struct timer *timer)
{
	act(container_of(timer, struct http_shard, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION. A timer of ours never fires inside timer_start and at most once a
 * turn, so that a timeout of 0 neither re-enters libcurl nor starves the sockets. */
static int on_timer_wish(CURLM *multi, long timeout_ms, void *user)
{
	struct http_shard *shard = user;
	struct reactor *reactor = reactor_uv_base(shard->loop);

	(void)multi;
	if (timeout_ms < 0)
		reactor->timer_stop(reactor, &shard->timer);
	else
		reactor->timer_start(reactor, &shard->timer, (uint64_t)timeout_ms, on_timer);
	return 0;
}

/* libcurl counts the connections in use too, and closes idle ones when a transfer ends with more
 * than this in all. The one that ends is idle by then. */
static void set_connections_max(struct http_shard *shard)
{
	size_t others = shard->in_flight > 0 ? shard->in_flight - 1 : 0;

	(void)curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS,
				(long)(others + shard->idle_max));
}

enum err http_shard_init(struct http_shard *shard)
{
	shard->multi = curl_multi_init();
	if (shard->multi == NULL)
		return ERR_NO_MEMORY;
	(void)curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	(void)curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
	(void)curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	(void)curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
	set_connections_max(shard);
	return OK;
}

void http_shard_release(struct http_shard *shard)
{
	struct reactor *reactor;

	if (shard->multi == NULL)
		return;
	MUST(shard->in_flight == 0);
	reactor = reactor_uv_base(shard->loop);
	(void)curl_multi_cleanup(shard->multi); /* closes the idle connections */
	reactor->timer_stop(reactor, &shard->timer);
	shard->multi = NULL;
}

enum err http_shard_add(struct http_shard *shard, CURL *easy)
{
	shard->in_flight++;
	set_connections_max(shard);
	if (curl_multi_add_handle(shard->multi, easy) == CURLM_OK) {
		shard->needs_kick = true;
		return OK;
	}
	shard->in_flight--;
	return ERR_NO_MEMORY;
}

void http_shard_remove(struct http_shard *shard, CURL *easy)
{
	MUST(shard->in_flight > 0);
	MUST(curl_multi_remove_handle(shard->multi, easy) == CURLM_OK);
	shard->in_flight--;
	set_connections_max(shard);
}

void http_shard_kick(struct http_shard *shard)
{
	shard->needs_kick = false;
	act(shard, CURL_SOCKET_TIMEOUT, 0);
}

void http_shard_unpause(struct http_shard *shard, CURL *easy)
{
	enter(shard);
	/* Delivers what libcurl held, in here. An error of it is not an end yet: the transfer
	 * stays in the multi handle, so it is ours to tell. */
	CURLcode code = curl_easy_pause(easy, CURLPAUSE_CONT);
	if (code != CURLE_OK)
		shard->events->on_end(shard, easy, code);
	leave(shard);
}
