"""The program itself: its name and its version."""

NAME = "Fitting Room"


def program_version() -> str:
    """The version that runs."""
    # Imported here: the decoder of uploads loads this module, and never asks.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fitting-room")
    except PackageNotFoundError:  # run from a source folder, as a Space does
        return "source"
