"""`python -m outhaul` is the same as the `outhaul` command."""

from outhaul.cli.app import main

main()
