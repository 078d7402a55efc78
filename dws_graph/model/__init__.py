"""What the product talks about: frozen dataclasses and their JSON; no I/O."""
