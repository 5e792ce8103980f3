"""One question as text: thoughts dimmed, the words that would be spoken plain.

    run_ask(text, ...) -> exit status

Thoughts and words are written at the same time, so each stream is shown a sentence at a time; on a terminal the two
unfinished sentences stand below the finished ones. Where standard output is no terminal it gets the spoken words alone,
as they come, and thoughts and figures go to standard error.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from .clock import Clock, WallClock, Worker
from .errors import UnusableInput
from .events import Done, Thought, Written
from .model_store import find
from .reasoning.engine import Engine
from .reasoning.model_loading import LoadedModel, load_language_model
from .reasoning.reasoner import AsyncReasoner
from .settings import Settings

StreamName = Literal["thought", "spoken"]

INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?])\s+|\n+")  # not after "1.", which numbers a list
_LOOKS: dict[StreamName, tuple[str, str]] = {"thought": ("  ", "dim"), "spoken": ("", "bold")}


@dataclass
class Sentences:
    """Cuts what streams write into sentences: push pieces, get back what they completed; joined, nothing is lost."""

    unfinished: dict[StreamName, str] = field(default_factory=dict)

    def push(self, stream: StreamName, piece: str) -> Iterator[str]:
        *complete, rest = _SENTENCE_END.split(self.unfinished.get(stream, "") + piece)
        self.unfinished[stream] = rest
        yield from (sentence for sentence in complete if sentence.strip())

    def flush(self) -> Iterator[tuple[StreamName, str]]:
        """What is left of every stream, the spoken words last."""
        for stream in _LOOKS:
            if rest := self.unfinished.pop(stream, "").strip():
                yield stream, rest


@dataclass(frozen=True)
class Figures:
    """How the answer came about, in seconds from the question."""

    done: Done
    first_written_s: float | None
    took_s: float

    def __str__(self) -> str:
        first = "no word was written" if self.first_written_s is None else f"first word {self.first_written_s:.2f} s"
        return (
            f"{self.done.thinking_tokens} tokens thought, {self.done.spoken_tokens} spoken; {first}, "
            f"all {self.took_s:.1f} s; {self.done.steps / max(self.took_s, 1e-9):.1f} steps/s"
        )


class View(Protocol):
    """Shows an answer while it is made."""

    def push(self, stream: StreamName, piece: str) -> None: ...

    def close(self) -> None: ...


def run_ask(text: str, *, settings: Settings, mode: str, seed: int) -> int:
    """Answer `text` on the terminal; 130 when Ctrl-C ended it.

    Raises:
        UnusableInput: an empty question, a missing or unusable model.
    """
    if not text.strip():
        raise UnusableInput("the question is empty: say what is to be answered")
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    with notes.status("loading the language model ...") as status:
        language = load_language_model(
            find(settings.models.language),
            settings=settings.reasoning,
            progress=lambda what, share: status.update(f"{what} ... {share:.0%}"),
        )
    words = Console(highlight=False)
    view: View = TerminalView(words) if words.is_terminal else PlainView(notes)
    worker = Worker("language-model")
    try:
        figures = asyncio.run(_answer(text, language, worker, settings, mode, seed, view))
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        worker.close()
        view.close()
    notes.print(str(figures), style="dim")
    return 0


async def _answer(
    text: str, language: LoadedModel, worker: Worker, settings: Settings, mode: str, seed: int, view: View
) -> Figures:
    clock: Clock = WallClock()
    engine = Engine(
        language.model,
        kernel=settings.reasoning.kernel,
        cuda_graphs=settings.reasoning.cuda_graphs,
        clock=clock,
        worker=worker,
        start_cache=language.start_cache,
    )
    reasoner = AsyncReasoner(engine, language.tokenizer, settings=settings.reasoning, seed=seed)
    await reasoner.warm_up()
    start_s, first_written_s = clock.now_s(), None
    async with aclosing(reasoner.answer(text, mode=mode)) as events:
        async for event in events:
            match event:
                case Thought():
                    view.push("thought", event.text)
                case Written():
                    first_written_s = first_written_s or clock.now_s() - start_s
                    view.push("spoken", event.text)
                case Done():
                    view.close()
                    return Figures(event, first_written_s, clock.now_s() - start_s)
    raise AssertionError("an answer ends with Done")


class TerminalView:
    """Finished sentences scroll away above; the unfinished ones are redrawn."""

    def __init__(self, console: Console) -> None:
        self._sentences = Sentences()
        self._live = Live(console=console, transient=True, refresh_per_second=10)
        self._live.start()

    def push(self, stream: StreamName, piece: str) -> None:
        for sentence in self._sentences.push(stream, piece):
            self._live.console.print(_line(stream, sentence))
        unfinished = self._sentences.unfinished
        self._live.update(Group(*(_line(name, unfinished[name]) for name in _LOOKS if unfinished.get(name))))

    def close(self) -> None:
        self._live.update("")
        for stream, rest in self._sentences.flush():
            self._live.console.print(_line(stream, rest))
        self._live.stop()


class PlainView:
    """Spoken words to standard output as they come, thoughts to `notes`, a sentence at a time."""

    def __init__(self, notes: Console) -> None:
        self._sentences, self._notes = Sentences(), notes
        self._line_is_open = False

    def push(self, stream: StreamName, piece: str) -> None:
        if stream == "thought":
            for sentence in self._sentences.push(stream, piece):
                self._notes.print(_line(stream, sentence))
        else:
            sys.stdout.write(piece if self._line_is_open else piece.lstrip())
            sys.stdout.flush()
            self._line_is_open = self._line_is_open or bool(piece.strip())

    def close(self) -> None:
        for stream, rest in self._sentences.flush():
            self._notes.print(_line(stream, rest))
        if self._line_is_open:
            sys.stdout.write("\n")
            self._line_is_open = False


def _line(stream: StreamName, text: str) -> Text:
    indent, style = _LOOKS[stream]
    shown = "".join(letter if letter.isprintable() else " " for letter in text.strip())  # no escape codes from a model
    return Text(indent + shown, style=style)
