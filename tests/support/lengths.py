"""How well texts have the length that was asked for: LongBench-Write's count and score, our bound.

Everything here is computed from the text alone, beside the server's own figures. A row is
{"prompt", "type", "length"}; what came of it is a Written.
"""

import dataclasses
import json
import pathlib
import re
import statistics

from chat import request, stream

CJK = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b[a-zA-Z]+\b")
SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]+|[^.!?。！？\n]+$")
ANY_LENGTH = 1 << 60
# The benchmark's bins of words asked; texts beyond them, from LongWrite-Ruler, have one more.
BINS = (
    ("[0, 500)", 0, 500),
    ("[500, 2000)", 500, 2000),
    ("[2000, 4000)", 2000, 4000),
    ("[4000, 20000]", 4000, 20001),
    ("above 20000", 20001, ANY_LENGTH),
    ("all", 0, ANY_LENGTH),
)
# A model that writes 0.5 to 1.6 times what it was asked for, drawn anew for each call.
UNEVEN = {"factor": [0.5, 1.6]}
PROMPT_SCORE_MIN = 97.0
TARGET_SCORE_MIN = 99.3


def count_benchmark(text):
    """The words of a text as LongBench-Write counts them."""
    return len(CJK.findall(text)) + len(ENGLISH.findall(text))


def length_score(asked, written):
    """LongBench-Write's S_l, 0 to 100."""
    if written == 0:
        return 0.0
    if written > asked:
        return 100 * max(0.0, 1 - (written / asked - 1) / 3)
    return 100 * max(0.0, 1 - (asked / written - 1) / 2)


def read_rows(path):
    """The rows of a file, one JSON object a line."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def longest_sentence(text, last_words):
    """Words of the longest sentence among the last so many words of the text."""
    longest = 0
    for sentence in reversed(SENTENCE.findall(text)):
        if last_words <= 0:
            break
        words = count_benchmark(sentence)
        longest = max(longest, words)
        last_words -= words
    return longest


@dataclasses.dataclass
class Written:
    """One row's text, as it came."""

    row: int
    asked: int  # words, by the row
    text: str
    finish: str
    report: dict | None  # None: no length was found in it, and it passed through

    @property
    def words(self):
        """Its words by the benchmark's count."""
        return count_benchmark(self.text)

    @property
    def score(self):
        """S_l against the row."""
        return length_score(self.asked, self.words)

    @property
    def target(self):
        """The words that it was to have, as the server read it."""
        return self.report["target_words"] if self.report else 0

    @property
    def off(self):
        """How far it is from that."""
        return abs(self.words - self.target)

    @property
    def narrow_bound(self):
        """2%, 12 words or 16 characters, whichever is most."""
        least = 16 if len(CJK.findall(self.text)) * 2 > self.words else 12
        return max(0.02 * self.target, least)

    @property
    def bound(self):
        """How far it may be off: as above, or half of the last section's longest sentence."""
        last_section = self.report["sections"][-1]["words"]
        return max(self.narrow_bound, longest_sentence(self.text, last_section) / 2)

    @property
    def is_within_bound(self):
        """Whether it is no farther from what it was to be."""
        return self.report is not None and self.off <= self.bound

    @property
    def fault(self):
        """What is wrong with it, besides its length; None when nothing is."""
        if self.finish != "stop":
            return f"finish reason {self.finish}"
        if self.report and self.words != self.report["words_benchmark"]:
            return f"{self.words} words, the report says {self.report['words_benchmark']}"
        return None


def write_row(daemon, number, row, has_target):
    """Has one row written, from its prompt alone or with its length as target_words."""
    option = {"count": "benchmark"}
    if has_target:
        option["target_words"] = row["length"]
    chunks = stream(daemon, request(row["prompt"], longhand=option))
    if chunks.error:
        raise RuntimeError(f"row {number}: {chunks.error}")
    return Written(number, row["length"], chunks.text, chunks.finish, chunks.report)


def mean_score(texts):
    """The benchmark's S_l: the mean over the rows."""
    return statistics.fmean(text.score for text in texts)


def missed(texts, has_target):
    """The thresholds that these texts miss, as lines; none: all is well."""
    score_min = TARGET_SCORE_MIN if has_target else PROMPT_SCORE_MIN
    lines = [f"row {t.row}: {t.fault}" for t in texts if t.fault]
    if mean_score(texts) < score_min:
        lines.append(f"mean S_l {mean_score(texts):.2f} is below {score_min}")
    if has_target:
        lines += [f"row {t.row}: passed through" for t in texts if t.report is None]
        lines += [
            f"row {t.row}: {t.words} words for {t.target}, beyond the bound of {t.bound:.0f}"
            for t in texts
            if t.report and not t.is_within_bound
        ]
    return lines
