"""The attention function that transformers calls, layer by layer.

Registered with transformers under `NAME`; a model that uses it hands over queries and keys rotated at block-local
positions. What to read comes from the step in force, not from a mask: transformers passes none. How it is computed is
the kernel's business (attention_kernels).

    query (1, heads, n, dim), key, value (1, kv_heads, n, dim) -> (1, n, heads, dim), n: new tokens of all rows, flat
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers.modeling_utils import AttentionInterface

from .attention_kernels import AttentionKernel, Scoring
from .step_plan import StepPlan

NAME = "voice_agent_blocks"

_step: contextvars.ContextVar[tuple[StepPlan, AttentionKernel]] = contextvars.ContextVar("voice_agent_step")


@contextmanager
def in_force(plan: StepPlan, kernel: AttentionKernel) -> Iterator[None]:
    """Let attention calls of this thread follow `plan`, computed by `kernel`."""
    token = _step.set((plan, kernel))
    try:
        yield
    finally:
        _step.reset(token)


def register() -> None:
    """Make `NAME` known to transformers; calling it again changes nothing."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function of transformers' interface (transformers, integrations/sdpa_attention.py)."""
    plan, kernel = _step.get()
    layer = module.layer_idx
    assert isinstance(layer, int)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scoring = Scoring(scale, sliding_window, softcap, s_aux)
    return kernel.attend(plan, layer, query[0], key[0], value[0], scoring)[None], None
