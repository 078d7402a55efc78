"""The commands of dws, one module a command: parse, call one use case, print."""
