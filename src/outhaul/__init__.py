"""Outhaul: a self-hosted bulk-export server for contacts and activities."""

__version__ = "0.1.0"
