"""Words in, exit status out: the table of commands, bad words, the model table, and the doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from voice_agent import __main__, doctor, model_store
from voice_agent.command_line.options import checked_mode, profile_for_gpu
from voice_agent.errors import UnusableInput
from voice_agent.settings import PROFILES


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Exit status of `voice-agent WORDS`, in this process."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "argv", ["voice-agent", *words])
    with pytest.raises(SystemExit) as exit_:
        __main__.main()
    return int(exit_.value.code or 0)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--help",), id="all"),
        *(pytest.param((name, "--help"), id=name) for name in ("talk", "replay", "ask", "bench", "doctor")),
        *(
            pytest.param(("eval", name, "--help"), id=f"eval {name}")
            for name in ("gsm8k", "spoken", "interruptions", "report")
        ),
        pytest.param(("models", "list", "--help"), id="models list"),
        pytest.param(("models", "fetch", "--help"), id="models fetch"),
    ],
)
def test_help_says_what_every_command_takes(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    for option in ("--profile", "--config", "--seed") if len(words) > 1 else ("talk", "replay", "models"):
        assert option in shown


def imported_by(code: str, *libraries: str) -> list[str]:
    """Which of `libraries` a fresh process has imported once it has run `code`."""
    code += f"\n[print(name) for name in {libraries} if name in sys.modules]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line in libraries]


def test_help_loads_no_model_library() -> None:
    code = (
        "import sys; sys.argv = ['voice-agent', '--help']\n"
        "from voice_agent.__main__ import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert imported_by(code, "torch", "transformers", "numpy", "onnxruntime") == []


def test_what_builds_a_conversation_leaves_large_libraries_to_the_threads_that_load_the_parts() -> None:
    code = "import sys\nimport voice_agent.bench.session, voice_agent.replay.runner, voice_agent.talk.session"
    libraries = ("torch", "transformers", "onnxruntime", "faster_whisper", "piper", "matplotlib")
    assert imported_by(code, *libraries) == []
    assert imported_by("import sys, numpy", "numpy") == ["numpy"]


def test_a_process_is_prepared_once_and_what_the_user_set_stays() -> None:
    code = (
        "import gc, os\nos.environ['KMP_BLOCKTIME'] = '7'\n"
        "from voice_agent.process import prepare_process\nprepare_process()\n"
        "print(os.environ['KMP_BLOCKTIME'], os.environ['OMP_WAIT_POLICY'], gc.isenabled(), gc.get_threshold()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__main__.__file__).parents[1])},
    )
    assert done.stdout.split() == ["7", "passive", "True", "100000"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("ask", "hello", "--profile", "huge"), "unknown profile 'huge': choose one of cpu", id="profile"),
        pytest.param(("ask", "hello", "--mode", "ponder"), "unknown mode 'ponder': choose async", id="mode"),
        pytest.param(
            ("ask", "hello", "--profile", "cpu", "--config", "/nowhere.toml"),
            "cannot read the settings file /nowhere.toml",
            id="config",
        ),
        pytest.param(("eval", "gsm8k", "--modes", "async,pause"), "unknown mode 'pause'", id="modes of eval"),
        pytest.param(
            ("eval", "gsm8k", "--profile", "cpu", "--data", "/nowhere.jsonl"),
            "cannot read the question set /nowhere.jsonl",
            id="questions of eval",
        ),
        pytest.param(("models", "list", "huge"), "unknown profile or model 'huge'", id="profile of models list"),
        pytest.param(("models", "fetch", "huge"), "unknown profile or model 'huge'", id="profile of models fetch"),
    ],
)
def test_bad_words_are_one_sentence_and_status_2(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"voice-agent: {said}")
    assert len(shown.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("sing",), id="unknown command"),
        pytest.param(("replay",), id="missing path"),
        pytest.param(("replay", "x.yaml", "--time", "slow"), id="unknown clock"),
        pytest.param(("ask", "hello", "--seed", "many"), id="seed that is no number"),
    ],
)
def test_usage_errors_are_status_2(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    assert "Usage" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["async", "async-safe", "think", "think:1", "think:512", "direct", "direct-filler"])
def test_modes_that_exist(mode: str) -> None:
    assert checked_mode(mode) == mode


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        *(
            (mode, "choose async, async-safe, think, think:N, direct or direct-filler")
            for mode in ("", "Async", "think:", "think:-1")
        ),
        *(
            (mode, "choose async, async-safe, think, think:N, direct or direct-filler")
            for mode in ("think:x", "direct:3", "think:5\n")
        ),
        ("think:0", "must be at least 1; use 'direct' for none"),
    ],
)
def test_modes_that_do_not_exist(mode: str, sentence: str) -> None:
    with pytest.raises(UnusableInput, match=sentence):
        checked_mode(mode)


@pytest.mark.parametrize(
    ("memory_gb", "profile"),
    [
        (0, "cpu"),
        (8, "cpu"),
        (12.6, "gpu-12gb"),
        (16, "gpu-12gb"),
        (25.3, "gpu-24gb"),
        (47.7, "gpu-48gb"),
        (51, "gpu-48gb"),
        (85, "gpu-80gb"),
        (150, "gpu-80gb"),
    ],
)
def test_gpu_memory_decides_the_profile(memory_gb: float, profile: str) -> None:
    assert profile_for_gpu(int(memory_gb * 1e9)) == profile
    assert profile in PROFILES


def test_models_list_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    assert run(monkeypatch, "models", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == model_store.manifest().keys()
    tiny = rows["smollm2-135m-instruct-q4_1"]
    assert (tiny["present"], tiny["path"], tiny["licence"]) == (False, None, "Apache-2.0")
    assert tiny["profiles"] == ["tiny"]


def test_models_list_of_a_profile_is_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "models", "list", "tiny") == 0
    shown = capsys.readouterr().out
    for entry in model_store.models_of("tiny"):
        assert entry.name in shown
    assert "qwen" not in shown


def test_models_list_follows_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('[models]\nrecognizer = "whisper-base"\n')
    assert run(monkeypatch, "models", "list", "tiny", "--config", str(config), "--json") == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert "whisper-base" in names
    assert "whisper-tiny.en" not in names


def test_models_fetch_leaves_what_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_language_model: Path
) -> None:
    before = tiny_language_model.stat().st_mtime_ns
    assert run(monkeypatch, "models", "fetch", "smollm2-135m-instruct-q4_1") == 0
    assert "present" in capsys.readouterr().err
    assert tiny_language_model.stat().st_mtime_ns == before


def test_doctor_finds_this_machine_usable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_language_model: Path, voice_path: Path
) -> None:
    assert run(monkeypatch, "doctor", "--profile", "tiny", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["profile"] == "tiny"
    checks = {check["name"]: check for check in report["checks"]}
    assert {
        "python",
        "processor",
        "memory",
        "disk",
        "torch",
        "transformers",
        "gpu",
        "language model",
        "voice",
    } <= checks.keys()
    assert all(check["remedy"] for check in checks.values() if check["status"] != "ok")


def test_doctor_names_missing_models_and_their_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    assert run(monkeypatch, "doctor", "--profile", "cpu", "--json") == 2
    shown = capsys.readouterr()
    checks = {check["name"]: check for check in json.loads(shown.out)["checks"]}
    assert checks["language model"]["status"] == "problem"
    assert checks["language model"]["remedy"] == "voice-agent models fetch cpu"
    assert "profile 'cpu' cannot run here: language model" in shown.err


def test_without_a_sound_library_the_microphone_is_missed_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_sounddevice", lambda: None)
    with pytest.raises(UnusableInput, match="sudo apt-get install libportaudio2"):
        doctor.microphone_name()
