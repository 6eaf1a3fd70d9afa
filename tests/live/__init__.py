"""The live suite: asks a throw-away tenant what nobody knows (docs/live.md). `python -m tests.live`, or `make live`. It
runs in full against the emulator too; the tests beside it show that it can tell each answer from the others."""
