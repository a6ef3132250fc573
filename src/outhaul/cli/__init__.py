"""The `outhaul` command."""
