"""Arguments of the command ``skconv``, errors in one line, exit codes."""

from __future__ import annotations

import argparse
import re
import sys
import warnings

from .. import __version__
from .._input.constraints import shown
from . import actions

__all__ = ["main"]

_SIDE = re.compile("[1-9][0-9]{0,9}")  # of a picture, in pixels
_DATA = "a folder with a folder of pictures for each class, an .npz file with X and y, or a .csv file with a header"


def main(arguments=None) -> int:
    """Run the command ``skconv``.

    Parameters
    ----------
    arguments : list of str, default=None
        Arguments; None takes those of the command line.

    Returns
    -------
    int
        0; 1 after an error, which is one line on the standard error; 130 after Ctrl-C.  Wrong arguments exit with 2.
    """
    options = _parser().parse_args(arguments)
    shown = warnings.showwarning
    try:
        warnings.showwarning = _show_warning
        return options.action(options)
    except KeyboardInterrupt:
        actions.say("skconv: interrupted")
        return 130
    except BrokenPipeError:  # the reader of the output, such as `head`, has gone
        sys.stderr.close()
        return 1
    except (ValueError, TypeError, AttributeError, OSError, ImportError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        actions.say(f"skconv: error: {text}")
        return 1
    finally:
        warnings.showwarning = shown


def _show_warning(message, category, filename, lineno, file=None, line=None):
    actions.say(f"skconv: warning: {' '.join(str(message).split())}")


def _parser():
    parser = argparse.ArgumentParser(
        prog="skconv", description="Convolutional networks: train, predict, inspect, export."
    )
    parser.add_argument("--version", action="version", version=f"skconv {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_train(commands)
    _add_predict(commands)
    inspect = commands.add_parser("inspect", help="print what a model file has", description=actions.inspect.__doc__)
    inspect.add_argument("model", metavar="MODEL", help="file of a model")
    inspect.set_defaults(action=actions.inspect)
    export = commands.add_parser("export", help="write a model as ONNX", description=actions.export.__doc__)
    export.add_argument("model", metavar="MODEL", help="file of a model")
    export.add_argument("out", metavar="FILE", help="new file, .onnx or .safetensors")
    export.add_argument("--force", action="store_true", help="overwrite the file")
    export.set_defaults(action=actions.export)
    return parser


def _add_train(commands):
    train = commands.add_parser(
        "train", help="train a network and save it", description=actions.train.__doc__,
        epilog="The model is trained on what is not held out; --hold-out 0 trains it on all samples.",
    )  # fmt: skip
    train.add_argument("data", metavar="DATA", help=_DATA)
    train.add_argument("model", metavar="MODEL", help="new file of the model")
    train.add_argument("--target", metavar="NAME", help="column of a .csv file, or array of an .npz file, to learn")
    train.add_argument("--task", choices=["classification", "regression"], help="default: by the targets")
    train.add_argument("--size", type=_size, metavar="HxW", help="size to which pictures are scaled, such as 64x64")
    train.add_argument("--channels", type=int, choices=[1, 3, 4], help="channels of pictures: 1 is grey, 3 is colour")
    train.add_argument("--hold-out", type=_share, default=0.2, metavar="SHARE", help="share to test on, default 0.2")
    train.add_argument("--seed", type=_seed, default=0, help="random seed, default 0")
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="parameter of the network, such as max_iter=20"
    )
    train.add_argument("--quiet", action="store_true", help="print no line for each epoch")
    train.add_argument("--force", action="store_true", help="overwrite the file of the model")
    train.set_defaults(action=actions.train)


def _add_predict(commands):
    predict = commands.add_parser("predict", help="predict samples", description=actions.predict.__doc__)
    predict.add_argument("model", metavar="MODEL", help="file of a model")
    predict.add_argument("data", metavar="DATA", help="a folder of pictures, a picture, an .npz or a .csv file")
    predict.add_argument("--proba", action="store_true", help="probabilities of the classes too")
    predict.add_argument("--target", metavar="NAME", help="column of a .csv file that is no feature")
    predict.add_argument("--out", metavar="FILE", help="new .csv file; default: the standard output")
    predict.add_argument("--force", action="store_true", help="overwrite the file")
    predict.set_defaults(action=actions.predict)


def _size(text):
    """``(height, width)`` of ``HxW``."""
    sides = text.lower().split("x")
    if len(sides) not in (1, 2) or not all(_SIDE.fullmatch(side) for side in sides):
        raise argparse.ArgumentTypeError(f"must be HxW in pixels, such as 64x64, got {shown(text)}")
    return int(sides[0]), int(sides[-1])


def _share(text):
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to below 1, got {shown(text)}")
    return share


def _seed(text):
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 4294967295, got {shown(text)}")
    return int(text)
