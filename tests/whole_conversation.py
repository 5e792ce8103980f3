"""A whole conversation for tests: the tiny profile's real models, a scripted user, virtual time.

hold(script, parts, folder) -> Held: the conversation that is over, and its trace
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from voice_agent.clock import VirtualClock, Worker, run_in_virtual_time
from voice_agent.conversation import Conversation
from voice_agent.parts import Parts, Workers
from voice_agent.reasoning.token_stepper import Row, TokenStepper
from voice_agent.record.trace import TraceLine
from voice_agent.replay.runner import set_stage
from voice_agent.replay.script import Script, make_script
from voice_agent.replay.scripted_sound import ScriptedSound
from voice_agent.settings import PROFILES, Settings

FIXTURES = Path(__file__).resolve().parents[1] / "audio_fixtures"
SPEAKING = dataclasses.replace(PROFILES["tiny"].speaking, noise_scale=0.0, noise_w_scale=0.0)
TINY = dataclasses.replace(PROFILES["tiny"], speaking=SPEAKING)
SHORT = dataclasses.replace(
    TINY, reasoning=dataclasses.replace(TINY.reasoning, thinking_budget=40, speaking_budget=24, reconsider_tokens=8)
)
Beside = Callable[[Conversation, VirtualClock], Coroutine[Any, Any, None]]


def write_scenario(folder: Path, user: Sequence[dict[str, Any]], name: str = "made here", **keys: Any) -> Path:
    """A scenario file whose sounds are those of the bundled ones."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace(' ', '_')}.yaml"
    items = [{**item, "audio": str(FIXTURES / item["audio"])} for item in user]
    path.write_text(yaml.safe_dump({"name": name, "user": items, **keys}))
    return path


def bundled(name: str) -> Script:
    return make_script(FIXTURES / f"{name}.yaml", _silent_user, TINY.hearing.rate_hz)


def script_of(folder: Path, *user: dict[str, Any], **keys: Any) -> Script:
    return make_script(write_scenario(folder, user, **keys), _silent_user, TINY.hearing.rate_hz)


def _silent_user(text: str) -> np.ndarray:
    raise AssertionError(f"nobody is there to say {text!r}")


@dataclass
class Held:
    """A conversation that is over."""

    conversation: Conversation
    sound: ScriptedSound
    lines: list[TraceLine]

    def kinds(self) -> list[str]:
        return [line.kind for line in self.lines]

    def remembered(self) -> str:
        """The words of the last answer as the next question will find them."""
        last = self.conversation.reasoner._dialogue.last
        return last.spoken if last else ""


async def converse(
    script: Script,
    parts: Parts,
    folder: Path,
    clock: VirtualClock,
    *,
    mode: str = "async",
    settings: Settings = SHORT,
    beside: Beside | None = None,
    on_line: Callable[[TraceLine], None] = lambda line: None,
) -> Held:
    """What the runner does, with the conversation in the open; `beside` runs in its task group."""
    with set_stage(script, parts, settings, folder, clock, mode=mode, seed=0) as stage:
        stage.trace.subscribe(on_line)
        await stage.conversation.warm_up()
        await stage.conversation.run(stage.sound, [lambda: beside(stage.conversation, clock)] if beside else [])
    return Held(stage.conversation, stage.sound, stage.trace.lines)


def hold(script: Script, parts: Parts, folder: Path, **how: Any) -> Held:
    """The same from beginning to end in virtual time."""
    folder.mkdir(parents=True, exist_ok=True)
    return run_in_virtual_time(lambda clock: converse(script, parts, folder, clock, **how))


# --- what was fed to the language model ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fed:
    """One row of a step: `tokens` were encoded at block-local positions from `start` on."""

    block: str
    start: int
    tokens: int


@contextmanager
def watched_steps() -> Iterator[list[Fed]]:
    """Every row that any language model is fed meanwhile."""
    fed: list[Fed] = []
    step = TokenStepper.step

    def watched(self: TokenStepper, rows: Sequence[Row]) -> Any:
        fed.extend(Fed(row.view.own.name, row.view.own.length, len(row.tokens)) for row in rows)
        return step(self, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenStepper, "step", watched)
        yield fed


# --- parts that break -------------------------------------------------------------------------------------------------


class Breaks:
    """A real part of which one method fails at its nth call."""

    def __init__(self, part: Any, method: str, at_call: int) -> None:
        self._part, self._method, self._left = part, method, at_call

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._part, name)
        return self._counted(attribute) if name == self._method else attribute

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if not self._left:
                raise RuntimeError("pulled the plug")
            return function(*args, **kwargs)

        return call


def with_own_workers(parts: Parts) -> Parts:
    """The same models on new threads, for somebody who ends them."""
    workers = Workers(Worker("language-model"), Worker("recognizer"), Worker("voice"), Worker("turn-judge"))
    return dataclasses.replace(parts, workers=workers)


@contextmanager
def broken(parts: Parts, which: str, at_call: int = 40) -> Iterator[Parts]:
    """Parts with threads of their own, of which `which` breaks in the middle of an answer or of a question.

    at_call: of the language model.
    """
    replaced = with_own_workers(parts)
    with pytest.MonkeyPatch.context() as patch:
        if which == "recognizer":
            replaced = dataclasses.replace(replaced, recognizer=Breaks(parts.recognizer, "read", 3))  # type: ignore[arg-type]
        elif which == "voice":
            replaced = dataclasses.replace(replaced, voice=Breaks(parts.voice, "synthesize", 1))  # type: ignore[arg-type]
        else:
            model = parts.language.model
            patch.setattr(model, "forward", Breaks(model, "forward", at_call).forward)
        try:
            yield replaced
        finally:
            replaced.workers.close()
