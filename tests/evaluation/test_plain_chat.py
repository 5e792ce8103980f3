"""The plain chat says what transformers' own generation says, alone and in company."""

from __future__ import annotations

import asyncio

import pytest
import torch

from tests.evaluation.tiny_subject import tiny_subject
from tests.reasoning.tiny_models import tiny_model
from tests.reasoning.tiny_tokenizer import VOCABULARY, tiny_tokenizer
from voice_agent.evaluation.outright import Outright
from voice_agent.evaluation.plain_chat import PlainChat

TOKENIZER = tiny_tokenizer()
QUESTIONS = ("How far?", "How fast is a train that goes sixty kilometers in an hour?", "Why?")


def generated(question: str, tokens: int) -> str:
    """By an untouched twin of the subject's model."""
    twin = tiny_model("llama", vocab_size=VOCABULARY)
    twin.lm_head.bias = tiny_subject().engine.model.lm_head.bias
    messages = [{"role": "user", "content": question}]
    text = TOKENIZER.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    asked = torch.tensor([TOKENIZER(text, add_special_tokens=False).input_ids])
    with torch.inference_mode():
        for _ in range(tokens):
            chosen = twin(asked).logits[0, -1].argmax()
            asked = torch.cat([asked, chosen[None, None]], dim=1)
    return str(TOKENIZER.decode(asked[0, -tokens:], skip_special_tokens=True))


@pytest.mark.parametrize("chunk", [7, 500])
def test_it_says_what_the_model_says_by_itself(chunk: int) -> None:
    subject = tiny_subject()
    chat = PlainChat(subject.engine, subject.tokenizer, most_tokens=12, prefill_chunk=chunk)

    async def together() -> list[Outright]:
        return await asyncio.gather(*map(chat.ask, QUESTIONS))

    answers = asyncio.run(together())
    assert [answer.text for answer in answers] == [generated(question, 12) for question in QUESTIONS]
    assert {(answer.tokens, answer.finished) for answer in answers} == {(12, False)}
    assert asyncio.run(chat.ask(QUESTIONS[0])) == answers[0]


def test_it_ends_where_the_model_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, chosen = tiny_subject(), iter([5, 6, TOKENIZER.eos_token_id])
    chat = PlainChat(subject.engine, subject.tokenizer, most_tokens=12, prefill_chunk=500)
    monkeypatch.setattr(chat, "_choose", lambda logits: torch.tensor(next(chosen)))
    assert asyncio.run(chat.ask("How far?")) == Outright(TOKENIZER.decode([5, 6]), 2, finished=True)
