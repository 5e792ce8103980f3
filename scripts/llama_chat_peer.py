"""llama.cpp in a process of its own, answering from the model's own chat template: what compare_outright compares with.

    python llama_chat_peer.py GGUF CONTEXT THREADS     a JSON line {"question", "most_tokens"} in,
                                                       {"text", "tokens", "finished"} out

Greedy, one question at a time, nothing before it. Needs llama-cpp-python only.
"""

import json
import sys

import llama_cpp


def main() -> None:
    path, context, threads = sys.argv[1:]
    llama = llama_cpp.Llama(
        path, n_ctx=int(context), n_threads=int(threads), n_threads_batch=int(threads), verbose=False
    )
    print(json.dumps({"version": llama_cpp.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = llama.create_chat_completion(
            [{"role": "user", "content": asked["question"]}],
            max_tokens=asked["most_tokens"],
            temperature=0.0,
            repeat_penalty=1.0,
        )
        (choice,) = answer["choices"]
        told = {
            "text": choice["message"]["content"] or "",
            "tokens": answer["usage"]["completion_tokens"],
            "finished": choice["finish_reason"] == "stop",
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
