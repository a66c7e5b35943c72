#include "fakes/redis_server.h"
#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

enum { START_MS = 20000, STEP_MS = 10, ARGS_MAX = 32 };

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint16_t port = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		port = ntohs(address.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static void run_server(const struct redis_server *server, const char *const *args)
{
	const char *program = getenv("REDIS_SERVER");
	char port[8];
	const char *argv[ARGS_MAX] = { "redis-server", "--port",      port, "--bind",
				       "127.0.0.1",    "--save",      "",   "--appendonly",
				       "no",	       "--daemonize", "no" };
	size_t n = 11;
	int null_fd = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(port, sizeof(port), "%u", server->port);
	while (args != NULL && *args != NULL && n + 1 < ARGS_MAX)
		argv[n++] = *args++;
	(void)dup2(null_fd, STDIN_FILENO);
	(void)dup2(null_fd, STDOUT_FILENO);
	(void)execvp(program != NULL ? program : "redis-server", (char *const *)(const void *)argv);
	_exit(127);
}

/* It accepts connections; a password is no obstacle to knowing that. */
static bool is_listening(const struct redis_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(server->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	is_there = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return is_there;
}

bool redis_server_start(struct redis_server *server, const char *const *args)
{
	if (server->port == 0)
		server->port = free_port();
	(void)snprintf(server->url, sizeof(server->url), "redis://127.0.0.1:%u/0", server->port);
	server->pid = fork();
	if (server->pid < 0)
		return false;
	if (server->pid == 0)
		run_server(server, args);
	for (unsigned waited = 0; waited < START_MS; waited += STEP_MS) {
		if (is_listening(server))
			return true;
		if (waitpid(server->pid, NULL, WNOHANG) != 0)
			break; /* it has ended: no such program, or no such port */
		(void)poll(NULL, 0, STEP_MS);
	}
	redis_server_stop(server);
	return false;
}

void redis_server_stop(struct redis_server *server)
{
	if (server->pid <= 0)
		return;
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

void redis_server_freeze(struct redis_server *server)
{
	(void)kill(server->pid, SIGSTOP);
}

void redis_server_thaw(struct redis_server *server)
{
	(void)kill(server->pid, SIGCONT);
}

static void put_reply(FILE *out, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_INTEGER)
		(void)fprintf(out, "%lld", reply->integer);
	else if (reply->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < reply->elements; i++) {
			put_reply(out, reply->element[i]);
			(void)fputc('\n', out);
		}
	else if (reply->type != REDIS_REPLY_NIL)
		(void)fwrite(reply->str, 1, reply->len, out);
}

char *redis_server_ask(const struct redis_server *server, const char *const *args)
{
	redisContext *context = redisConnect("127.0.0.1", server->port);
	const char *argv[ARGS_MAX];
	int argc = 0;
	redisReply *reply;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	while (*args != NULL && argc < ARGS_MAX)
		argv[argc++] = *args++;
	if (context == NULL || context->err != 0 || out == NULL)
		abort();
	reply = redisCommandArgv(context, argc, argv, NULL);
	if (reply == NULL)
		abort();
	put_reply(out, reply);
	freeReplyObject(reply);
	redisFree(context);
	(void)fclose(out);
	return text;
}
