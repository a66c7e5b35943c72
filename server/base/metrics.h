/* metrics - what the program counts, as one table, rendered as Prometheus text.
 *
 * Process-wide and for one thread: the loop's. A family has a name, a help line and at most one
 * label; its series and their label values are fixed here, so nothing a client sends can make
 * a new series. Times are observed in ms and rendered in seconds, as Prometheus wants. */
#ifndef LONGHAND_BASE_METRICS_H
#define LONGHAND_BASE_METRICS_H
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

/* X(family, kind, name, label or NULL, help): counters only grow, gauges go up and down. */
#define METRIC_FAMILIES(X)                                                                        \
	X(REQUESTS, counter, "longhand_requests_total", "route",                                  \
	  "Requests by the route they took.")                                                     \
	X(RESPONSES, counter, "longhand_responses_total", "class",                                \
	  "Answers by the class of their HTTP status.")                                           \
	X(CONNECTIONS_OPEN, gauge, "longhand_connections_open", NULL, "Client connections open.") \
	X(CONNECTIONS_REFUSED, counter, "longhand_connections_refused_total", NULL,               \
	  "Connections answered 429 because max_connections was reached.")                        \
	X(STREAMS_OPEN, gauge, "longhand_streams_open", NULL, "Streamed answers under way.")      \
	X(UPSTREAM_OPEN, gauge, "longhand_upstream_open", NULL,                                   \
	  "Requests to backends under way.")                                                      \
	X(UPSTREAM_CALLS, counter, "longhand_upstream_calls_total", "purpose",                    \
	  "Requests sent to backends.")                                                           \
	X(UPSTREAM_ERRORS, counter, "longhand_upstream_errors_total", "kind",                     \
	  "Requests to backends that failed.")                                                    \
	X(UPSTREAM_RETRIES, counter, "longhand_upstream_retries_total", NULL,                     \
	  "Requests to backends that were tried again.")                                          \
	X(UPSTREAM_FAILOVERS, counter, "longhand_upstream_failovers_total", NULL,                 \
	  "Requests to backends that another backend of the model took over.")                    \
	X(CALLS_WAITING, gauge, "longhand_calls_waiting", "purpose",                              \
	  "Calls that wait for a backend to have room or to come back.")                          \
	X(CALLS_LIMITED, counter, "longhand_calls_limited_total", NULL,                           \
	  "Requests answered 429 because their backend's limits had no room in time.")            \
	X(BREAKERS_OPEN, gauge, "longhand_breakers_open", NULL,                                   \
	  "Backends that are left alone because they kept failing.")                              \
	X(CLIENT_GONE, counter, "longhand_clients_gone_total", NULL,                              \
	  "Clients that left before their answer was complete.")                                  \
	X(JOBS_RUNNING, gauge, "longhand_jobs_running", NULL, "Long texts being written.")        \
	X(JOBS_KEPT, gauge, "longhand_jobs_kept", NULL, "Jobs in memory, running or finished.")   \
	X(JOBS, counter, "longhand_jobs_total", "end",                                            \
	  "Jobs that ended, by how; or left this process, parked or taken over.")                 \
	X(JOBS_TAKEN, counter, "longhand_jobs_taken_total", NULL,                                 \
	  "Jobs that this process took up where they stood.")                                     \
	X(WORDS_WRITTEN, counter, "longhand_words_written_total", NULL,                           \
	  "Words delivered by jobs.")                                                             \
	X(WORDS_DISCARDED, counter, "longhand_words_discarded_total", NULL,                       \
	  "Words that backends wrote for jobs and that were not delivered.")                      \
	X(SECTIONS, counter, "longhand_sections_total", NULL, "Sections that jobs finished.")     \
	X(REPAIRS, counter, "longhand_repairs_total", NULL,                                       \
	  "Repairs of plans and sections: redone, dropped or continued.")                         \
	X(EVENTS, counter, "longhand_events_total", NULL, "Events appended to job logs.")         \
	X(STORE_UP, gauge, "longhand_store_up", NULL,                                             \
	  "Whether long texts can be stored: 1, or 0.")                                           \
	X(STORE_ERRORS, counter, "longhand_store_errors_total", NULL,                             \
	  "Writes and removals that the store could not carry out.")

