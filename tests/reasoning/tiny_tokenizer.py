"""A byte-level tokenizer made in memory: every byte is a token, and so are yes and no; with any chat template."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "[INST]", "[/INST]"]
STEERING = ["<think>", "</think>", "<tool_call>"]  # one token each, but no special tokens: as Qwen's tokenizers have it
WORDS = ["Yes", "No"]
VOCABULARY = 256 + 5 + len(SPECIAL) + len(STEERING)  # bytes, merges, added tokens


def tiny_tokenizer(chat_template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """`</s>` ends a stream."""
    vocabulary = {symbol: i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        for end in range(2, len(word) + 1):
            merges.append((word[: end - 1], word[end - 1]))
            vocabulary[word[:end]] = len(vocabulary)
    vocabulary |= {"Ġ" + word: len(vocabulary) + i for i, word in enumerate(WORDS)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[*merges, *(("Ġ", word) for word in WORDS)]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<s>", eos_token="</s>", chat_template=chat_template
    )
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL[3:]})
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in STEERING])
    assert len(tokenizer) == VOCABULARY
    return tokenizer
