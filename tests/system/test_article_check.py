"""The tool that judges articles finds what is bad in them, and nothing in a good one."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import article_check

FIRST = "Tea came to Europe by sea. Ships brought it from Canton in wooden chests."
SECOND = "A pot of tea wants water just off the boil. Green tea wants it cooler still."
GOOD = f"## Ships\n\n{FIRST}\n\n## Water\n\n{SECOND}\n"
NAMELESS = "Ships brought porcelain from Canton in wooden chests, packed in straw and sand."


def fault_list(text, target=None):
    words = article_check.count_words(text)
    report = {"words": words, "target_words": target or words}
    return article_check.faults(article_check.measure(text, report, "tea"), 0.02)


def test_a_good_article_has_no_faults():
    assert fault_list(GOOD) == []
    assert fault_list(f"{FIRST}\n\n{SECOND}") == [], "without headings it is one section"


@pytest.mark.parametrize(
    ("text", "target", "fault"),
    [
        (GOOD, 40, "words"),
        (GOOD.replace("## Water", "## SHIPS!"), None, "titles"),
        (GOOD.replace(SECOND, FIRST), None, "earlier section"),
        (GOOD.replace(FIRST, NAMELESS), None, "name the subject"),
        (GOOD.replace(FIRST, f"In this article, tea is explored. {FIRST}"), None, "itself"),
        (GOOD.replace(FIRST, f"Sure! {FIRST}"), None, "itself"),
        (GOOD.replace(FIRST, f"Here is a 30-word text: {FIRST}"), None, "itself"),
        (GOOD.replace(SECOND, f"{SECOND} In conclusion, tea is warm."), None, "itself"),
        (GOOD.replace("cooler still.", "cooler"), None, "breaks off"),
    ],
)
def test_each_fault_is_found(text, target, fault):
    found = fault_list(text, target)
    assert len(found) == 1, found
    assert fault in found[0]


def test_a_report_that_the_text_does_not_bear_out_is_refused():
    with pytest.raises(ValueError, match="the report says"):
        article_check.measure(GOOD, {"words": 900, "target_words": 900}, "tea")
