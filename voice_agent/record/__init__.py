"""What a conversation leaves behind: trace.jsonl, conversation.wav, summary.json, timeline.png."""
