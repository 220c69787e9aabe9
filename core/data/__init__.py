"""Data: bytes in, a table of items and uint8 pixels out."""
