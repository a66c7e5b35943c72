#!/usr/bin/env python3
"""Measures how well longhandd hits lengths, with a scripted model that over- and underwrites.

    make measure [ROWS=FILE.jsonl] [MEASURE="--jobs 4 --worst 5"]

Each row {"prompt", "type", "length"} is written twice through model `longhand` with `"count":
"benchmark"`: from the prompt alone, and with `target_words` set to the row's length. Prints the
length score S_l of LongBench-Write by bin and the worst rows, whether every text is within the
bound, what it took, how lengths are read from the prompts, and what is planned on a plain model id.
Exit code 1: a threshold is missed.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

from chat import request
from daemon import Daemon
from lengths import BINS, UNEVEN, mean_score, missed, read_rows, write_row
from scripted import ScriptedBackend

DEMAND_SHARE_MIN = 58 / 60
PLANNED_SHARE_MIN = 0.95
DEMAND_FIGURES = re.compile(r"label: (\d+) of (\d+); of (\d+) rows of .*?, (\d+) planned")
PLAIN_MODEL = "scripted-model"
PASSING = pathlib.Path(__file__).parent.parent / "writing" / "data" / "passing.jsonl"
LONG_WORDS = 1000
PASSES = (("prompt alone", False), ("with target_words", True))


def write_all(daemon, rows, jobs, has_target):
    """The texts of all rows, several at once."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(
            pool.map(
                lambda numbered: write_row(daemon, *numbered, has_target), enumerate(rows, start=1)
            )
        )


def print_scores(passes):
    """S_l by bin and over all."""
    print(f"{'words asked':<16}{'rows':>5}" + "".join(f"{name:>28}" for name, _ in PASSES))
    print(" " * 21 + f"{'mean S_l':>18}{'lowest':>10}" * len(PASSES))
    for name, low, high in BINS:
        chosen = [[t for t in texts if low <= t.asked < high] for texts in passes]
        if not chosen[0]:
            continue
        line = f"{name:<16}{len(chosen[0]):>5}"
        for texts in chosen:
            line += f"{mean_score(texts):>18.2f}{min(t.score for t in texts):>10.2f}"
        print(line)


def print_costs(passes):
    """The bound, and what it took to keep to it."""
    figures = []
    for texts in passes:
        planned = [t for t in texts if t.report]
        reports = [t.report for t in planned]
        sections = [s for r in reports for s in r["sections"]]
        words = sum(t.words for t in planned)
        discarded = sum(r["words_discarded"] for r in reports)
        ended = sum(r["sections_ended_by_us"] for r in reports)
        modes = [r["mode"] for r in reports]
        figures.append(
            {
                "within 2%, 12 words or 16 characters": f"{sum(t.off <= t.narrow_bound for t in planned)} of {len(texts)}",
                "... or half the longest last sentence": f"{sum(t.is_within_bound for t in planned)} of {len(texts)}",
                "in one call / planned / passed through": f"{modes.count('single')} / {modes.count('serial')} / {len(texts) - len(planned)}",
                "words delivered": f"{words:,}",
                "words discarded": f"{discarded:,} ({discarded / words:.1%})",
                "sections": f"{len(sections):,}",
                "sections ended by us": f"{ended:,} ({ended / len(sections):.1%})",
                "calls per section": f"{sum(s['calls'] for s in sections) / len(sections):.2f}",
                "tokens written per word delivered": f"{sum(r['usage']['completion_tokens'] for r in reports) / words:.2f}",
                "texts with something unmet": f"{sum(bool(r['unmet']) for r in reports)}",
            }
        )
    for name in figures[0]:
        print(f"{name:<40}" + "".join(f"{figure[name]:>20}" for figure in figures))


