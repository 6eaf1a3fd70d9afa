"""Handlers: parse the call, ask the tenant, render the answer. A rule found here belongs in the tenant."""
