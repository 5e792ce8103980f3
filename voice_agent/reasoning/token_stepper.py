"""One token step of the language model for several rows at once.

    rows: view + new tokens each -> logits after each row's last token

Rows are ragged and packed flat into one batch entry with explicit block-local positions, so that one row may carry a
token and another a dozen injected words and no padding is computed. Lengths and offsets are taken when the step
starts: a row reads other rows' blocks only up to there. The device is never waited for; whoever reads the logits waits.
Knows nothing of prompts, sampling or text. Call it from one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from .attention import in_force
from .attention_kernels import choose_attention
from .cache_block import CacheArena
from .cache_view import View, read_spans
from .placement import input_device, is_spread
from .rotation_probe import find_rotation
from .step_graph import StepGraphs, choose_capture
from .step_plan import RowStep, StepPlan, lay_out, plan_step


@dataclass(frozen=True)
class Row:
    """New tokens for the end of a view's last block.

    wanted: after how many of the last of them logits are given; 0 while a long text is fed in chunks.
    """

    view: View
    tokens: Sequence[int]
    wanted: int = 1


class TokenStepper:
    """A language model that reads views of blocks; it switches the model's attention to ours for good.

    kernel: as in the settings; where it is not native, attention is computed by torch (attention_kernels).
    cuda_graphs: capture the steps that recur, where the model lies on one GPU (step_graph).

    Raises:
        UnsupportedModel: rotations of this model do not compose.
        UnusableInput: the native kernel was asked for by name and was not built.
    """

    def __init__(self, model: PreTrainedModel, kernel: str = "auto", cuda_graphs: bool = True) -> None:
        self.attention = choose_attention(kernel)
        self.model = model.eval()
        self.rotation = find_rotation(self.model)
        self.device = input_device(model.get_input_embeddings())
        self._spread = is_spread(model)
        capture = choose_capture(cuda_graphs, model, self.device)
        self.graphs = StepGraphs(self.rotation, self.device, capture) if capture else None

    @torch.inference_mode()
    def step(self, rows: Sequence[Row]) -> torch.Tensor:
        """Feed every row's tokens; logits (as many as are wanted, vocabulary) float32, in row order.

        Raises:
            UnusableInput: a view would be longer than the model is exact over.
        """
        arena = rows[0].view.own.arena
        _check(rows, arena)
        for row in rows:
            row.view.own.reserve(len(row.tokens))  # may move blocks: before any span is read
        asked = [RowStep(row.tokens, read_spans(row.view), row.wanted) for row in rows]
        numbers = lay_out(asked, self.rotation)
        logits = self.graphs.logits(self.forward, arena, numbers) if self.graphs is not None else None
        if logits is None:
            logits = self.forward(plan_step(arena, numbers, self.rotation, self.device)).float()
        for row in rows:
            row.view.own.tokens.extend(row.tokens)
        return logits

    def forward(self, plan: StepPlan) -> torch.Tensor:
        """The model over a planned step: (logits that are wanted, vocabulary) in its own type."""
        tables = plan.tables
        with in_force(plan, self.attention):
            output = self.model(
                input_ids=tables.tokens[None],
                position_ids=tables.positions[None],
                use_cache=False,
                logits_to_keep=tables.last.cpu() if self._spread else tables.last,  # its layers may end on any device
            )
        return output.logits[0]


def _check(rows: Sequence[Row], arena: CacheArena) -> None:
    written = [id(row.view.own) for row in rows]
    assert len(set(written)) == len(written), "a block has one writer per step"
    assert all(row.tokens for row in rows), "a row without tokens cannot be stepped"
    assert all(block.arena is arena for row in rows for block in row.view.blocks), "rows of one step share one arena"
