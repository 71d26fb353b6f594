"""The tests: each module mirrors the one it tests; nothing of ours is mocked."""
