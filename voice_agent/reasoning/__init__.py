"""Words to thoughts and spoken words: asynchronous reasoning over shared key-value blocks (torch, transformers only)."""
