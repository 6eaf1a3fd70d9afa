"""Microsoft Graph: from a request below /v1.0 or /beta to its answer. The tenant's rules are in `emulator.tenant`."""
