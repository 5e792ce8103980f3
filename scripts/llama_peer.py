"""llama.cpp in a process of its own, with its own threads: what bench_peers compares with.

    python llama_peer.py GGUF CONTEXT THREADS      then a line "step ROWS" or "prefill TOKENS" in -> milliseconds out

Rows are sequences that share CONTEXT tokens, as our streams share blocks. Needs llama-cpp-python only.
"""

import ctypes
import sys
import time

import llama_cpp as llama

MOST_ROWS = 3
LONGEST_PREFILL = 512


class Peer:
    def __init__(self, path: str, context: int, threads: int) -> None:
        llama.llama_backend_init()
        self._silent = llama.llama_log_callback(lambda level, text, data: None)
        llama.llama_log_set(self._silent, ctypes.c_void_p(0))
        self._model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = context + LONGEST_PREFILL + 64
        parameters.n_batch = LONGEST_PREFILL
        parameters.n_seq_max = MOST_ROWS + 1
        parameters.kv_unified = True  # sequences share cells
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context = llama.llama_init_from_model(self._model, parameters)
        self._batch = llama.llama_batch_init(LONGEST_PREFILL, 0, 1)
        self._memory = llama.llama_get_memory(self._context)
        self._length = context
        for first in range(0, context, LONGEST_PREFILL):
            self._decode([(0, p) for p in range(first, min(context, first + LONGEST_PREFILL))], logits=False)
        for row in range(1, MOST_ROWS):
            llama.llama_memory_seq_cp(self._memory, 0, row, -1, -1)

    def step(self, rows: int) -> float:
        taken_ms = self._decode([(row, self._length) for row in range(rows)], logits=True)
        for row in range(rows):
            llama.llama_memory_seq_rm(self._memory, row, self._length, -1)
        return taken_ms

    def prefill(self, tokens: int) -> float:
        taken_ms = self._decode([(MOST_ROWS, p) for p in range(tokens)], logits=False)
        llama.llama_memory_seq_rm(self._memory, MOST_ROWS, -1, -1)
        return taken_ms

    def _decode(self, tokens: list[tuple[int, int]], *, logits: bool) -> float:
        """Milliseconds for (sequence, position) tokens; without `logits` only the last one gets them."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (row, position) in enumerate(tokens):
            batch.token[i], batch.pos[i] = 100 + i, position
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, row
            batch.logits[i] = logits or i == len(tokens) - 1
        start_s = time.perf_counter()
        if llama.llama_decode(self._context, batch):
            raise RuntimeError("llama.cpp could not decode the batch")
        llama.llama_synchronize(self._context)
        return (time.perf_counter() - start_s) * 1e3


def main() -> None:
    path, context, threads = sys.argv[1:]
    peer = Peer(path, int(context), int(threads))
    print(llama.__version__, flush=True)
    for line in sys.stdin:
        what, number = line.split()
        print({"step": peer.step, "prefill": peer.prefill}[what](int(number)), flush=True)


if __name__ == "__main__":
    main()
