"""Lengths as `make measure` measures them, for some of our own rows; and the measure itself."""

import json
import pathlib
import re

import pytest
from lengths import (
    UNEVEN,
    Written,
    count_benchmark,
    length_score,
    longest_sentence,
    mean_score,
    missed,
    read_rows,
    write_row,
)

DATA = pathlib.Path(__file__).parent.parent / "writing" / "data"
# English and Chinese, written in one call and planned, a hundred words and thousands.
ROWS = (2, 5, 7, 15, 22, 27)


def report(target, last_section):
    """What the measure reads of a report."""
    return {"target_words": target, "words_benchmark": last_section, "sections": [{"words": last_section}]}


def vectors(pattern):
    """The lines of the word-count vectors that are of this form, as match objects."""
    lines = (DATA / "word-count-vectors.txt").read_text(encoding="utf-8").splitlines()
    return [found for line in lines if (found := re.fullmatch(pattern, line))]


def test_the_count_is_the_benchmarks():
    """Vectors: text as JSON, (CJK characters, English words), their sum."""
    given = vectors(r'(?P<text>".*") \(\d+, \d+\) (?P<sum>\d+)')
    assert len(given) >= 20
    for vector in given:
        assert count_benchmark(json.loads(vector["text"])) == int(vector["sum"]), vector["text"]


def test_the_score_is_the_benchmarks():
    """Vectors: words asked, words written, S_l. Nothing written is 0."""
    given = vectors(r"(\d+) (\d+) ([\d.]+)")
    assert len(given) >= 10
    for asked, written, score in (vector.groups() for vector in given):
        assert length_score(int(asked), int(written)) == pytest.approx(float(score), abs=0.001)
    assert length_score(1000, 0) == 0


def test_only_the_last_sections_sentences_count():
    """A long sentence earlier in the text does not widen the bound."""
    text = "one two three four five six seven. Four words are here. Two words!"
    assert longest_sentence(text, 6) == 4
    assert longest_sentence(text, 13) == 7
    assert longest_sentence("四个字的。两字。", 6) == 4


def test_what_misses_is_told():
    """A text beyond its bound, one whose report miscounts, one cut off, one that passed through."""
    bad = [
        Written(1, 100, "Word. " * 130, "stop", report(100, 130)),
        Written(2, 100, "Word. " * 100, "stop", report(100, 99)),
        Written(3, 100, "Word. " * 100, "length", report(100, 100)),
        Written(4, 100, "Word. " * 100, "stop", None),
    ]
    lines = "\n".join(missed(bad, has_target=True))
    for said in ("row 1: 130 words for 100", "row 2: 100 words", "row 3: finish", "row 4: passed", "mean"):
        assert said in lines
    assert missed([Written(1, 100, "Word. " * 100, "stop", report(100, 100))], has_target=True) == []


@pytest.mark.parametrize("has_target", [False, True], ids=["prompt alone", "target_words"])
def test_rows_get_their_length(backend, start, has_target):
    """A model that writes half of what it is asked for, or half as much again."""
    rows = read_rows(DATA / "rows.jsonl")
    backend.script(**UNEVEN)
    daemon = start()
    texts = [write_row(daemon, number, rows[number - 1], has_target) for number in ROWS]
    assert missed(texts, has_target) == []
    assert {text.report["mode"] for text in texts} == {"single", "serial"}
    assert mean_score(texts) > 99
