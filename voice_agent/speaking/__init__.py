"""Spoken words to sound: spoken form, clauses, voice, loudspeaker."""
