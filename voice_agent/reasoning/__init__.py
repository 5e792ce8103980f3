"""Words to thoughts and spoken words: asynchronous reasoning over shared blocks (torch and transformers only)."""
