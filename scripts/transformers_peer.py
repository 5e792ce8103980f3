"""transformers' own `generate` in a process of its own: what bench_peers compares with.

    python transformers_peer.py GGUF CONTEXT THREADS  then a line "step ROWS" or "prefill TOKENS" in -> milliseconds out

The weights are those of the GGUF file, dequantised by transformers to bfloat16. A step is one of several tokens that
`generate` adds to ROWS sequences of CONTEXT tokens; a prefill is `generate` for one token.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch
import transformers

NEW_TOKENS = 6  # behind one figure
TOKEN = 100  # any that is no special token


class Peer:
    def __init__(self, path: Path, context: int) -> None:
        self._model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.bfloat16
        ).eval()
        self._context = context
        self._caches: dict[int, transformers.DynamicCache] = {}

    @torch.inference_mode()
    def step(self, rows: int) -> float:
        prompt = torch.full((rows, self._context + 1), TOKEN)
        if rows not in self._caches:
            self._caches[rows] = self._model(prompt[:, :-1], use_cache=True, logits_to_keep=1).past_key_values
        cache = self._caches[rows]
        taken_ms = self._generate(prompt, NEW_TOKENS, past_key_values=cache)
        cache.crop(-NEW_TOKENS)  # what the prompt's last token and all new ones but the last have put there
        return taken_ms / NEW_TOKENS

    def prefill(self, tokens: int) -> float:
        return self._generate(torch.full((1, tokens), TOKEN), 1)

    def _generate(self, prompt: torch.Tensor, count: int, **options: Any) -> float:
        start_s = time.perf_counter()
        out = self._model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            min_new_tokens=count,
            max_new_tokens=count,
            **options,
        )
        taken_ms = (time.perf_counter() - start_s) * 1e3
        assert out.shape[1] == prompt.shape[1] + count
        return taken_ms


def main() -> None:
    path, context, threads = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(int(threads))
    peer = Peer(Path(path), int(context))
    print(f"{transformers.__version__}, torch {torch.__version__}, bfloat16", flush=True)
    for line in sys.stdin:
        what, number = line.split()
        print({"step": peer.step, "prefill": peer.prefill}[what](int(number)), flush=True)


if __name__ == "__main__":
    main()
