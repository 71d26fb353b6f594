"""The pocket world: a small drawn world, and the small models that learned it from scratch."""
