"""A reproducible sample shop, and a demonstration of the whole export job on it."""
