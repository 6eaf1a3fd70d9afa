"""Handlers: parse the call, ask the tenant, render the answer. A rule in a handler belongs in `emulator.tenant`."""
