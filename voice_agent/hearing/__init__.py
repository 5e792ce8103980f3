"""Sound to words: microphone, speech detection, streaming recognition, end of turn."""
