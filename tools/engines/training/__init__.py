"""Training of models on a person's own pictures."""
