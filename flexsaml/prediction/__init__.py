"""What a sign-in will deliver to Flex, and the evidence for it (the rules of docs/sign-in.md)."""