/* X(series, family, label value or NULL); the series of a family stand together. */
#define METRIC_SERIES(X)                                            \
	X(METRIC_REQUESTS_PASSTHROUGH, REQUESTS, "passthrough")     \
	X(METRIC_REQUESTS_LONG, REQUESTS, "long")                   \
	X(METRIC_REQUESTS_MODELS, REQUESTS, "models")               \
	X(METRIC_REQUESTS_JOBS, REQUESTS, "jobs")                   \
	X(METRIC_REQUESTS_HEALTH, REQUESTS, "health")               \
	X(METRIC_REQUESTS_OTHER, REQUESTS, "other")                 \
	X(METRIC_RESPONSES_2XX, RESPONSES, "2xx")                   \
	X(METRIC_RESPONSES_3XX, RESPONSES, "3xx")                   \
	X(METRIC_RESPONSES_4XX, RESPONSES, "4xx")                   \
	X(METRIC_RESPONSES_5XX, RESPONSES, "5xx")                   \
	X(METRIC_CONNECTIONS_OPEN, CONNECTIONS_OPEN, NULL)          \
	X(METRIC_CONNECTIONS_REFUSED, CONNECTIONS_REFUSED, NULL)    \
	X(METRIC_STREAMS_OPEN, STREAMS_OPEN, NULL)                  \
	X(METRIC_UPSTREAM_OPEN, UPSTREAM_OPEN, NULL)                \
	X(METRIC_UPSTREAM_CALLS_PASSTHROUGH, UPSTREAM_CALLS, "passthrough") \
	X(METRIC_UPSTREAM_CALLS_PLAN, UPSTREAM_CALLS, "plan")       \
	X(METRIC_UPSTREAM_CALLS_WRITE, UPSTREAM_CALLS, "write")     \
	X(METRIC_UPSTREAM_CALLS_MODELS, UPSTREAM_CALLS, "models")   \
	X(METRIC_UPSTREAM_ERRORS_REFUSED, UPSTREAM_ERRORS, "refused") \
	X(METRIC_UPSTREAM_ERRORS_TIMEOUT, UPSTREAM_ERRORS, "timeout") \
	X(METRIC_UPSTREAM_ERRORS_BROKEN, UPSTREAM_ERRORS, "broken") \
	X(METRIC_UPSTREAM_ERRORS_BUSY, UPSTREAM_ERRORS, "busy")     \
	X(METRIC_UPSTREAM_ERRORS_REJECTED, UPSTREAM_ERRORS, "rejected") \
	X(METRIC_UPSTREAM_ERRORS_FAILED, UPSTREAM_ERRORS, "failed") \
	X(METRIC_UPSTREAM_ERRORS_BREAKER, UPSTREAM_ERRORS, "breaker") \
	X(METRIC_UPSTREAM_RETRIES, UPSTREAM_RETRIES, NULL)          \
	X(METRIC_UPSTREAM_FAILOVERS, UPSTREAM_FAILOVERS, NULL)      \
	X(METRIC_CALLS_WAITING_PASSTHROUGH, CALLS_WAITING, "passthrough") \
	X(METRIC_CALLS_WAITING_JOB, CALLS_WAITING, "job")           \
	X(METRIC_CALLS_LIMITED, CALLS_LIMITED, NULL)                \
	X(METRIC_BREAKERS_OPEN, BREAKERS_OPEN, NULL)                \
	X(METRIC_CLIENT_GONE, CLIENT_GONE, NULL)                    \
	X(METRIC_JOBS_RUNNING, JOBS_RUNNING, NULL)                  \
	X(METRIC_JOBS_KEPT, JOBS_KEPT, NULL)                        \
	X(METRIC_JOBS_DONE, JOBS, "done")                           \
	X(METRIC_JOBS_FAILED, JOBS, "failed")                       \
	X(METRIC_JOBS_CANCELLED, JOBS, "cancelled")                 \
	X(METRIC_JOBS_PARKED, JOBS, "parked")                       \
	X(METRIC_JOBS_LOST, JOBS, "taken_over")                     \
	X(METRIC_JOBS_TAKEN, JOBS_TAKEN, NULL)                      \
	X(METRIC_WORDS_WRITTEN, WORDS_WRITTEN, NULL)                \
	X(METRIC_WORDS_DISCARDED, WORDS_DISCARDED, NULL)            \
	X(METRIC_SECTIONS, SECTIONS, NULL)                          \
	X(METRIC_REPAIRS, REPAIRS, NULL)                            \
	X(METRIC_EVENTS, EVENTS, NULL)                              \
	X(METRIC_STORE_UP, STORE_UP, NULL)                          \
	X(METRIC_STORE_ERRORS, STORE_ERRORS, NULL)

/* X(histogram, name, help) */
#define METRIC_HISTOGRAMS(X)                                                               \
	X(METRIC_TIME_TO_FIRST_BYTE, "longhand_time_to_first_byte_seconds",                \
	  "From a request's last byte to its answer's first.")                             \
	X(METRIC_REQUEST_TIME, "longhand_request_seconds",                                 \
	  "From a request's first byte to its answer's last.")                             \
	X(METRIC_UPSTREAM_FIRST_BYTE, "longhand_upstream_first_byte_seconds",              \
	  "From a request to a backend to the first byte of its answer.")                  \
	X(METRIC_SECTION_TIME, "longhand_section_seconds", "Time that one section took.")  \
	X(METRIC_JOB_TIME, "longhand_job_seconds", "Time that one job took.")              \
	X(METRIC_STORE_TIME, "longhand_store_write_seconds",                               \
	  "From an entry of a job's log to its acknowledgement by the store.")

enum metric {
#define X(series, family, value) series,
	METRIC_SERIES(X)
#undef X
	METRIC_COUNT
};

enum metric_histogram {
#define X(histogram, name, help) histogram,
	METRIC_HISTOGRAMS(X)
#undef X
	METRIC_HISTOGRAM_COUNT
};

void metric_add(enum metric metric, uint64_t amount);
void metric_inc(enum metric metric);
/* Gauges only; below zero is a bug, and held at zero. */
void metric_dec(enum metric metric);
void metric_set(enum metric metric, uint64_t value);
uint64_t metric_get(enum metric metric);
void metric_observe_ms(enum metric_histogram histogram, uint64_t elapsed_ms);
/* How many observations there were. */
uint64_t metric_observations(enum metric_histogram histogram);

/* Appends all of it in the Prometheus text format 0.0.4. Errors of buf_append. */
MUST_CHECK enum err metrics_render(struct buf *out);
/* For tests: everything is zero again. */
void metrics_reset(void);
#endif
