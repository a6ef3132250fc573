"""Secrets of keys and signatures of links. Knows no database; keys are handed in."""
