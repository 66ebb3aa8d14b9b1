"""What other services send in: proof of who sent it, what it says as records of the inbox, and keeping it safe."""
