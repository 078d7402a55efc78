"""Every error of the product: a message, a hint, and the facts as attributes.

The message is one sentence that names the thing; the hint says what to do next. Nobody parses
the sentence: what a caller may need stands in attributes.
"""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 8  # of a list in a message


def some_of(names: Sequence[object], shown: int = SHOWN) -> str:
    """The names in a sentence, the first of many, with how many more there are."""
    said = ", ".join(map(str, names[:shown]))
    return f"{said} and {len(names) - shown} more" if len(names) > shown else said


class DwsError(Exception):
    """Base of all errors: `message` says what is, `hint` says what to do next."""

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Message and hint: what a traceback, or a notebook, shows."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigurationError(DwsError):
    """Something about the workspace, its resources or the request does not fit."""


class ChangedMeanwhileError(ConfigurationError):
    """A file was changed, or went away, while it was read: trying again may do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Run the command again when nothing writes to it.")


class PathNotAResourceError(ConfigurationError):
    """A path on disk lies in no resource of the workspace."""


class NotSupportedError(ConfigurationError):
    """This resource or workspace cannot do what was asked."""


class ParamNotFoundError(ConfigurationError):
    """No configuration parameter has this name."""


class ParamValidationError(ConfigurationError):
    """A parameter's value is outside what it accepts."""


class ParamParseError(ConfigurationError):
    """A parameter's text cannot be read as its type."""


class LineageError(ConfigurationError):
    """Something about recorded lineage does not fit."""


class LineageConsistencyError(LineageError):
    """A step would depend on two versions of one ref."""


class LineageConflictError(LineageError):
    """Two refs of one kind cover one another."""


class RunConflictError(LineageError):
    """A program outside says something else of a run than it said before."""


class LineageNotFoundError(LineageError):
    """There is no lineage for what was asked."""


class LineagePlaceHolderError(LineageError):
    """A placeholder that a snapshot needs has no hash."""


class SnapshotNotFoundError(ConfigurationError):
    """No snapshot has this tag or hash."""


class AmbiguousSnapshotError(ConfigurationError):
    """A hash prefix fits several snapshots."""

    def __init__(self, prefix: str, found: Sequence[str]) -> None:
        super().__init__(
            f"'{prefix}' fits {len(found)} snapshots: {some_of(found)}",
            hint="Give more digits of the hash, or a tag.",
        )
        self.prefix = prefix
        self.found = tuple(found)


class GitError(ConfigurationError):
    """Git is missing, too old, or refused what was asked of it."""


class QueryError(ConfigurationError):
    """A Cypher query was refused, failed or took too long."""


class SelectionError(ConfigurationError):
    """A filter of the graph cannot be understood, or answered.

    Attributes:
        start: Where in its text.
        end: Up to where; both None where it is a `term` as such.
        term: The text of that.
    """

    def __init__(
        self,
        message: str,
        start: int | None = None,
        end: int | None = None,
        *,
        term: str = "",
        hint: str = "",
    ) -> None:
        where = "" if start is None else f" (at character {start + 1})"
        super().__init__(
            f"{message}{where}",
            hint=hint or "Write a name, +NAME, KEY:VALUE, and, or, not, parentheses.",
        )
        self.start = start
        self.end = start if end is None else end
        self.term = term


class CommandNotRunError(ConfigurationError):
    """A command is not there, or cannot be run; the exit status is a shell's, 127 or 126."""

    def __init__(self, message: str, *, hint: str = "", exit_status: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_status = exit_status


class BatchModeError(DwsError):
    """An answer is needed, and nobody may be asked."""


class ApiParamError(DwsError):
    """A function of the API was called with arguments that do not fit together."""


class UserAbort(DwsError):  # noqa: N818  # the name of Data Workspaces 1.6
    """The user answered no."""


class InternalError(DwsError):
    """A file or a view is not as this project writes it."""


class JournalError(InternalError):
    """The journal is damaged, or from a later version."""


class JournalMisfitError(JournalError):
    """A line of the journal does not go on from what a view has applied.

    Attributes:
        instance: Whose journal it is.
    """

    def __init__(self, message: str, *, hint: str = "", instance: str) -> None:
        super().__init__(message, hint=hint)
        self.instance = instance


class ViewError(InternalError):
    """A view (index, Neo4j, embedded Cypher) cannot be read or written."""


class ViewAmendedError(ViewError):
    """A view holds facts that a later one amends (undone, renamed): it is to be folded anew."""


class ViewUnavailableError(ViewError):
    """A view's server cannot be used now; the facts stay in the journal."""


class JsonError(InternalError):
    """A JSON file does not hold what it must; names the file and the key."""

    def __init__(self, message: str, *, file: str = "", key: str = "", hint: str = "") -> None:
        where = f"{file}: " if file else ""
        super().__init__(f"{where}{message}", hint=hint)
        self.reason = message
        self.file = file
        self.key = key


class JsonKeyError(JsonError):
    """A key is absent."""


class JsonTypeError(JsonError):
    """A value has another type than the format demands."""


class JsonValueError(JsonError):
    """A value, or the text as a whole, is outside what the format allows."""
