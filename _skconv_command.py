"""The command ``skconv``, outside of the package: Ctrl-C while the package is imported ends in one line, too."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command; return its exit code, 130 after Ctrl-C."""
    try:
        from skconv._command.main import main

        return main()
    except KeyboardInterrupt:
        print("skconv: interrupted", file=sys.stderr)
        return 130
