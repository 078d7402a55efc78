"""Run `dws` as `python -m dws_graph`."""

from dws_graph.cli import main

if __name__ == "__main__":
    main(prog_name="dws")
