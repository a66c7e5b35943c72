"""Judges an article that Longhand wrote: figures, and whether they are good enough.

usage: article_check.py TEXT.md REPORT.json --subject WORD [--within PERCENT]

The text has a `## title` line before each section; the report is what `longhand write --report`
wrote. Prints one line a figure and exits with 1 when one of them is not good enough.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import sys

HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
REUSE_MAX = 0.01
NAMED_MIN = 0.8
GRAM_WORDS = 5

# What a text says of itself instead of its subject. Written from what the embedded model said in
# the many texts it was measured with; each one is out of place in an article.
META = (
    r"\b(in|of) (this|the following|our|my) (\w+ )?(article|essay|piece|section|post|text)\b",
    r"\b(this|the following|our|my) (\w+ )?(article|essay|section|blog post|text)\b",
    r"\b(the|this) (article|essay|blog post|section|author) "
    r"(begins|starts|ends|concludes|explores|delves|highlights|discusses|covers|will)\b",
    r"\b\d[\d,]*[- ]words?\b",
    r"\bas an? (ai|artificial intelligence|language model)\b",
    r"\bI('m| am) (sorry|excited|happy|ready|glad) to\b",
    r"\bI (hope|cannot|can't|will now|will explore|will delve)\b",
    r"^\W*(sure|certainly|of course)[!,]",
    r"^\W*here('s| is| are) (a|an|the|some|my|your)\b.*:",
    r"^\W*(title|introduction|section \d+|paragraph \d+)\W*(:|$)",
    r"^\W*(in conclusion|in summary|to summarize|to conclude)\b",
    r"</?think>",
)
META_PATTERN = re.compile("|".join(META), re.I)
SENTENCE = re.compile(r"[^.!?\n]*[.!?]+[\"”’')\]*]*|[^.!?\n]+")
FINISHED = re.compile(r"[.!?…][\"”’')\]*]*$")


@dataclasses.dataclass
class Section:
    title: str
    text: str


@dataclasses.dataclass
class Figures:
    words: int
    words_off: float  # share of the target
    sections: int
    titles: int  # distinct ones
    reuse: float  # share of 5-grams that an earlier section has
    named: float  # share of the sections that name the subject
    meta: list[str]
    is_finished: bool


def split_sections(text: str) -> list[Section]:
    """The sections as the headings cut them; text before the first one is a section too."""
    parts = HEADING.split(text)
    sections = [Section("", parts[0].strip())] if parts[0].strip() else []
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        sections.append(Section(title, body.strip()))
    return sections


def count_words(text: str) -> int:
    """Runs between spaces that hold a letter or digit: the natural count, for English."""
    return sum(any(c.isalnum() for c in run) for run in text.split())


def grams(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+(?:['’]\w+)?", text.lower())
    return [tuple(words[i : i + GRAM_WORDS]) for i in range(len(words) - GRAM_WORDS + 1)]


def reuse_across(sections: list[Section]) -> float:
    """The share of 5-grams of the whole text that stand in an earlier section already."""
    earlier: set[tuple[str, ...]] = set()
    used = total = 0
    for section in sections:
        own = grams(section.text)
        used += sum(gram in earlier for gram in own)
        total += len(own)
        earlier.update(own)
    return used / total if total else 0.0


def meta_talk(sections: list[Section]) -> list[str]:
    found = []
    for section in sections:
        for sentence in SENTENCE.findall(section.text):
            if META_PATTERN.search(sentence.strip()):
                found.append(sentence.strip())
    return found


def title_key(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.lower()))


def measure(text: str, report: dict, subject: str) -> Figures:
    """The figures of one text; words (headings too) are the report's, which the text must bear out."""
    sections = split_sections(text)
    words = report["words"]
    counted = count_words(text)
    if abs(counted - words) > 0.01 * counted:
        raise ValueError(f"the report says {words} words, the text has {counted}")
    named = [subject.lower() in section.text.lower() for section in sections]
    return Figures(
        words=words,
        words_off=words / report["target_words"] - 1,
        sections=len(sections),
        titles=len({title_key(section.title) for section in sections}),
        reuse=reuse_across(sections),
        named=sum(named) / len(named) if named else 0.0,
        meta=meta_talk(sections),
        is_finished=bool(sections) and bool(FINISHED.search(sections[-1].text)),
    )


def faults(figures: Figures, within: float) -> list[str]:
    """What is not good enough, in words."""
    out = []
    if abs(figures.words_off) > within:
        out.append(f"{figures.words_off:+.1%} words")
    if figures.titles < figures.sections:
        out.append(f"{figures.sections - figures.titles} titles that stand there already")
    if figures.reuse > REUSE_MAX:
        out.append(f"{figures.reuse:.2%} of the 5-grams stand in an earlier section")
    if figures.named < NAMED_MIN:
        out.append(f"only {figures.named:.0%} of the sections name the subject")
    if figures.meta:
        out.append(f"talks about itself: {figures.meta[0]!r}")
    if not figures.is_finished:
        out.append("breaks off")
    return out


def line_of(figures: Figures) -> str:
    return (
        f"{figures.words} words ({figures.words_off:+.1%}), "
        f"{figures.titles}/{figures.sections} distinct titles, "
        f"5-gram reuse {figures.reuse:.2%}, subject in {figures.named:.0%}, "
        f"meta talk {len(figures.meta)}, {'finished' if figures.is_finished else 'broken off'}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Figures of an article that Longhand wrote.")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--subject", required=True, help="word that every section should have")
    parser.add_argument("--within", type=float, default=2.0, help="percent off the target")
    args = parser.parse_args()
    report = json.loads(args.report.read_text(encoding="utf-8"))
    figures = measure(args.text.read_text(encoding="utf-8"), report, args.subject)
    print(line_of(figures))
    bad = faults(figures, args.within / 100)
    for fault in bad:
        print(f"  not good enough: {fault}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
