"""The tenant itself: state, invariants and their durable copy. Knows no HTTP; refuses in Graph's words."""
