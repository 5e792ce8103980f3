"""The attention function that transformers calls, layer by layer.

Registered with transformers under `NAME`; a model that uses it hands over queries and keys rotated at block-local
positions. What to read comes from the step in force, not from a mask: transformers passes none. How it is computed is
the kernel's business (attention_kernels).

    query (1, heads, n, dim), key, value (1, kv_heads, n, dim) -> (1, n, heads, dim), n: new tokens of all rows, flat
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers.modeling_utils import AttentionInterface

from .attention_kernels import AttentionKernel, Scoring
from .step_plan import StepPlan

NAME = "voice_agent_blocks"

Answer = Callable[[nn.Module, Tensor, Tensor, Tensor, Scoring], Tensor]  # layer's module, query, key, value

_answer: contextvars.ContextVar[Answer] = contextvars.ContextVar("voice_agent_attention")


@contextmanager
def in_force(plan: StepPlan, kernel: AttentionKernel) -> Iterator[None]:
    """Let attention calls of this thread follow `plan`, computed by `kernel`."""

    def attend_blocks(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, scoring: Scoring) -> Tensor:
        layer = module.layer_idx
        assert isinstance(layer, int)
        return kernel.attend(plan, layer, query, key, value, scoring)

    with answered_by(attend_blocks):
        yield


@contextmanager
def answered_by(answer: Answer) -> Iterator[None]:
    """Let attention calls of this thread go to `answer`: query (heads, n, dim), ... -> (n, heads, value_dim)."""
    token = _answer.set(answer)
    try:
        yield
    finally:
        _answer.reset(token)


def register() -> None:
    """Make `NAME` known to transformers; calling it again changes nothing."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """The attention function of transformers' interface (transformers, integrations/sdpa_attention.py)."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scoring = Scoring(scale, sliding_window, softcap, s_aux)
    return _answer.get()(module, query[0], key[0], value[0], scoring)[None], None
