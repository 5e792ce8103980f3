"""Can it be told whether words spoken over an answer were meant for the assistant? Rules against the model's opinion.

    run_overlaps(settings) -> tables: every sentence, how well each score parts them, what the floor makes of them

Scores: the share of yes when the model is asked on the live memory, in three wordings (an experiment), and the gain of
reasoning/relevance.py, which the floor asks for. What the floor makes of a sentence is told by the floor itself.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from ..events import Interrupted, InterruptionKind, SpeechStarted, TypedLine, UtteranceRecognized
from ..floor import Floor
from ..floor_values import AskRelevance, Playing, RelevanceTold
from ..reasoning.cache_view import View, views_from_picture
from ..reasoning.engine import Engine, Feed
from ..reasoning.prompts import Prompts
from ..reasoning.relevance import RelevanceProbe
from ..reasoning.sampling import TokenSet
from ..settings import Floor as FloorSettings
from ..settings import Settings
from .overlap_sentences import GROUPS, Situation
from .roc import Moment, area_under_curve
from .subject import Subject

VIEWS = """
    user      [preamble][user>
    thinker   [preamble][user][thoughts>
    writer    [preamble][user][thoughts][spoken>
    asked     [preamble][user][thoughts][spoken][question>
    heard     [preamble][user][thoughts][spoken][heard>
    overheard [preamble][overheard>
"""
QUESTIONS = {
    "meant for you?": 'Somebody in the room has just said: "{}" Was that meant for you? Yes or no?',
    "concerns it?": 'While you spoke, this was heard: "{}" Does it concern my question or your answer? Yes or no?',
    "about this?": (
        'The microphone has just heard: "{}" It may be somebody else or the television. '
        "Is it about what we are talking about? Yes or no?"
    ),
}
GAIN = "gain"
THRESHOLDS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5)  # nats a token
WORD_S = 0.35  # spoken
HEARD_OUT = ("not-to-me", "back-channel", "noise", "echo")  # the answer goes on


@dataclass(frozen=True)
class Told:
    """What each way of telling makes of one sentence; `scores`: higher where it was rather meant for the assistant."""

    situation: Situation
    text: str
    meant: bool
    group: str
    scores: dict[str, float]


def judged(told: Told, settings: FloorSettings) -> tuple[InterruptionKind, bool]:
    """What the floor makes of the sentence, and whether it asked for the gain."""
    floor, playing = Floor(settings), Playing(1, told.situation.spoken)
    floor.push(TypedLine(told.situation.question))
    floor.push(SpeechStarted(0.0), playing)
    actions = floor.push(UtteranceRecognized(told.text, 0.0, WORD_S * len(told.text.split())), playing)
    asked = [action for action in actions if isinstance(action, AskRelevance)]
    for question in asked:
        actions = floor.push(RelevanceTold(question.number, told.scores[GAIN]), playing)
    (kind,) = (action.reason for action in actions if isinstance(action, Interrupted))
    return kind, bool(asked)


def run_overlaps(settings: Settings) -> None:
    """Ask about every sentence in every situation and print the tables.

    Raises:
        UnusableInput: the model is missing or unusable.
    """
    told = asyncio.run(_ask_all(Subject.load(settings)))
    console = Console(highlight=False)
    for made in (sentences_table(told, settings.floor), areas_table(told), counts_table(told, settings.floor)):
        console.print(made, "")


async def _ask_all(subject: Subject) -> list[Told]:
    asker = _Asker(subject)
    await asker.read_in()
    told = []
    for group, situations, for_others in GROUPS:
        for situation in situations:
            await asker.enter(situation)
            for text, meant in (*((text, True) for text in situation.sayings), *((text, False) for text in for_others)):
                told.append(Told(situation, text, meant, group, await asker.scores(text)))
    return told


class _Asker:
    """One model in one situation after the other."""

    def __init__(self, subject: Subject) -> None:
        self._engine: Engine = subject.engine
        self._tokenizer = subject.tokenizer
        self._prompts = Prompts(subject.tokenizer)
        self._yes, self._no = TokenSet(self._prompts.yes), TokenSet(self._prompts.no)
        names = ("preamble", "user", "thoughts", "spoken", "question", "heard", "overheard")
        self._blocks = {name: self._engine.arena.new_block(name) for name in names}
        self._views = views_from_picture(VIEWS, self._blocks)
        self._relevance = RelevanceProbe(self._views["overheard"], self._prompts)

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
        gains: list[float | None] = []
        self._relevance.ask(text, gains.append)
        rows = self._relevance.plan("heard", self._views["heard"], changes=0)
        chosen, _ = await self._engine.launch(rows)
        for row, (likelihood,) in zip(rows, chosen, strict=True):
            self._relevance.take(row.name, likelihood)
        (gain,) = gains
        assert gain is not None, "something was said"
        return gain

    def _yes_and_no(self, logits: torch.Tensor) -> torch.Tensor:
        """(vocabulary,) -> (2,)"""
        probabilities = logits.softmax(-1)
        return torch.stack([self._yes.probability(probabilities), self._no.probability(probabilities)])

    async def _ask(
        self, view: str, tokens: Sequence[int], choose: Callable[[torch.Tensor], torch.Tensor], wanted: int = 1
    ) -> tuple[float, ...]:
        self._blocks["question"].truncate(0)
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


def sentences_table(told: Sequence[Told], floor: FloorSettings) -> Table:
    """One row a sentence and situation."""
    table = _table("situation", "sentence", "meant", "floor", "asked", *_ways(told))
    for t in told:
        kind, asked = judged(t, floor)
        scores = (f"{score:.2f}" for score in t.scores.values())
        table.add_row(t.situation.name, t.text, _yes(t.meant), kind, _yes(asked), *scores)
    return table


def areas_table(told: Sequence[Told]) -> Table:
    """The area under the curve of each score, by situation: 0.5 tells nothing, 1 tells everything."""
    table = _table("situation", "sentences", "meant", "for others", *_ways(told))
    for name in dict.fromkeys(t.situation.name for t in told):
        own = [t for t in told if t.situation.name == name]
        areas = (area_under_curve([Moment(0, t.scores[way], t.meant) for t in own]) for way in _ways(told))
        meant = sum(t.meant for t in own)
        table.add_row(name, own[0].group, str(meant), str(len(own) - meant), *(f"{a:.2f}" for a in areas))
    return table


def counts_table(told: Sequence[Told], floor: FloorSettings) -> Table:
    """Sentences for others that the answer goes on over, and meant ones that it does: by rules, and asked about."""
    table = _table("told by", "sentences", "for others, known", "meant, lost", "asked about: for others", "meant")
    off = dataclasses.replace(floor, probe_relevance=False)
    on = dataclasses.replace(floor, probe_relevance=True)
    ways = {"rules": off, f"rules and gain below {floor.not_to_me_below:g}": on}
    ways |= {f"the same below {below:g}": dataclasses.replace(on, not_to_me_below=below) for below in THRESHOLDS}
    for name, settings in ways.items():
        for group in dict.fromkeys(t.group for t in told):
            of = {
                meant: [judged(t, settings) for t in told if (t.group, t.meant) == (group, meant)]
                for meant in (False, True)
            }
            gone_on = {meant: sum(kind in HEARD_OUT for kind, _ in own) for meant, own in of.items()}
            asked = (str(sum(asked for _, asked in own)) for own in of.values())
            shares = (f"{gone_on[meant]} of {len(own)}" for meant, own in of.items())
            table.add_row(name, group, *shares, *asked)
    return table


def _yes(whether: bool) -> str:
    return "yes" if whether else "no"


def _ways(told: Sequence[Told]) -> list[str]:
    return list(told[0].scores)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
