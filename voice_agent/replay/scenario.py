"""A scripted conversation as it stands in its YAML file, checked before anything runs.

    load_scenario(path) -> Scenario, every key known and every trigger possible

Times are seconds. Every mistake is an UnusableInput that names the file, the key and the remedy. The sounds that it
names are read by script.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..errors import UnusableInput
from ..events import InterruptionKind

TriggerEvent = Literal["user_end", "thinking", "assistant_audio", "assistant_end"]
Meaning = Literal["turn", "unfinished", "correction", "question", "stop", "back-channel", "noise", "not-to-me"]
_TRIGGER = re.compile(r"(?P<event>\w+)\s*(?:(?P<sign>[+-])\s*(?P<offset>\d+(?:\.\d*)?))?")
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Phrase = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]
Phrases = Annotated[list[Annotated[Phrase, Field(min_length=1)]], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UserItem(_Table):
    """One thing the user says: `say` or `audio`, when: `at` or `after`, and what it is for (measures.py).

    A `turn` asks for an answer; an `unfinished` one is a pause within it, which nobody should take for its end.
    """

    say: Annotated[str, Field(min_length=1)] | None = None
    audio: str | None = None
    at: Seconds | None = None
    after: str | None = None
    text: str | None = None  # what is said in `audio`, for the word error rate; noise says nothing
    means: Meaning = "turn"

    @field_validator("after")
    @classmethod
    def _possible(cls, value: str | None) -> str | None:
        if value is not None:
            parse_trigger(value)
        return value

    @property
    def words(self) -> str | None:
        """What is said; None where only the recording knows."""
        return "" if self.means == "noise" else self.say or self.text

    @model_validator(mode="after")
    def _one_of_each(self) -> UserItem:
        if self.say is not None and self.text is not None:
            raise ValueError("'text' tells what is said in 'audio'; with 'say' it is known")
        if (self.say is None) == (self.audio is None):
            raise ValueError("needs either 'say' (text) or 'audio' (a file), and not both")
        if (self.at is None) == (self.after is None):
            raise ValueError("needs either 'at' (seconds) or 'after' (an event), and not both")
        return self


class Noise(_Table):
    """A sound that repeats under the whole conversation, `snr_db` below the user's speech."""

    file: str
    snr_db: Annotated[float, Field(ge=-20, le=80)]


class Echo(_Table):
    """The loudspeaker leaks into the microphone, bent and with a room's tail (echo_path.py)."""

    delay_ms: Annotated[float, Field(ge=20, le=1000)]  # sound travels in frames of 20 ms
    gain_db: Annotated[float, Field(ge=-80, le=20)]


class Expect(_Table):
    """What must hold afterwards (expectations.py says how each is measured)."""

    first_audio_within_s: Seconds | None = None
    stops_within_s: Seconds | None = None
    finally_says: Phrases | None = None
    never_says_after_interruption: Phrases | None = None
    interruptions: list[InterruptionKind] | None = None
    resumes: bool | None = None
    silent_after_stop: bool | None = None
    turns: Annotated[int, Field(ge=0)] | None = None
    answered: bool | None = None
    cut_offs_at_most: Annotated[int, Field(ge=0)] | None = None
    goes_on: bool | None = None
    every_word_once: bool | None = None
    stops_obeyed: bool | None = None
    uninvited_at_most: Annotated[int, Field(ge=0)] | None = None
    word_error_at_most: Annotated[float, Field(ge=0)] | None = None
    invented_words_at_most: Annotated[int, Field(ge=0)] | None = None
    words_final_within_s: Seconds | None = None
    underruns_at_most: Annotated[int, Field(ge=0)] | None = None


class Scenario(_Table):
    """The whole file."""

    name: Annotated[str, Field(min_length=1)]
    user: Annotated[list[UserItem], Field(min_length=1)]
    noise: Noise | None = None
    echo: Echo | None = None
    expect: Expect = Expect()
    about: str = ""  # what is to be seen, for people
    real_time: bool = False  # played by the wall clock, whatever the others are
    lasts_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = (
        300.0  # a conversation that never falls idle ends here
    )

    @model_validator(mode="after")
    def _possible_order(self) -> Scenario:
        if self.user[0].at is None:
            raise ValueError("user item 1 needs 'at': nothing happens before the user speaks")
        times = [item.at for item in self.user if item.at is not None]
        if times != sorted(times):
            raise ValueError("the user's items must stand in the order of their times ('at')")
        if times[-1] >= self.lasts_s:
            raise ValueError(f"an item at {times[-1]:g} s begins after the end of the conversation (lasts_s)")
        return self


def parse_trigger(text: str) -> tuple[TriggerEvent, float]:
    """'thinking + 1.0' -> ('thinking', 1.0)."""
    match = _TRIGGER.fullmatch(text.strip())
    events = get_args(TriggerEvent)
    if not match:
        raise ValueError(f"'{text}' is no trigger; write an event and an offset in seconds, like 'thinking + 1.0'")
    event = next((event for event in events if event == match["event"]), None)
    if event is None:
        raise ValueError(f"unknown event '{match['event']}'; the events are {', '.join(events)}")
    if match["sign"] == "-":
        raise ValueError(f"'{text}' lies before its event, which nobody can foresee; use '+'")
    return event, float(match["offset"] or 0.0)


def load_scenario(path: Path) -> Scenario:
    """Read and check one file.

    Raises:
        UnusableInput: unreadable, not YAML, an unknown key, a wrong value or an impossible trigger.
    """
    try:
        table: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"cannot read the scenario {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(table, dict):
        raise UnusableInput(f"{path}: a scenario is a table with the keys {', '.join(Scenario.model_fields)}")
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise UnusableInput(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    """The first mistake as one sentence: where, what, and what is known instead."""
    first = error.errors()[0]
    where = _where(first["loc"])
    if first["type"] == "extra_forbidden":
        table = _table_at(first["loc"][:-1])
        return f"unknown key {where}; known are {', '.join(table.model_fields)}"
    if first["type"] == "missing":
        return f"{where} is missing"
    message = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict | BaseModel) else f" (got {first['input']!r})"
    return f"{where}: {message}{given}" if where else message


def _where(loc: tuple[int | str, ...]) -> str:
    """('user', 1, 'after') -> "'after' of user item 2"."""
    if not loc:
        return ""
    table, *rest = loc
    if table == "user" and rest:
        item = f"user item {int(rest[0]) + 1}"
        return f"'{rest[1]}' of {item}" if len(rest) > 1 else item
    return "'" + ".".join(str(key) for key in loc if not isinstance(key, int)) + "'"


def _table_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    tables: dict[int | str, type[BaseModel]] = {"user": UserItem, "noise": Noise, "echo": Echo, "expect": Expect}
    return tables[loc[0]] if loc else Scenario