def print_worst(passes, worst):
    """The rows with the lowest scores."""
    for (name, _), texts in zip(PASSES, passes, strict=True):
        print(f"\nworst rows, {name}:")
        for text in sorted(texts, key=lambda t: t.score)[:worst]:
            print(
                f"  row {text.row:>3}: S_l {text.score:6.2f}  asked {text.asked:>6}  "
                f"target {text.target or 'none':>6}  written {text.words:>6}"
            )


def print_demand(program, path):
    """What the demand report says; returns the thresholds missed."""
    done = subprocess.run([program, path], capture_output=True, text=True, check=True)
    print(f"\nlengths read from the prompts:\n{done.stdout}", end="")
    near, rows, long_rows, planned = map(int, DEMAND_FIGURES.search(done.stdout).groups())
    lines = []
    if near < DEMAND_SHARE_MIN * rows:
        lines.append(f"only {near} of {rows} lengths are read within 10% of the label")
    if planned < PLANNED_SHARE_MIN * long_rows:
        lines.append(f"only {planned} of {long_rows} long rows would be planned")
    return lines


def count_planned(daemon, prompts, jobs):
    """How many of these prompts are planned on the backend's own model id."""

    def is_planned(prompt):
        answer = daemon.chat(request(prompt, model=PLAIN_MODEL))
        answer.read()
        answer.close()
        return answer.status == 200 and "x-longhand-job" in answer.headers

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return sum(pool.map(is_planned, prompts))


def print_planned(daemon, rows, passing, jobs):
    """Which requests the server itself plans on a plain model id; the thresholds missed."""
    long_rows = [row["prompt"] for row in rows if row["length"] >= LONG_WORDS]
    others = [row["text"] for row in passing]
    planned = count_planned(daemon, long_rows, jobs), count_planned(daemon, others, jobs)
    print(
        f"planned on a plain model id: {planned[0]} of {len(long_rows)} rows of {LONG_WORDS} words "
        f"or more, {planned[1]} of {len(others)} requests that must pass"
    )
    lines = []
    if planned[0] < PLANNED_SHARE_MIN * len(long_rows):
        lines.append(f"only {planned[0]} of {len(long_rows)} long rows are planned")
    if planned[1] > 0:
        lines.append(f"{planned[1]} of {len(others)} requests that must pass are planned")
    return lines


def measure(rows, passing, jobs, seed):
    """The texts of both passes, and the thresholds of routing missed, from servers of our own."""
    backend = ScriptedBackend()
    daemon = None
    try:
        backend.script(**UNEVEN, top={"keep_requests": False, "seed": seed})
        daemon = Daemon(backend.url)
        lines = print_planned(daemon, rows, passing, jobs)
        return [write_all(daemon, rows, jobs, has_target) for _, has_target in PASSES], lines
    finally:
        if daemon:
            daemon.stop()
        backend.stop()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("rows", help="JSON lines with prompt, type and length")
    parser.add_argument("--demand-report", help="the program that reads lengths from prompts")
    parser.add_argument(
        "--passing", default=PASSING, help="JSON lines with text: never planned on a plain id"
    )
    parser.add_argument("--jobs", type=int, default=4, help="texts written at once")
    parser.add_argument("--seed", type=int, default=1, help="of the model's prose and lengths")
    parser.add_argument("--worst", type=int, default=5, help="rows to name")
    args = parser.parse_args()
    rows = read_rows(args.rows)
    low, high = UNEVEN["factor"]
    print(f"{len(rows)} rows; the model writes {low} to {high} times what it is asked for\n")
    passes, lines = measure(rows, read_rows(args.passing), args.jobs, args.seed)
    print()
    print_scores(passes)
    print()
    print_costs(passes)
    print_worst(passes, args.worst)
    for (name, has_target), texts in zip(PASSES, passes, strict=True):
        lines += [f"{name}: {line}" for line in missed(texts, has_target)]
    if args.demand_report:
        lines += print_demand(args.demand_report, args.rows)
    print("\n" + ("\n".join(["MISSED:", *lines]) if lines else "all thresholds are met"))
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
