"""The HTTP side: listeners, the edge that logs requests and plays faults, the choice of protocol, and /admin."""
