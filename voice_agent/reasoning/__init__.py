"""Words to thoughts and spoken words: asynchronous reasoning over shared blocks (torch and transformers only).

conversations
    reasoner         questions and words heard -> events: the loop, and what stays of past turns (dialogue)
    answer           one turn: which streams move in the next step, and what their new tokens mean (modes)
    thinker, writer  the private and the voiced stream; both are a stream of tokens whose text is out piece by piece
                     (stream, text_stream)
    speech           when the writer writes, drafts or is asked about, and what its words become
    speak_gate       may the writer speak; second_reading: does what it said still hold; safety: may it answer at all;
                     relevance: do words that were heard belong here
    prompts          everything the model is told; sampling: how it chooses; stated_numbers: which numbers a text states

the model
    engine           rows of all conversations -> steps; start_cache: what the next start need not compute again
    token_stepper    rows of views -> logits; step_plan: their tables; step_graph: steps that are replayed on a GPU
    cache_block      keys and values, cut into blocks; cache_view: which blocks a row reads, and where they stand
    rotation         how far a query turns; rotation_probe asks the model, placing_limits its configuration
    attention        transformers' switch to the kernels (attention_kernels, triton_attention, native/)
    self_check       blocks against whole, when an engine is made, beside a plain twin (rerotating_twin)
    model_loading    a name -> model and tokenizer; packed/: quantised weights; placement, memory_need: where they fit
"""
