"""Work that only jobs do; nothing of it is chosen by a question."""
