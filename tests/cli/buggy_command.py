"""A command that fails as a bug does. A helper, not a test."""

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(given: argparse.Namespace) -> int:
    del given
    raise LookupError("Blue Team\nerror: forged")
