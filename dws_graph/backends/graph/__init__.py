"""The graph: all Cypher is here, and the only users of Neo4j and kglite."""
