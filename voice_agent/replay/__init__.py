"""Scripted conversations: a user made of sound files speaks to the assistant, as a regression test."""
