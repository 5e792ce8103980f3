"""Language models with quantised weights: read from GGUF or rounded once, kept packed, multiplied as they lie.

gguf_source   a GGUF file                     -> configuration, tokenizer, tensors with transformers' names
gguf_blocks   the blocks of one GGUF tensor   -> codes and scales
transformers_source   any other model         -> the same, its linears rounded to 8 or 4 bits
rounding      floats                          -> codes and scales
in_place      a model that is in memory       -> the same model, its linears rounded
layout        codes and scales                -> PackedWeight: tiles that decoding and prefill share
store         packed model                   <-> a folder beside its source, or in the cache (cache_folder)
kernels       which code multiplies them, and where: native, triton, torch or plain; chosen here and nowhere else
triton_linears   the kernels for a GPU
linears       the modules that stand in for nn.Linear and nn.Embedding
native_build  compiles ../native, once, when set-up asks for it
"""
