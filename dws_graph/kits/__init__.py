"""Adapters to other software, one module each."""
