"""Can it be told whether words spoken over an answer were meant for the assistant? Rules against the model's opinion.

    run_overlaps(settings) -> table: every sentence, and how well each way of telling parts the two kinds

Ways of telling: the rules of addressee.py; the share of yes when the model is asked on the live memory, in three
wordings; and the gain, in log probability a token, that the conversation gives to the words as the user's next turn
(pointwise mutual information). The last two are experiments: the floor goes by the rules alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from ..addressee import is_for_others
from ..reasoning.cache_view import View, views_from_picture
from ..reasoning.engine import Engine, Feed
from ..reasoning.prompts import Prompts
from ..reasoning.sampling import TokenSet
from ..settings import Settings
from .roc import Moment, area_under_curve
from .subject import Subject

VIEWS = """
    user      [preamble][user>
    thinker   [preamble][user][thoughts>
    writer    [preamble][user][thoughts][spoken>
    asked     [preamble][user][thoughts][spoken][heard>
    alone     [preamble][heard>
"""
QUESTIONS = {
    "meant for you?": 'Somebody in the room has just said: "{}" Was that meant for you? Yes or no?',
    "concerns it?": 'While you spoke, this was heard: "{}" Does it concern my question or your answer? Yes or no?',
    "about this?": (
        'The microphone has just heard: "{}" It may be somebody else or the television. '
        "Is it about what we are talking about? Yes or no?"
    ),
}
GAIN = "gain by context"
GREETING = "Hello."  # what the words follow where there was no conversation


@dataclass(frozen=True)
class Situation:
    """An answer in mid-sentence, and what its listener may say into it."""

    name: str
    question: str
    thoughts: str
    spoken: str
    sayings: tuple[str, ...]


SITUATIONS = (
    Situation(
        "train",
        "A train travels sixty kilometers in forty-five minutes. How fast is it going?",
        "\nTo find the speed, divide the distance by the time. The distance is 60 kilometers. The time is 45 minutes, "
        "which is 45 / 60 = 0.75 hours. So the speed is 60 / 0.75",
        "I am dividing the distance by the time. Forty-five minutes are three quarters",
        (
            "Sorry, I meant ninety kilometers.",
            "No, it was fifty minutes.",
            "In miles per hour, please.",
            "It stops twice on the way.",
            "How far does it get in two hours?",
            "The distance is wrong.",
            "It takes an hour, actually.",
            "Can you say that more slowly?",
            "And what about a car?",
            "Use meters per second instead.",
            "It's a freight train.",
            "The train leaves at noon.",
            "The other train.",
            "My daddy's train, the fast one.",
        ),
    ),
    Situation(
        "tides",
        "Please explain, in a few sentences, why the sea has tides.",
        "\nThe tides are caused by the gravity of the moon and the sun. First, the moon pulls the water on the near "
        "side more strongly than the earth as a whole. Second, on the far side",
        "I am thinking about how the moon pulls the water. The sea rises where",
        (
            "Why are there two a day?",
            "I mean the Mediterranean.",
            "Keep it simple, it's for a child.",
            "What does the sun do?",
            "Leave out the sun.",
            "No, I asked about waves.",
            "Is it the same in lakes?",
            "I already know about the moon.",
            "That doesn't make sense.",
            "Use an example from France.",
            "And the weather?",
        ),
    ),
)
FOR_OTHERS = (
    "Darling, could you turn the oven off?",
    "Lunch is ready, everyone!",
    "Dad, look what I found!",
    "The chancellor met union leaders in Berlin this morning.",
    "I have to go, talk to you later.",
    "Stay tuned, we'll be right back after this.",
    "Who left the window open?",
    "Give it back, that's mine!",
    "Hello, Peter, come in, come in.",
    "The match ended in a draw.",
    "Good boy, sit!",
    "Somebody's at the door.",
    "I'll call you back tonight.",
    "Are you coming to bed?",
    "My mother is visiting on Sunday.",
    "Kids, put your shoes on.",
    "And the winner is the lady from Ohio.",
    "What do you want for dinner, honey?",
    "Ladies and gentlemen, please welcome our next guest.",
    "I told him to bring wine.",
)


@dataclass(frozen=True)
class Told:
    """What each way of telling makes of one sentence; `scores`: higher where it was rather meant for the assistant."""

    situation: str
    text: str
    meant: bool
    for_others: bool  # by the rules
    scores: dict[str, float]


def run_overlaps(settings: Settings) -> None:
    """Ask about every sentence in every situation and print the table.

    Raises:
        UnusableInput: the model is missing or unusable.
    """
    told = asyncio.run(_ask_all(Subject.load(settings)))
    console = Console(highlight=False)
    for made in (sentences_table(told), areas_table(told)):
        console.print(made, "")
    meant, others = ([t for t in told if t.meant is wanted] for wanted in (True, False))
    console.print(
        f"by rules: {sum(t.for_others for t in others)} of {len(others)} sentences for others are known as such, "
        f"{sum(t.for_others for t in meant)} of {len(meant)} that were meant are lost"
    )


async def _ask_all(subject: Subject) -> list[Told]:
    asker = _Asker(subject)
    await asker.read_in()
    told = []
    for situation in SITUATIONS:
        await asker.enter(situation)
        sentences = [*((text, True) for text in situation.sayings), *((text, False) for text in FOR_OTHERS)]
        for text, meant in sentences:
            by_rules = is_for_others(text, situation.spoken)
            told.append(Told(situation.name, text, meant, by_rules, await asker.scores(text)))
    return told


class _Asker:
    """One model in one situation after the other."""

    def __init__(self, subject: Subject) -> None:
        self._engine: Engine = subject.engine
        self._tokenizer = subject.tokenizer
        self._prompts = Prompts(subject.tokenizer)
        self._yes, self._no = TokenSet(self._prompts.yes), TokenSet(self._prompts.no)
        names = ("preamble", "user", "thoughts", "spoken", "heard")
        self._blocks = {name: self._engine.arena.new_block(name) for name in names}
        self._views = views_from_picture(VIEWS, self._blocks)
        self._next_turn = self._template(self._prompts.format.to_next_user)

    async def read_in(self) -> None:
        await self._feed(View((self._blocks["preamble"],)), self._prompts.preamble)

    async def enter(self, situation: Situation) -> None:
        p = self._prompts
        for name in ("user", "thoughts", "spoken"):
            self._blocks[name].truncate(0)
        await self._feed(self._views["user"], p.words(situation.question))
        await self._feed(self._views["thinker"], [*p.think_cue, *p.words(situation.thoughts)])
        await self._feed(self._views["writer"], [*p.close_thoughts, *p.progress_cue, *p.words(situation.spoken)])

    async def scores(self, text: str) -> dict[str, float]:
        return {name: await self._share_of_yes(asked, text) for name, asked in QUESTIONS.items()} | {
            GAIN: await self._gain(text)
        }

    async def _share_of_yes(self, question: str, text: str) -> float:
        before, _, after = question.partition("{}")
        f = self._prompts.format
        speaks = f.to_assistant + ("<think>\n\n</think>\n\n" if f.thinks else "")
        tokens = [*self._template(f.to_next_user + before), *self._prompts.words(text), *self._template(after + speaks)]
        yes, no = await self._ask("asked", tokens, self._yes_and_no)
        return float(yes / (yes + no))

    async def _gain(self, text: str) -> float:
        words = self._prompts.words(text)
        f = self._prompts.format
        greeted = [*self._template(GREETING + f.to_assistant + GREETING), *self._next_turn]

        def likelihood(logits: torch.Tensor) -> torch.Tensor:
            """(words, vocabulary), or (vocabulary,) for one -> (1,): mean log probability of the words."""
            rows = logits.reshape(len(words), -1).log_softmax(-1)
            said = torch.tensor(words, device=logits.device)
            return rows.gather(1, said[:, None]).mean()[None]

        there = await self._ask("asked", [*self._next_turn, *words[:-1]], likelihood, len(words))
        alone = await self._ask("alone", [*greeted, *words[:-1]], likelihood, len(words))
        return float(there[0] - alone[0])

    def _yes_and_no(self, logits: torch.Tensor) -> torch.Tensor:
        """(vocabulary,) -> (2,)"""
        probabilities = logits.softmax(-1)
        return torch.stack([self._yes.probability(probabilities), self._no.probability(probabilities)])

    async def _ask(
        self, view: str, tokens: Sequence[int], choose: Callable[[torch.Tensor], torch.Tensor], wanted: int = 1
    ) -> tuple[float, ...]:
        self._blocks["heard"].truncate(0)
        chosen: Any = await self._feed(self._views[view], tokens, choose, wanted)
        return tuple(chosen)

    async def _feed(
        self,
        view: View,
        tokens: Sequence[int],
        choose: Callable[[torch.Tensor], torch.Tensor] | None = None,
        wanted: int = 1,
    ) -> Any:
        (chosen,), _ = await self._engine.launch([Feed(view.own.name, view, tuple(tokens), choose, wanted)])
        return chosen

    def _template(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)


def sentences_table(told: Sequence[Told]) -> Table:
    """One row a sentence and situation."""
    table = _table("situation", "sentence", "meant", "by rules", *_ways(told))
    for t in told:
        scores = (f"{score:.2f}" for score in t.scores.values())
        table.add_row(
            t.situation, t.text, "yes" if t.meant else "no", "for others" if t.for_others else "taken in", *scores
        )
    return table


def areas_table(told: Sequence[Told]) -> Table:
    """The area under the curve of each score, by situation: 0.5 tells nothing, 1 tells everything."""
    table = _table("situation", "meant", "for others", *_ways(told))
    for situation in dict.fromkeys(t.situation for t in told):
        own = [t for t in told if t.situation == situation]
        areas = (area_under_curve([Moment(0, t.scores[way], t.meant) for t in own]) for way in _ways(told))
        meant = sum(t.meant for t in own)
        table.add_row(situation, str(meant), str(len(own) - meant), *(f"{area:.2f}" for area in areas))
    return table


def _ways(told: Sequence[Told]) -> list[str]:
    return list(told[0].scores)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
