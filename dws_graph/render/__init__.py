"""A piece of the lineage graph as a picture, a page, a text or a table."""
