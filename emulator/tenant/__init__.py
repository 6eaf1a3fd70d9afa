"""The tenant itself: its state, the rules about it, and the durable copy. Knows no HTTP; refuses in Graph's words."""
