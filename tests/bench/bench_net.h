/* bench_net - what the mock upstream and the load generator share: time, sockets, arguments.
 * Tools for `make bench` only: what cannot go on ends the process with a message. */
#ifndef LONGHAND_BENCH_BENCH_NET_H
#define LONGHAND_BENCH_BENCH_NET_H
#include <stdint.h>

/* In a chunk of a stream, before its time of sending in ns (bench_now_ns()). */
#define BENCH_STAMP "\"sent_ns\":"
enum { BENCH_STAMP_DIGITS = 18 };

/* The monotonic clock, the same in all processes. */
uint64_t bench_now_ns(void);
_Noreturn void bench_fail(const char *what);
/* A whole number of at least 1, or the process ends. */
long bench_number(const char *text, const char *what);
/* Listens on a free port of the loopback. */
int bench_listen(uint16_t *ret_port);
/* A connection to the loopback's port, made; not blocking from then on. */
int bench_connect(uint16_t port);
int bench_epoll(void);
/* For reading, level-triggered; `data` comes back in data.ptr. */
void bench_watch(int epoll_fd, int fd, void *data);
#endif
