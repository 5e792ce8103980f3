"""A handful of the suite's scenarios with the tiny profile: the words do not matter, who speaks when does."""

from __future__ import annotations

import pytest

from voice_agent.evaluation.suite import make_suite
from voice_agent.model_store import models_folder
from voice_agent.parts import Parts
from voice_agent.replay.observation import together
from voice_agent.replay.runner import Played, play
from voice_agent.replay.script import make_script
from voice_agent.replay.speakers import Speakers

from ..script_module import SCRIPTS
from ..whole_conversation import SHORT

OF_WORDS = ("finally_says", "never_says_after_interruption")
NAMES = (
    "02 stop mid-answer",
    "03 uh huh mid-answer",
    "03 cough mid-answer",
    "04 pause after um",
    "08 nothing but typing, a door and a cough",
)


@pytest.fixture(scope="module")
def played(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    folder = tmp_path_factory.mktemp("suite")
    speakers = Speakers(models_folder() / "user-voice")
    runs = {}
    for name in NAMES:
        (path,) = make_suite(SCRIPTS / "suite.yaml", folder, speakers.say, only=name).made
        script = make_script(path, lambda text: pytest.fail(f"asked to say {text}"), SHORT.hearing.rate_hz)
        runs[name] = play(script, parts, SHORT, folder / path.stem, time="virtual", mode="async", seed=0)
    return runs


@pytest.mark.parametrize("name", NAMES)
def test_it_does_what_the_scenario_expects(name: str, played: dict[str, Played]) -> None:
    run = played[name]
    assert run.failure is None
    assert not {*run.failed} - {*OF_WORDS}, run.summary["expectations"]


def test_the_measures_of_all_of_them(played: dict[str, Played]) -> None:
    total = together(run.observation for run in played.values())
    assert total.shares["takeover"] == [True] * 4
    assert total.shares["goes on after noise"] == total.shares["goes on after back-channel"] == [True]
    assert total.shares["uninvited"] == [False] * 3
    assert total.shares["cut off"] == [False]
    assert all(response_s > 0 for response_s in total.seconds["response"])
    assert max(total.seconds["stop"]) < 0.3
    assert total.word_errors < 0.2 * total.words
