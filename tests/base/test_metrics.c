/* Metrics: what is counted is what is rendered, and the text is what Prometheus reads. */
#include "check.h"
#include <string.h>
#include "base/mem.h"
#include "base/metrics.h"

enum { TEXT_MAX_BYTES = 100000 };

static int begin(void **state)
{
	(void)state;
	metrics_reset();
	return 0;
}

static void counts_and_gauges_are_rendered(void **state)
{
	struct buf out;

	(void)state;
	metric_inc(METRIC_REQUESTS_PASSTHROUGH);
	metric_add(METRIC_REQUESTS_PASSTHROUGH, 4);
	metric_inc(METRIC_STREAMS_OPEN);
	metric_inc(METRIC_STREAMS_OPEN);
	metric_dec(METRIC_STREAMS_OPEN);
	metric_set(METRIC_JOBS_KEPT, 9);
	assert_int_equal(metric_get(METRIC_REQUESTS_PASSTHROUGH), 5);
	buf_init(&out, TEXT_MAX_BYTES);
	assert_int_equal(metrics_render(&out), OK);
	assert_non_null(strstr(out.data,
			       "# HELP longhand_requests_total Requests by the route they took.\n"
			       "# TYPE longhand_requests_total counter\n"
			       "longhand_requests_total{route=\"passthrough\"} 5\n"
			       "longhand_requests_total{route=\"long\"} 0\n"));
	assert_non_null(strstr(out.data, "# TYPE longhand_streams_open gauge\n"
					 "longhand_streams_open 1\n"));
	assert_non_null(strstr(out.data, "\nlonghand_jobs_kept 9\n"));
	buf_release(&out);
}

static void histograms_are_cumulative(void **state)
{
	struct buf out;

	(void)state;
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE, 0);
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE, 5);
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE, 6);
	metric_observe_ms(METRIC_TIME_TO_FIRST_BYTE, 10000000);
	assert_int_equal(metric_observations(METRIC_TIME_TO_FIRST_BYTE), 4);
	assert_int_equal(metric_observations(METRIC_JOB_TIME), 0);
	buf_init(&out, TEXT_MAX_BYTES);
	assert_int_equal(metrics_render(&out), OK);
	assert_non_null(strstr(out.data,
			       "# TYPE longhand_time_to_first_byte_seconds histogram\n"
			       "longhand_time_to_first_byte_seconds_bucket{le=\"0.001\"} 1\n"
			       "longhand_time_to_first_byte_seconds_bucket{le=\"0.002\"} 1\n"
			       "longhand_time_to_first_byte_seconds_bucket{le=\"0.005\"} 2\n"
			       "longhand_time_to_first_byte_seconds_bucket{le=\"0.010\"} 3\n"));
	assert_non_null(strstr(out.data,
			       "longhand_time_to_first_byte_seconds_bucket{le=\"3600.000\"} 3\n"
			       "longhand_time_to_first_byte_seconds_bucket{le=\"+Inf\"} 4\n"
			       "longhand_time_to_first_byte_seconds_sum 10000.011\n"
			       "longhand_time_to_first_byte_seconds_count 4\n"));
	buf_release(&out);
}

/* Each name has its head once: Prometheus refuses a text with a second one. */
static void every_family_has_one_head(void **state)
{
	struct buf out;
	size_t heads = 0;

	(void)state;
	buf_init(&out, TEXT_MAX_BYTES);
	assert_int_equal(metrics_render(&out), OK);
	for (char *at = strstr(out.data, "# TYPE "); at != NULL; at = strstr(at + 1, "# TYPE ")) {
		char head[100];
		size_t len = strcspn(at + 7, " ") + 8;

		assert_true(len + 7 < sizeof(head));
		memcpy(head, at, len + 7);
		head[len + 7] = '\0';
		assert_null(strstr(at + 1, head));
		heads++;
	}
	assert_true(heads > 20);
	buf_release(&out);
}

static void rendering_reports_what_it_lacks(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 300);
	assert_int_equal(metrics_render(&out), ERR_TOO_LARGE);
	buf_release(&out);
	buf_init(&out, TEXT_MAX_BYTES);
	for (size_t nth = 1; nth <= 3; nth++) {
		mem_fail_at(nth);
		assert_int_equal(metrics_render(&out), ERR_NO_MEMORY);
		buf_release(&out);
	}
	mem_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts_and_gauges_are_rendered, begin),
		cmocka_unit_test_setup(histograms_are_cumulative, begin),
		cmocka_unit_test_setup(every_family_has_one_head, begin),
		cmocka_unit_test_setup(rendering_reports_what_it_lacks, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
