"""A plain twin of blocks and views: every key is placed anew by the model itself, then attended whole.

For each row the model reads all tokens of the view at their view positions, with its own attention, masks and rotary
embedding; what goes into attention for tokens written earlier is put back to what it was when they were written. So
keys and values of a token are those it had then, rotated to where it stands now. Slow on purpose, and knows nothing of
architectures: blocks are held to it when a model is loaded (self_check), in tests and in scripts/check_architectures.

    rows: (names of the view's blocks, new tokens for the last of them) -> logits after each row's last token
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .placement import input_device


@dataclass(frozen=True)
class _Written:
    """Tokens of a block, and what went into each layer's attention for them: (1, length, hidden)."""

    tokens: list[int]
    inputs: list[Tensor]


class ReRotatingTwin:
    """The model's attention must be one of transformers' own while it steps; it may be switched between steps."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self._device = input_device(model.get_input_embeddings())
        self._layers = [
            module
            for module in model.modules()
            if hasattr(module, "layer_idx") and type(module).__name__.endswith("Attention")
        ]
        self._written: dict[str, _Written] = {}

    @torch.inference_mode()
    def step(self, rows: Sequence[tuple[Sequence[str], Sequence[int]]]) -> Tensor:
        """Logits (rows, vocabulary) float32; rows read each other's blocks as they stood when the step began."""
        results, written = [], []
        for names, tokens in rows:
            logits, new = self._row(names, tokens)
            results.append(logits)
            written.append((names[-1], new))
        for name, new in written:
            old = self._written.get(name)
            self._written[name] = new if old is None else _joined([old, new])
        return torch.stack(results)

    def _row(self, names: Sequence[str], tokens: Sequence[int]) -> tuple[Tensor, _Written]:
        before = _joined([self._written[name] for name in names if name in self._written])
        past = len(before.tokens)
        everything = torch.tensor([[*before.tokens, *tokens]], device=self._device)
        with self._earlier_inputs(before) as inputs:
            output = self.model(
                input_ids=everything,
                position_ids=torch.arange(everything.shape[1], device=self._device)[None],
                use_cache=False,
                logits_to_keep=1,
            )
        return output.logits[0, -1].float(), _Written(list(tokens), [x[:, past:] for x in inputs])

    @contextmanager
    def _earlier_inputs(self, before: _Written) -> Iterator[list[Tensor]]:
        """Put back what went into attention for the first tokens; gives what went in, layer by layer."""
        seen: list[Tensor] = []

        def put_back(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            given = args[0] if args else kwargs["hidden_states"]
            if before.tokens:
                earlier = before.inputs[len(seen)]
                given = torch.cat((earlier, given[:, earlier.shape[1] :]), dim=1)
            seen.append(given)
            return ((given, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": given})

        hooks = [layer.register_forward_pre_hook(put_back, with_kwargs=True) for layer in self._layers]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()


def _joined(parts: Sequence[_Written]) -> _Written:
    tokens = [token for part in parts for token in part.tokens]
    return _Written(tokens, [torch.cat(layer, dim=1) for layer in zip(*(p.inputs for p in parts), strict=True)])
