"""Does: one file per tool, the engines that run model families, and the embedded pocket models."""
