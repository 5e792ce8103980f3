"""Speakers beside the fixture voice are named by program and voice; phrases of the two sets are not the same."""

from __future__ import annotations

import pytest

from voice_agent.evaluation.hearing import speakers
from voice_agent.evaluation.hearing.recognition_texts import BACK_CHANNELS, OTHER_BACK_CHANNELS, OTHER_STOPS, STOPS


def test_a_voice_that_is_named_speaks_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speakers, "why_missing", lambda name: "flite is not installed" if "flite" in name else None)
    here, missing = speakers.speakers_here(["flite rms", "espeak-ng en-gb"])
    assert "espeak-ng en-gb" in here
    assert "espeak" in here
    assert missing["flite rms"] == missing["flite"] == "flite is not installed"


def test_no_phrase_is_in_both_sets() -> None:
    assert not set(OTHER_STOPS) & set(STOPS)
    assert not set(OTHER_BACK_CHANNELS) & set(BACK_CHANNELS)
