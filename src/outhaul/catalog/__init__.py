"""The catalog: accounts, keys, exports, slices and imports, one transaction per move."""
