"""What a stack asks for, parsed and validated."""
