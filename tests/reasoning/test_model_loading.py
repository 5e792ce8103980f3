"""A GGUF file becomes an ordinary transformers model, quickly the second time, and never half."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from voice_agent.errors import UnusableInput
from voice_agent.reasoning import model_loading
from voice_agent.reasoning.model_loading import LoadedModel, load_language_model
from voice_agent.reasoning.packed import gguf_source, store
from voice_agent.settings import Reasoning

PLAIN = Reasoning(kernel="plain")
TEXT = "The train travels sixty kilometers in forty five minutes, so its speed is eighty kilometers per hour."


@pytest.fixture(scope="module")
def own_copy(tiny_language_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's file in a folder of its own, so that packing starts afresh."""
    path = tmp_path_factory.mktemp("model") / tiny_language_model.name
    path.symlink_to(tiny_language_model.resolve())
    return path


@pytest.fixture(scope="module")
def loaded(own_copy: Path) -> LoadedModel:
    return load_language_model(own_copy, settings=PLAIN)


@pytest.fixture
def another_copy(own_copy: Path, loaded: LoadedModel, tmp_path: Path) -> Path:
    """The same file and its packed folder, to be damaged."""
    path = tmp_path / own_copy.name
    path.symlink_to(own_copy.resolve())
    packed = store.store_folder(path)
    packed.mkdir()
    for file in store.store_folder(own_copy).iterdir():
        os.link(file, packed / file.name)
    return path


def logits(model: LoadedModel) -> torch.Tensor:
    ids = model.tokenizer(TEXT, return_tensors="pt").input_ids
    with torch.inference_mode():
        return model.model(ids).logits[0].float()


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_equals_what_transformers_makes_of_the_file(own_copy: Path, loaded: LoadedModel) -> None:
    from transformers import AutoModelForCausalLM

    whole = AutoModelForCausalLM.from_pretrained(own_copy.parent, gguf_file=own_copy.name, dtype=torch.float32)
    expected = logits(LoadedModel(whole.eval(), loaded.tokenizer, loaded.facts))
    assert relative_error(logits(loaded), expected) < 1e-4  # Q4_1 and Q8_0 are kept exactly


def test_the_second_load_does_not_open_the_gguf(
    own_copy: Path, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_source, "GgufSource", None)
    again = load_language_model(own_copy, settings=PLAIN)
    assert torch.equal(logits(again), logits(loaded))
    from_folder = load_language_model(store.store_folder(own_copy), settings=PLAIN)
    assert torch.equal(logits(from_folder), logits(loaded))


@pytest.mark.parametrize("kernel", ["auto", "torch"])
def test_fast_kernels_agree_with_the_plain_one(own_copy: Path, loaded: LoadedModel, kernel: str) -> None:
    fast = load_language_model(own_copy, settings=Reasoning(kernel=kernel))  # type: ignore[arg-type]
    assert fast.facts.weight_bytes < loaded.facts.weight_bytes / 4
    found, expected = logits(fast), logits(loaded)
    assert relative_error(found, expected) < 0.05
    assert (found.argmax(-1) == expected.argmax(-1)).float().mean() > 0.85


def test_facts_and_tokenizer(loaded: LoadedModel) -> None:
    assert loaded.facts.kernel == "plain"
    assert loaded.facts.dtype == "float32"
    assert loaded.facts.device == "cpu"
    assert loaded.model.training is False
    assert loaded.tokenizer.decode(loaded.tokenizer(TEXT).input_ids) == TEXT
    assert "<|im_start|>" in loaded.tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)


def test_bfloat16_when_asked(own_copy: Path, loaded: LoadedModel) -> None:
    half = load_language_model(own_copy, settings=Reasoning(kernel="plain", dtype="bfloat16"))
    assert half.facts.dtype == "bfloat16"
    assert relative_error(logits(half), logits(loaded)) < 0.05


def test_progress_ends_with_ready(own_copy: Path, loaded: LoadedModel) -> None:
    seen: list[tuple[str, float]] = []
    load_language_model(own_copy, settings=PLAIN, progress=lambda what, share: seen.append((what, share)))
    assert seen[-1] == ("ready", 1.0)


def test_another_file_is_packed_anew(another_copy: Path) -> None:
    folder = store.store_folder(another_copy)
    assert store.is_current(folder, store.fingerprint(another_copy))
    another_copy.unlink()
    another_copy.write_bytes(b"GGUF another file")
    assert not store.is_current(folder, store.fingerprint(another_copy))


def test_another_layout_is_packed_anew(another_copy: Path) -> None:
    folder = store.store_folder(another_copy)
    manifest = json.loads((folder / store.MANIFEST).read_text())
    (folder / store.MANIFEST).unlink()
    (folder / store.MANIFEST).write_text(json.dumps(manifest | {"layout": -1}))
    assert not store.is_current(folder, store.fingerprint(another_copy))
    with pytest.raises(UnusableInput, match="another version"):
        load_language_model(folder, settings=PLAIN)


def test_damage_is_named(another_copy: Path) -> None:
    folder = store.store_folder(another_copy)
    weights = next(iter(sorted(folder.glob("*.safetensors"))))
    whole = weights.read_bytes()
    weights.unlink()
    with pytest.raises(UnusableInput, match="damaged"):
        load_language_model(another_copy, settings=PLAIN)
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableInput, match="damaged"):
        load_language_model(another_copy, settings=PLAIN)


def test_an_interrupted_packing_leaves_nothing(own_copy: Path, loaded: LoadedModel, tmp_path: Path) -> None:
    def interrupted() -> Iterator[tuple[str, torch.Tensor]]:
        yield "model.norm.weight", torch.ones(4)
        raise KeyboardInterrupt

    source = tmp_path / "some.gguf"
    source.write_bytes(b"GGUF")
    with pytest.raises(KeyboardInterrupt):
        store.write_store(
            store.store_folder(source), store.fingerprint(source), loaded.model.config, loaded.tokenizer, interrupted()
        )
    assert list(tmp_path.iterdir()) == [source]


def test_unusable_sources(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="there is no file"):
        load_language_model(tmp_path / "missing.gguf", settings=PLAIN)
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"not a model at all" * 100)
    with pytest.raises(UnusableInput, match="not a whole GGUF file"):
        load_language_model(junk, settings=PLAIN)
    assert list(tmp_path.iterdir()) == [junk]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnusableInput, match="cannot load the language model"):
        load_language_model(tmp_path / "empty", settings=PLAIN)


def test_too_little_memory_is_said_beforehand(own_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableInput, match="needs 1000000"):
        model_loading.need_memory(1e15, what="a model")
    monkeypatch.setattr(model_loading, "stored_bytes", lambda _folder: 10**15)
    with pytest.raises(UnusableInput, match="choose a smaller model"):
        load_language_model(own_copy, settings=PLAIN)
