"""What a person should know, told by the log `dws_graph`: an application may send it elsewhere.

Where nobody takes it, as in most scripts and notebooks, it goes to stderr. Python's last resort
would print it there too, but not say that it is a warning.
"""

from __future__ import annotations

import logging
import sys

log = logging.getLogger("dws_graph")
_NOTE = "dws_note"


def tell(message: str) -> None:
    """Say what goes on: waiting, recovery. It is no warning, but is to be seen."""
    log.warning("%s", message, extra={_NOTE: True})


def told(record: logging.LogRecord) -> str:
    """The line of it, which says what it is."""
    kind = "Note" if getattr(record, _NOTE, False) else record.levelname.capitalize()
    return f"{kind}: {record.getMessage()}"


class _LastResort(logging.Handler):
    """Prints what no other handler takes, as the command `dws` would."""

    def emit(self, record: logging.LogRecord) -> None:
        if self._is_taken(logging.getLogger(record.name)):
            return
        try:
            print(told(record), file=sys.stderr, flush=True)  # noqa: T201 - there is no terminal of ours here
        except (OSError, ValueError):
            self.handleError(record)

    def _is_taken(self, logger: logging.Logger | None) -> bool:
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return True
            logger = logger.parent if logger.propagate else None
        return False


log.addHandler(_LastResort(logging.WARNING))
