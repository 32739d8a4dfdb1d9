"""The error of a file that does not fit a command."""

__all__ = ["FileError"]


class FileError(ValueError):
    """What a file has does not fit; the message is one line for the user."""
