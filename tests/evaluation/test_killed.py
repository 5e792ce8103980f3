"""A run that is killed again and again, by a real SIGKILL at whatever it is doing, and goes on each time."""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.told_run import evaluate

MODES = ("async", "think", "direct-filler")
ROWS = 6
KILLS = 10
SHORT = "[reasoning]\nthinking_budget = 24\nspeaking_budget = 16\nthinker_temperature = 1.0\nwriter_temperature = 1.0\n"

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="this system forks no processes"
)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    rows = [{"question": f"What is {i} plus 5?", "answer": f"#### {i + 5}"} for i in range(ROWS)]
    questions, config = tmp_path / "questions.jsonl", tmp_path / "short.toml"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config.write_text(SHORT, encoding="utf-8")
    options = ["--profile", "tiny", "--config", str(config), "--modes", ",".join(MODES), "--at-once", "1"]
    return ["gsm8k", "--data", str(questions), *options, "--out"]


def run(arguments: list[str], out: Path, kill_after: int | None = None) -> int:
    """What it told of until it ended, or was killed for having told so much; it works on while that is noticed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.evaluation.told_run"])  # its imports take seconds, once
    hear, tell = context.Pipe()
    process = context.Process(target=evaluate, args=([*arguments, str(out)], tell))
    process.start()
    tell.close()
    told = 0
    try:
        while kill_after is None or told < kill_after:
            hear.send_bytes(hear.recv_bytes())
            told += 1
        process.kill()
    except (EOFError, ConnectionError):
        pass
    process.join()
    assert process.exitcode == (0 if kill_after is None else -signal.SIGKILL)
    return told


def kept(out: Path) -> list[dict[str, Any]]:
    lines = (out / "gsm8k.jsonl").read_text(encoding="utf-8").split("\n")[1:-1]
    return sorted((json.loads(line) for line in lines), key=lambda line: str(line["key"]))


def test_killed_ten_times_it_is_the_unbroken_run(arguments: list[str], tmp_path: Path) -> None:
    told = run(arguments, tmp_path / "whole")
    whole = kept(tmp_path / "whole")
    assert [line["key"] for line in whole] == sorted(f"gsm8k {row} {mode}" for row in range(ROWS) for mode in MODES)
    draw = random.Random(6)
    for _ in range(KILLS):
        run(arguments, tmp_path / "killed", kill_after=draw.randint(told // 24, told // 6))
    assert 0 < len(kept(tmp_path / "killed")) < len(whole)
    run(arguments, tmp_path / "killed")
    assert kept(tmp_path / "killed") == whole
