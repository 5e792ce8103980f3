"""Language models with quantised weights on the CPU: read from GGUF once, kept packed, multiplied as integers.

gguf_source   a GGUF file                     -> configuration, tokenizer, tensors with transformers' names
gguf_blocks   the blocks of one GGUF tensor   -> codes and scales
layout        codes and scales                -> PackedWeight: tiles that decoding and prefill share
store         packed model                   <-> a folder beside the GGUF, memory-mapped
kernels       which code multiplies them: native, torch or plain; chosen here and nowhere else
linears       the modules that stand in for nn.Linear and nn.Embedding
native_build  compiles ../native, once, when set-up asks for it
"""
