"""The workspace repository and its metadata files; the only user of GitPython."""
