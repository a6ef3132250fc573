"""From a queued export to its archive: plan, slices, assembly."""
