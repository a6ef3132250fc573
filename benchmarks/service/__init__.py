"""The server under load: latency, sharing between accounts, memory, cores, cancelling, data in."""
