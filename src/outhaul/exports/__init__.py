"""What a caller can do with exports, whichever door the request came through."""
