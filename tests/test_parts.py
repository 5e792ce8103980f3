"""Parts are loaded by the threads that own them; a part that cannot be loaded leaves no thread behind."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voice_agent.errors import UnusableInput
from voice_agent.parts import load_parts
from voice_agent.process import step_back
from voice_agent.settings import Settings, load_settings

TINY = load_settings("tiny")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def in_a_thread_of_its_own() -> int:
    with ThreadPoolExecutor(1) as started:
        return started.submit(niceness).result()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness belongs to processes")
def test_a_thread_steps_back_with_those_it_starts_and_no_other() -> None:
    before = niceness()
    with ThreadPoolExecutor(1) as worker:
        worker.submit(step_back, 0).result()
        assert worker.submit(niceness).result() == before
        worker.submit(step_back, 7).result()
        assert worker.submit(niceness).result() == 7
        assert worker.submit(in_a_thread_of_its_own).result() == 7
    assert niceness() == before


def with_niceness(voice: int) -> Settings:
    return dataclasses.replace(TINY, speaking=dataclasses.replace(TINY.speaking, voice_niceness=voice))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness belongs to processes")
def test_each_part_has_the_niceness_of_its_setting(
    tiny_language_model: Path, recognizer_folder: Path, voice_path: Path
) -> None:
    before, told = niceness(), []
    parts = load_parts(with_niceness(5), told.append)
    try:
        found = [
            worker.submit(niceness).result()
            for worker in (parts.workers.language, parts.workers.recognizer, parts.workers.voice)
        ]
    finally:
        parts.workers.close()
    assert found == [before, before, 5]
    assert sorted(told) == ["end of turn", "language model", "recogniser", "voice"]


def test_a_niceness_out_of_range_is_refused() -> None:
    with pytest.raises(UnusableInput, match="niceness of the voice must be 0 to 19, not 20"):
        load_parts(with_niceness(20))


def test_a_part_that_cannot_be_loaded_leaves_no_thread_behind(
    tmp_path: Path, tiny_language_model: Path, recognizer_folder: Path
) -> None:
    broken = tmp_path / "voice.onnx"
    broken.write_bytes(b"no voice")
    before = set(threading.enumerate())
    with pytest.raises(UnusableInput, match="no voice file"):
        load_parts(dataclasses.replace(TINY, models=dataclasses.replace(TINY.models, voice=str(broken))))
    assert {thread for thread in threading.enumerate() if thread.name.startswith(("voice", "language"))} <= before
