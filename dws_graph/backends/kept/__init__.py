"""Kept content: stores of files by hash, and the lists of what is named in them."""
