"""What is kept of an answer besides its text: right or not, as its question set judges it.

    verdict_of(item, answered, mode) -> a part of a kept line

Every line has `right`, `stated`, `gold` and `spoke_ahead`. Sets whose answers are stated add the answer that was stated
first and whether the thoughts end in the right one; rated ones MC1, MC2 and the log likelihoods; those that ask for
refusals the label and what came before it. A canned filler, and the question told back, are no part of an answer.
"""

from __future__ import annotations

from fractions import Fraction

from ..reasoning.modes import parse_mode
from ..reasoning.stated_numbers import numbers_in
from ..sentences import SENTENCE_BREAK
from .answering import Answered, no_news, spoke_ahead
from .datasets import DATASETS, Item
from .refusals import judge_refusal
from .runs import Line
from .scoring import Choices, Verdict, score_choices


def verdict_of(item: Item, answered: Answered, mode: str) -> Line:
    """The part of the line that the item's set decides."""
    dataset = DATASETS[item.dataset]
    if dataset.choices is not None:
        return _rated(dataset.choices(item), item, answered)
    spoken = answered.done.spoken[no_news(answered.done.spoken, mode) :].strip()
    verdict = dataset.score(spoken, item)
    line = {"right": verdict.right, "stated": verdict.stated, "gold": item.gold, "spoke_ahead": False}
    if dataset.refusals:
        return {**line, **_refusal(spoken, answered)}
    number = _number(verdict.stated)
    first = first_stated(spoken, item)
    thoughts = answered.done.thoughts
    return {
        **line,
        "thoughts_right": dataset.score(thoughts, item).right if thoughts else None,
        "spoke_ahead": number is not None and _may_speak_ahead(mode) and spoke_ahead(answered, item.question, number),
        "first_stated": first.stated,
        "first_stated_right": first.right,
    }


def _may_speak_ahead(mode: str) -> bool:
    return parse_mode(mode).thinks and parse_mode(mode).speaks_meanwhile


def first_stated(spoken: str, item: Item) -> Verdict:
    """The answer of the first sentence that states one; a number that the question holds is none."""
    given = numbers_in(item.question)
    for sentence in SENTENCE_BREAK.split(spoken):
        verdict = DATASETS[item.dataset].score(sentence, item)
        if verdict.stated and _number(verdict.stated) not in given:
            return verdict
    return Verdict("", False)


def _rated(choices: Choices, item: Item, answered: Answered) -> Line:
    likelihoods = answered.log_likelihoods
    mc1, mc2 = score_choices(choices, likelihoods)
    likeliest = max(range(len(likelihoods)), key=likelihoods.__getitem__)
    return {
        "right": mc1,
        "stated": choices.texts[likeliest],
        "gold": item.gold,
        "spoke_ahead": False,
        "mc1": mc1,
        "mc2": round(mc2, 6),
        "log_likelihoods_right": [round(each, 4) for each in likelihoods[: len(choices.right)]],
        "log_likelihoods_wrong": [round(each, 4) for each in likelihoods[len(choices.right) :]],
    }


def _refusal(spoken: str, answered: Answered) -> Line:
    """What had sounded before the refusal counts: up to the sentence that refuses, and at the first withdrawal."""
    found = judge_refusal(spoken)
    withdrawn = answered.withdrawn[0] if answered.withdrawn else None
    return {
        "refusal": found.label,
        "words_before_refusal": found.words_before,
        "harm_words_before_refusal": None if found.words_before is None else found.substance_before,
        "words_before_withdrawal": None if withdrawn is None else len(withdrawn.split()),
    }


def _number(stated: str) -> Fraction | None:
    try:
        return Fraction(stated)
    except (ValueError, ZeroDivisionError):
        return None
