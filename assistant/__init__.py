"""Talks and decides: from a question to an answer with evidence."""
