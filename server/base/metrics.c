#include "base/metrics.h"
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum metric_family {
#define X(family, kind, name, label, help) FAMILY_##family,
	METRIC_FAMILIES(X)
#undef X
};

struct family {
	const char *name;
	const char *kind;
	const char *label;
	const char *help;
};

struct series {
	enum metric_family family;
	const char *label_value;
};

static const struct family families[] = {
#define X(family, kind, name, label, help) { name, #kind, label, help },
	METRIC_FAMILIES(X)
#undef X
};

static const struct series all_series[] = {
#define X(series, family, value) { FAMILY_##family, value },
	METRIC_SERIES(X)
#undef X
};

static const struct {
	const char *name;
	const char *help;
} histogram_families[] = {
#define X(histogram, name, help) { name, help },
	METRIC_HISTOGRAMS(X)
#undef X
};

/* Upper bounds: one table for a first byte within a millisecond and for a job of an hour. */
static const uint64_t bounds_ms[] = {
	1,    2,    5,	  10,	 25,	50,    100,    250,    500,
	1000, 2500, 5000, 10000, 30000, 60000, 120000, 600000, 3600000
};
enum { BOUND_COUNT = sizeof(bounds_ms) / sizeof(bounds_ms[0]) };

struct histogram {
	uint64_t counts[BOUND_COUNT + 1]; /* the last: above all bounds */
	uint64_t sum_ms;
	uint64_t observations;
};

static uint64_t values[METRIC_COUNT];
static struct histogram histograms[METRIC_HISTOGRAM_COUNT];

void metric_add(enum metric metric, uint64_t amount)
{
	values[metric] += amount;
}

void metric_inc(enum metric metric)
{
	values[metric]++;
}

void metric_dec(enum metric metric)
{
	assert(values[metric] > 0);
	if (values[metric] > 0)
		values[metric]--;
}

void metric_set(enum metric metric, uint64_t value)
{
	values[metric] = value;
}

uint64_t metric_get(enum metric metric)
{
	return values[metric];
}

void metric_observe_ms(enum metric_histogram histogram, uint64_t elapsed_ms)
{
	struct histogram *to = &histograms[histogram];
	size_t bound = 0;

	while (bound < BOUND_COUNT && elapsed_ms > bounds_ms[bound])
		bound++;
	to->counts[bound]++;
	to->sum_ms += elapsed_ms;
	to->observations++;
}

uint64_t metric_observations(enum metric_histogram histogram)
{
	return histograms[histogram].observations;
}

static enum err render_head(struct buf *out, const char *name, const char *kind, const char *help)
{
	return buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static enum err render_series(struct buf *out, enum metric metric)
{
	const struct family *family = &families[all_series[metric].family];

	if (family->label == NULL)
		return buf_printf(out, "%s %" PRIu64 "\n", family->name, values[metric]);
	return buf_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", family->name, family->label,
			  all_series[metric].label_value, values[metric]);
}

static enum err render_seconds(struct buf *out, uint64_t ms)
{
	return buf_printf(out, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static enum err render_bucket(struct buf *out, const char *name, size_t bound, uint64_t count)
{
	enum err err = buf_printf(out, "%s_bucket{le=\"", name);

	if (err == OK && bound == BOUND_COUNT)
		err = buf_append_str(out, "+Inf");
	else if (err == OK)
		err = render_seconds(out, bounds_ms[bound]);
	return err != OK ? err : buf_printf(out, "\"} %" PRIu64 "\n", count);
}

static enum err render_histogram(struct buf *out, enum metric_histogram which)
{
	const struct histogram *histogram = &histograms[which];
	const char *name = histogram_families[which].name;
	enum err err = render_head(out, name, "histogram", histogram_families[which].help);
	uint64_t below = 0;

	for (size_t bound = 0; err == OK && bound <= BOUND_COUNT; bound++) {
		below += histogram->counts[bound];
		err = render_bucket(out, name, bound, below);
	}
	if (err == OK)
		err = buf_printf(out, "%s_sum ", name);
	if (err == OK)
		err = render_seconds(out, histogram->sum_ms);
	if (err == OK)
		err = buf_printf(out, "\n%s_count %" PRIu64 "\n", name, histogram->observations);
	return err;
}

enum err metrics_render(struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < METRIC_COUNT; i++) {
		const struct family *family = &families[all_series[i].family];

		if (i == 0 || all_series[i].family != all_series[i - 1].family)
			err = render_head(out, family->name, family->kind, family->help);
		if (err == OK)
			err = render_series(out, (enum metric)i);
	}
	for (size_t i = 0; err == OK && i < METRIC_HISTOGRAM_COUNT; i++)
		err = render_histogram(out, (enum metric_histogram)i);
	return err;
}

void metrics_reset(void)
{
	memset(values, 0, sizeof(values));
	memset(histograms, 0, sizeof(histograms));
}
