"""Has the demo's article written for several seeds and prints its figures.

usage: measure_demo.py [--seeds 1 2 3 4 5] [--request TEXT] [--subject WORD] [--keep DIR]
                       [--server URL]

Starts the embedded local model and build/longhandd (or takes the one at --server), has each article
written by `build/longhand write`, and judges it with article_check. Exits with 1 when one article is
not good enough.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import article_check

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import daemon  # noqa: E402
import local_model  # noqa: E402

REQUEST = "Write a 1,000-word article about coffee."
WRITE_S = 900
WITHIN = 0.02


def write_article(server: str, request: str, seed: int, into: pathlib.Path):
    """One article by the command-line client; its text, its report and the seconds it took."""
    text, report = into / f"article-{seed}.md", into / f"article-{seed}.json"
    start = time.monotonic()
    done = subprocess.run(
        [ROOT / "build" / "longhand", "write", request, "--server", server, "--seed", str(seed)]
        + ["--quiet", "--out", text, "--report", report],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WRITE_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"seed {seed}: exit code {done.returncode}\n{done.stderr}")
    seconds = time.monotonic() - start
    return (
        text.read_text(encoding="utf-8"),
        json.loads(report.read_text(encoding="utf-8")),
        seconds,
    )


def measure_seeds(server: str, args: argparse.Namespace, into: pathlib.Path) -> int:
    """Prints the figures of every seed; the number of articles that are not good enough."""
    bad_articles = 0
    for seed in args.seeds:
        text, report, seconds = write_article(server, args.request, seed, into)
        figures = article_check.measure(text, report, args.subject)
        bad = article_check.faults(figures, WITHIN)
        bad_articles += bool(bad)
        print(
            f"seed {seed}: {article_check.line_of(figures)}, {report['calls']} calls, "
            f"{seconds:.0f} s",
            flush=True,
        )
        for fault in bad:
            print(f"  not good enough: {fault}", flush=True)
    print(f"{len(args.seeds) - bad_articles} of {len(args.seeds)} articles are good enough")
    return bad_articles


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The demo's article, measured for several seeds.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--request", default=REQUEST)
    parser.add_argument("--subject", default="coffee", help="word that every section should have")
    parser.add_argument("--keep", type=pathlib.Path, help="directory for the texts and reports")
    parser.add_argument("--server", help="a longhandd that runs already, with /v1")
    return parser.parse_args()


def with_own_server(args: argparse.Namespace, into: pathlib.Path) -> int:
    daemon.BINARY = str(ROOT / "build" / "longhandd")
    model = local_model.LocalModel()
    try:
        server = daemon.Daemon(model.url, *local_model.FLAGS)
        try:
            return measure_seeds(server.base_url(), args, into)
        finally:
            server.stop()
    finally:
        model.stop()


def main() -> int:
    args = parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        into = args.keep or pathlib.Path(temporary)
        into.mkdir(parents=True, exist_ok=True)
        if args.server:
            return 1 if measure_seeds(args.server, args, into) else 0
        return 1 if with_own_server(args, into) else 0


if __name__ == "__main__":
    sys.exit(main())
