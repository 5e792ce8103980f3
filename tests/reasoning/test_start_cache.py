"""What a start finds is what it would have computed, to the bit; what is damaged, foreign or unwritable is no harm."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from pathlib import Path

import pytest
import torch

from tests.reasoning.tiny_models import tiny_model
from tests.reasoning.tiny_reasoner import SETTINGS, TOKENIZER, shared_model, watch
from voice_agent.clock import VirtualClock, run_in_virtual_time
from voice_agent.events import Written
from voice_agent.reasoning import self_check
from voice_agent.reasoning.cache_block import CacheArena, CacheBlock
from voice_agent.reasoning.cache_view import View
from voice_agent.reasoning.engine import Engine
from voice_agent.reasoning.model_loading import LoadedModel
from voice_agent.reasoning.reasoner import AsyncReasoner
from voice_agent.reasoning.self_check import check_blocks_equal_whole
from voice_agent.reasoning.start_cache import MOST_FILES, StartCache
from voice_agent.reasoning.token_stepper import Row, TokenStepper

CPU = torch.device("cpu")
GREEDY = dataclasses.replace(SETTINGS, thinker_temperature=0.0, writer_temperature=0.0)
TOKENS = list(range(20, 60))


def cache_in(folder: Path, **identity: str) -> StartCache:
    return StartCache(folder, {"model": "tiny", **identity})


def files(folder: Path, kind: str = "preamble") -> list[Path]:
    return sorted(folder.glob(f"{kind}-*"))


def new_block() -> CacheBlock:
    return CacheArena().new_block("preamble")


def computed() -> tuple[TokenStepper, CacheBlock]:
    stepper, block = TokenStepper(shared_model(), "plain"), new_block()
    stepper.step([Row(View((block,)), TOKENS)])
    return stepper, block


def start(folder: Path | None, question: str = "How far?") -> tuple[AsyncReasoner, str]:
    """A reasoner as a process would make it, and its first answer."""
    engine = Engine(shared_model(), kernel="plain", start_cache=cache_in(folder) if folder else None)
    reasoner = AsyncReasoner(engine, TOKENIZER, settings=GREEDY)

    async def answer() -> str:
        events = [event async for event in reasoner.answer(question, mode="think:12")]
        return "".join(event.text for event in events if isinstance(event, Written))

    return reasoner, asyncio.run(answer())


def test_kept_is_computed_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, without = start(None)
    first, said_first = start(tmp_path)
    fed = watch(monkeypatch)
    second, said_second = start(tmp_path)
    assert fed.of("preamble") == []
    assert said_first == said_second == without != ""
    computed, kept = (reasoner._preamble.own.contents() for reasoner in (first, second))
    assert computed.keys() == kept.keys() == set(range(3))
    assert all(torch.equal(computed[layer][i], kept[layer][i]) for layer in computed for i in (0, 1))


def test_logits_over_a_kept_block_are_those_over_the_computed_one(tmp_path: Path) -> None:
    stepper, block = computed()
    cache_in(tmp_path).keep(block, "plain")
    found = new_block()
    assert cache_in(tmp_path).fill(found, TOKENS, "plain", CPU)
    over = [stepper.step([Row(View((own, own.arena.new_block("next"))), [7, 8])]) for own in (block, found)]
    assert torch.equal(*over)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut short"),
        pytest.param(lambda content: b"nonsense" * 100, id="something else"),
        pytest.param(lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:], id="one bit"),
    ],
)
def test_a_damaged_file_is_ignored_and_written_anew(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    _, said = start(tmp_path)
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert not cache_in(tmp_path).fill(new_block(), TOKENS, "plain", CPU)
    assert start(tmp_path)[1] == said
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("identity", "tokens", "how"),
    [
        pytest.param({"model": "other"}, TOKENS, "plain", id="another model"),
        pytest.param({}, TOKENS[:-1], "plain", id="other tokens"),
        pytest.param({}, TOKENS, "native", id="another kernel"),
    ],
)
def test_what_was_computed_otherwise_is_not_found(
    tmp_path: Path, identity: dict[str, str], tokens: list[int], how: str
) -> None:
    _, block = computed()
    cache_in(tmp_path).keep(block, "plain")
    found = new_block()
    assert not cache_in(tmp_path, **identity).fill(found, tokens, how, CPU)
    assert found.length == 0


def test_another_version_of_the_code_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, block = computed()
    cache_in(tmp_path).keep(block, "plain")
    monkeypatch.setattr("voice_agent.reasoning.start_cache._code", lambda: "another")
    assert not cache_in(tmp_path).fill(new_block(), TOKENS, "plain", CPU)


def test_bfloat16_keys_come_back_as_they_were(tmp_path: Path) -> None:
    block = new_block()
    keys, values = (torch.randn(2, 3, dim).bfloat16() for dim in (8, 4))
    block.restore([1, 2, 3], {0: (keys, values)})
    cache_in(tmp_path).keep(block, "plain")
    found = new_block()
    assert cache_in(tmp_path).fill(found, [1, 2, 3], "plain", CPU)
    assert torch.equal(found.contents()[0][0], keys)
    assert torch.equal(found.contents()[0][1], values)


def test_only_the_files_used_last_stay(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    block = new_block()
    block.restore([1], {0: (torch.ones(1, 1, 2), torch.ones(1, 1, 2))})
    for how in "abcd":
        cache.keep(block, how)
    for age, how in enumerate("abcd"):
        os.utime(cache._path("preamble", f"{how} [1]"), (1000 + age, 1000 + age))
    assert cache.fill(new_block(), [1], "a", CPU)  # used: the oldest is now b
    cache.keep(block, "e")
    assert len(files(tmp_path)) == MOST_FILES
    assert [how for how in "abcde" if cache.fill(new_block(), [1], how, CPU)] == ["a", "c", "d", "e"]


def test_a_large_block_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice_agent.reasoning.start_cache.MOST_BYTES", 100)
    _, block = computed()
    cache_in(tmp_path).keep(block, "plain")
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    assert start(tmp_path / "taken")[1] == start(None)[1]


def test_virtual_time_neither_reads_nor_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    fed = watch(monkeypatch)

    async def main(clock: VirtualClock) -> None:
        engine = Engine(shared_model(), kernel="plain", clock=clock, start_cache=cache_in(tmp_path))
        await AsyncReasoner(engine, TOKENIZER, settings=GREEDY).warm_up()

    run_in_virtual_time(main)
    assert fed.of("preamble")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_self_check_that_passed_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_blocks_equal_whole(TokenStepper(tiny_model("llama"), "plain"), cache_in(tmp_path))
    fed = watch(monkeypatch)
    check_blocks_equal_whole(TokenStepper(tiny_model("llama"), "plain"), cache_in(tmp_path))
    assert fed.rows == []
    check_blocks_equal_whole(TokenStepper(tiny_model("llama"), "plain"), cache_in(tmp_path, model="other"))
    assert fed.rows


def test_a_self_check_that_failed_is_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "tolerance_of", lambda model: -1.0)
    with pytest.raises(self_check.UnsupportedModel):
        check_blocks_equal_whole(TokenStepper(tiny_model("llama"), "plain"), cache_in(tmp_path))
    assert files(tmp_path, "passed") == []


def test_a_packed_model_keeps_it_beside_its_weights(smollm: LoadedModel, tiny_language_model: Path) -> None:
    assert smollm.start_cache is not None
    folder = smollm.start_cache._folder
    assert folder.parent.parent == tiny_language_model.parent
