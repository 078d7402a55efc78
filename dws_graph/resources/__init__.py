"""Resource types, one module each, and their registry."""
