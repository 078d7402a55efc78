"""Where things are kept: git, the journal, and the views folded from it."""
