"""How each pocket model is trained: one straight script per model."""
