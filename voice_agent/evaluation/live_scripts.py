"""The conversations whose real-time figures are taken: a table of scenarios, as evaluation/suite.py has it.

    scenarios(minutes) -> entries for make_suite

Questions of all lengths are asked alone; answers are spoken over by stop words, corrections, back-channels and noises,
each at its own moment; and one long conversation goes through all the questions until its minutes are over. The first
word of a name says what the scenario is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

Entry = dict[str, Any]

QUESTIONS = (
    "How fast does sound travel in air?",
    "A train travels sixty kilometers in forty five minutes, how fast is it going?",
    "Please explain, in a few sentences, why the sea has tides.",
    "I buy three bags with twelve apples each and give away nine, so how many are left?",
    "What is twelve times eleven?",
    "A shirt costs forty dollars and it is twenty percent off, what do I pay?",
    "Can you explain why the sky is blue?",
    "If a farmer has seventeen sheep and buys eight more, how many legs do they have together?",
    "How do you spell necessary?",
    "My sister is three years older than my brother, who is twelve, so how old is she?",
    "A baker sells eighteen loaves in the morning and twice as many in the afternoon. Each loaf costs three dollars. "
    "How much money does he make?",
    "Why does the moon have phases?",
    "There are thirty students in my class and each table has room for four. How many tables do I need?",
    "What happens when water boils?",
    "A pool holds six hundred liters, and a hose fills forty liters a minute. How long does it take to fill the pool?",
    "Which is heavier, a pound of feathers or a pound of gold?",
    "Anna reads twenty pages a day. Her book has three hundred and forty pages, and she has read sixty of them. In how "
    "many days will she finish it?",
    "Tell me how a violin makes its sound.",
    "How many minutes are there in a week?",
    "I drive ninety kilometers in the first hour and sixty in the second. What is my average speed?",
)
LONG_ANSWERS = (
    "Please explain, in a few sentences, why the sea has tides.",
    "Please tell me, in a few sentences, why the sky is blue in the day and red in the evening.",
    "Please tell me, in a few sentences, how bread is made.",
    "Please explain, in a few sentences, how a violin makes its sound.",
)
STOPS = ("Stop.", "Okay, stop please.", "Hold on.", "Wait a minute.", "Stop talking.")
CORRECTIONS = (
    (QUESTIONS[1], "Sorry, I meant, ninety kilometers."),
    (QUESTIONS[3], "Wait, sorry, I meant four bags."),
    (QUESTIONS[5], "No, it costs fifty dollars."),
    (QUESTIONS[14], "Actually, the pool holds eight hundred liters."),
    (QUESTIONS[9], "Sorry, he is fourteen."),
)
BACK_CHANNELS = ("Uh huh.", "Right.", "Okay.", "Yeah.", "I see.")
NOISES = ("cough", "door", "typing", "breath")
STOP_TIMES, CORRECTION_TIMES, FALSE_ALARM_TIMES = 20, 10, 12
ASKED_S = 0.5
BETWEEN_TURNS_S = 1.0


def scenarios(minutes: float, times: float = 1.0) -> list[Entry]:
    """All entries; `times` of each kind, 1: enough for figures. minutes: of the long conversation, 0: none."""

    def some(entries: Iterator[Entry], wanted: int) -> list[Entry]:
        return list(islice(entries, max(1, round(times * wanted))))

    return [
        *some(_questions(), len(QUESTIONS)),
        *some(_stops(), STOP_TIMES),
        *some(_corrections(), CORRECTION_TIMES),
        *some(_false_alarms(), FALSE_ALARM_TIMES),
        *([_long(minutes)] if minutes else []),
    ]


def _questions() -> Iterator[Entry]:
    for number, text in enumerate(QUESTIONS):
        yield _entry("question", number, _ask(text))


def _stops() -> Iterator[Entry]:
    for number, (text, word) in enumerate(zip(cycle(LONG_ANSWERS), cycle(STOPS), strict=False)):
        over = {"say": word, "after": f"assistant_audio + {_moment(number)}", "means": "stop"}
        yield _entry("stop", number, _ask(text), over)


def _corrections() -> Iterator[Entry]:
    for number, (text, words) in enumerate(cycle(CORRECTIONS)):
        over = {"say": words, "after": f"assistant_audio + {_moment(number)}", "means": "correction"}
        yield _entry("correction", number, _ask(text), over)


def _false_alarms() -> Iterator[Entry]:
    """A back-channel and a noise over each answer."""
    for number, (text, words, noise) in enumerate(
        zip(cycle(LONG_ANSWERS), cycle(BACK_CHANNELS), cycle(NOISES), strict=False)
    ):
        spoken = {"say": words, "after": f"assistant_audio + {_moment(number)}", "means": "back-channel"}
        yield _entry("alarm", number, _ask(text), spoken, {"sound": noise, "after": "user_end + 2.0"})


def _long(minutes: float) -> Entry:
    """Question after question, every fourth answer with a back-channel in it; more than there is time for."""
    items = [_ask(QUESTIONS[0])]
    for number, text in enumerate(islice(cycle(QUESTIONS), 1, round(12 * minutes) + 2)):
        if number % 4 == 1:
            items.append({"say": "Uh huh.", "after": "assistant_audio + 0.5", "means": "back-channel"})
        items.append({"say": text, "after": f"assistant_end + {BETWEEN_TURNS_S}"})
    return {"name": f"long {minutes:g} minutes", "user": items, "lasts_s": 60.0 * minutes}


def _entry(kind: str, number: int, *user: Entry) -> Entry:
    return {"name": f"{kind} {number + 1:02d}", "user": list(user)}


def _ask(text: str) -> Entry:
    return {"say": text, "at": ASKED_S}


def _moment(number: int) -> float:
    """0.4 to 2.8 s after the answer's first sound."""
    return round(0.4 + 0.6 * (number * 2 % 5), 1)
