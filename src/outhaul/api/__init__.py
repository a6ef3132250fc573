"""The HTTP edge: the contract's requests in, its answers out; it decides nothing about exports."""
