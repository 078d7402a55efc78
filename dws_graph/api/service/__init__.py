"""The lineage service: HTTP for programs, pages for people, of one workspace or a team's graph."""
