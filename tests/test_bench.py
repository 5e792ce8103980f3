"""Figures from samples, hops from a trace, first words from a summary, and each benchmark once with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voice_agent.bench import run as bench_run
from voice_agent.bench.figures import rate_figure, ratio_figure, times_figure
from voice_agent.bench.first_words import MODES, first_words, is_grounded, run_first_words
from voice_agent.bench.run import SCENARIO, run_bench
from voice_agent.bench.session import hops, run_sessions
from voice_agent.bench.sharing import kept_busy, paces, paces_of
from voice_agent.bench.steps import INJECTED_WORDS, ModelBench, bytes_of_weights, views_of
from voice_agent.clock import Worker
from voice_agent.errors import UnusableInput
from voice_agent.parts import load_parts
from voice_agent.reasoning.model_loading import LoadedModel, load_language_model
from voice_agent.record.trace import TraceLine
from voice_agent.settings import load_settings

SETTINGS = load_settings("tiny")


@pytest.fixture(scope="module")
def loaded(tiny_language_model: Path) -> LoadedModel:
    return load_language_model(tiny_language_model, settings=SETTINGS.reasoning)


def test_a_ratio_is_that_of_the_times_whatever_the_unit() -> None:
    step = times_figure("step", "ms", [30.0, 20.0, 50.0], floor=20.0)
    assert (step.value, step.low, step.high, step.samples, step.ratio) == (30.0, 20.0, 50.0, 3, 1.5)
    prefill = rate_figure("prefill", "tokens/s", 300, [3000.0], floor_ms=1000.0)
    assert (prefill.value, prefill.floor, prefill.ratio) == (100.0, 300.0, 3.0)
    assert times_figure("cut", "ms", [1.0]).to_json()["ratio"] is None
    over = ratio_figure("three over two", [30.0, 40.0, 90.0], [20.0, 10.0, 60.0])
    assert (over.value, over.low, over.high, over.unit) == (1.5, 1.5, 4.0, "x")


def line(t: float, kind: str, **fields: Any) -> TraceLine:
    return TraceLine(t, kind, fields)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], {}, id="nothing was said"),
        pytest.param([line(1.0, "speech_ended", end_s=0.9)], {}, id="the turn did not end"),
        pytest.param(
            [
                line(1.0, "speech_ended", end_s=0.75),
                line(2.0, "speech_ended", end_s=1.75),
                line(2.5, "turn_ended", end_s=1.75),
                line(2.75, "thought"),
                line(3.0, "thought"),
                line(4.0, "written"),
                line(4.5, "clause"),
                line(5.0, "audio_started"),
                line(6.0, "written"),
            ],
            {"turn_ended": 0.75, "thought": 0.25, "written": 1.25, "clause": 0.5, "audio_started": 0.5},
            id="from the last pause",
        ),
        pytest.param(
            [
                line(1.0, "speech_ended", end_s=1.0),
                line(1.5, "turn_ended"),
                line(2.0, "written"),
                line(2.5, "audio_started"),
            ],
            {"turn_ended": 0.5, "written": 0.5, "audio_started": 0.5},
            id="no thoughts",
        ),
    ],
)
def test_hops(lines: Sequence[TraceLine], expected: dict[str, float]) -> None:
    assert hops(lines) == expected


@pytest.mark.parametrize(
    ("clause", "grounded"),
    [
        ("The train travels", True),
        ("That is 60", True),  # the question says sixty
        ("Forty-five minutes", True),
        ("Let me think about that.", False),
        ("Sure, I can help", False),
        ("", False),
    ],
)
def test_a_clause_is_grounded_in_the_question(clause: str, grounded: bool) -> None:
    assert is_grounded(clause, "A train travels sixty kilometers in 45 minutes, how fast is it going?") == grounded


def test_first_words_know_only_what_was_thought_before_them() -> None:
    lines = [
        line(1.0, "thought", text="Divide by "),
        line(1.1, "thought", text="speed"),
        line(1.2, "clause", text=" I divide ", source="model"),
        line(1.3, "thought", text="helps"),
        line(1.4, "clause", text="and that helps", source="model"),
    ]
    turn = {"first_audio_s": 1.5, "user_text": "How fast?", "sounded_text": "I divide and that helps "}
    expectations = [{"name": "first_audio_within_s", "ok": False}, {"name": "finally_says: 80", "ok": True}]
    found = first_words(lines, {"turns": [turn], "expectations": expectations})
    assert found == {
        "first_audio_s": 1.5,
        "first_clause": "I divide",
        "grounded": True,
        "right": True,
        "sounded_text": "I divide and that helps",
    }
    ahead = [*lines[2:4], *lines[:2]]
    assert not first_words(ahead, {"turns": [turn], "expectations": expectations})["grounded"]
    silent = first_words([], {"turns": [], "expectations": []})
    assert (silent["first_audio_s"], silent["grounded"], silent["right"]) == (None, False, False)


@pytest.mark.parametrize("context", [160, 500])
def test_views_hold_what_they_say(context: int) -> None:
    views = views_of(context)
    assert list(views) == ["thinker", "writer", "probe"]
    assert views["writer"].length == views["probe"].length == context
    assert views["thinker"].length == context - views["writer"].own.length


def test_jobs_leave_the_blocks_as_they_were_and_count_shared_blocks_once(loaded: LoadedModel) -> None:
    bench = ModelBench(loaded, SETTINGS.reasoning)
    assert len(INJECTED_WORDS.split()) == 12
    config = loaded.model.config
    head = config.hidden_size // config.num_attention_heads
    token_bytes = 2 * 4 * config.num_hidden_layers * config.num_key_value_heads * head
    steps = bench.steps(256)
    assert steps["3 rows"].bytes == steps["2 rows"].bytes == bench.weight_bytes + 256 * token_bytes
    assert bench.prefill(65).bytes == 2 * bench.weight_bytes
    views = views_of(256)
    bench.feed([(views["thinker"], 1), (views["writer"], 70)])
    assert [view.length for view in views.values()] == [view.length for view in views_of(256).values()]
    for job in (bench.injection(256), bench.cut(256), *bench.gate(256).values()):
        job.prepare()
        job.run()


def test_an_embedding_that_is_no_output_matrix_is_not_read_whole() -> None:
    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.out = torch.nn.Embedding(10, 4), torch.nn.Linear(4, 10, bias=False)

        def get_input_embeddings(self) -> torch.nn.Module:
            return self.table

    model = Two()
    assert bytes_of_weights(model) == 160
    model.table.weight = model.out.weight
    assert bytes_of_weights(model) == 160
    model.out.weight = torch.nn.Parameter(torch.zeros(20, 4))
    assert bytes_of_weights(model) == 320


def test_a_report_of_the_tiny_model(
    tmp_path: Path, tiny_language_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bench.json"
    assert run_bench(SETTINGS, out=out, repeats=1, sessions=0, contexts=(160,)) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["cores"] > 0
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert figures["step, 2 rows, context 160"]["ratio"] > 0
    assert {"memory read", "prefill 64", "prefill 300", "cut, context 160"} < set(figures)
    assert "step, 3 rows, context 160" in capsys.readouterr().out


def test_a_session_in_a_fresh_process(tiny_language_model: Path, recognizer_folder: Path, voice_path: Path) -> None:
    (session,) = run_sessions(
        SETTINGS, SCENARIO.with_name("greeting.yaml"), repeats=1, time="virtual", seed=0, warm_up=False
    )
    assert set(session.start_s) == {"imports", "language model", "recogniser", "voice", "end of turn", "ready"}
    assert session.hops_s["turn_ended"] > 0
    assert session.peak_rss_mb > 100
    assert session.paces["alone"] == pytest.approx(1e3 / SETTINGS.costs.step_ms, rel=0.01)


def test_ratios_of_steps_are_told_where_both_contexts_were_measured() -> None:
    steps_ms = {
        f"{rows} rows, context {context}": [10.0 * rows + context / 1024] for rows in (2, 3) for context in (512, 4096)
    }
    names = [figure.name for figure in bench_run._step_ratios(steps_ms, (512, 4096))]
    assert names == [
        "3 rows over 2 rows, context 512",
        "3 rows over 2 rows, context 4096",
        "context 4096 over 512, 2 rows",
    ]
    longer = list(bench_run._step_ratios(steps_ms, (512, 4096)))[-1]
    assert longer.value == pytest.approx(24.0 / 20.5)
    assert len(list(bench_run._step_ratios(steps_ms, (512,)))) == 1


def call(end_s: float, which: str, ms: float, tokens: int = 2) -> TraceLine:
    return line(end_s, "model_call", which=which, rows=min(tokens, 2), tokens=tokens, ms=ms)


STEP = call(10.0, "language", 100.0)  # from 9.9 to 10.0


@pytest.mark.parametrize(
    ("others", "beside"),
    [
        pytest.param([], "alone", id="nothing else"),
        pytest.param([call(9.9, "voice", 500.0), call(12.0, "recognizer", 1900.0)], "alone", id="before and after"),
        pytest.param([call(10.5, "voice", 900.0)], "voice", id="a whole step"),
        pytest.param([call(10.5, "voice", 550.0)], "voice", id="half of it"),
        pytest.param([call(10.5, "voice", 540.0)], None, id="less than half: neither alone nor beside"),
        pytest.param([call(9.93, "voice", 200.0), call(11.0, "voice", 1030.0)], "voice", id="two calls, most of it"),
        pytest.param([call(10.5, "recognizer", 900.0)], "recogniser", id="the recogniser"),
        pytest.param([call(10.5, "recognizer", 900.0), call(10.5, "voice", 900.0)], None, id="both"),
    ],
)
def test_a_step_counts_for_the_part_it_met(others: list[TraceLine], beside: str | None) -> None:
    found = paces_of([*others, STEP, line(10.0, "thought", text="so")])
    assert found == ({beside: 10.0} if beside else {})


def test_paces_of_conversations_are_those_of_their_median_steps() -> None:
    reading_in = call(1.0, "language", 900.0, tokens=64)
    first = [call(2.0, "language", 100.0), call(3.0, "language", 50.0), reading_in]
    later = [call(2.0, "voice", 500.0), call(3.0, "language", 40.0), call(5.0, "language", 0.0)]
    assert paces_of(first, later) == {"alone": 20.0}
    assert paces_of() == {}


def test_a_part_is_busy_from_the_first_call_to_the_end_and_its_errors_are_heard() -> None:
    worker, calls = Worker("voice"), []
    with kept_busy(worker, lambda: calls.append(1)) as taken_ms:
        while len(calls) < 3:
            assert not worker.submit(lambda: None).done()  # nothing else gets its turn
    done = len(calls)
    assert worker.submit(lambda: len(calls)).result() == done == len(taken_ms)
    with pytest.raises(ZeroDivisionError), kept_busy(worker, lambda: 1 // 0):
        pass
    worker.close()


def test_paces_beside_real_parts(tiny_language_model: Path, recognizer_folder: Path, voice_path: Path) -> None:
    parts = load_parts(SETTINGS)
    try:
        step = ModelBench(parts.language, SETTINGS.reasoning).steps(160)["2 rows"].run
        rounds = paces(parts, step, np.random.default_rng(0).normal(0.0, 0.05, 16_000).astype(np.float32), 1)
    finally:
        parts.workers.close()
    assert set(rounds[0]) == {"alone", "voice", "a clause meanwhile", "recogniser", "a reading meanwhile"}
    assert all(found > 0 for found in rounds[0].values())


def test_first_words_of_both_modes(tiny_language_model: Path, recognizer_folder: Path, voice_path: Path) -> None:
    told: list[str] = []
    result = run_first_words(SCENARIO, SETTINGS, repeats=1, time="virtual", tell=told.append)
    early, late = (result["first_audio_s"][mode] for mode in MODES)
    assert result["think_over_async"] == pytest.approx(late / early, abs=1e-3)
    assert [len(runs) for runs in result["runs"].values()] == [1, 1]
    assert len(told) == 3


def test_bad_paths_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="name one with --scenario"):
        run_bench(SETTINGS, out=None, repeats=1, sessions=1, scenario=tmp_path / "none.yaml")
    with pytest.raises(UnusableInput, match="cannot write"):
        run_bench(SETTINGS, out=tmp_path / "no" / "bench.json", repeats=1, sessions=0)
    missing = replace(SETTINGS, models=replace(SETTINGS.models, language="nowhere"))
    with pytest.raises(UnusableInput, match="unknown model 'nowhere'"):
        run_bench(missing, out=tmp_path / "bench.json", repeats=1, sessions=0)
    assert not list(tmp_path.iterdir())
