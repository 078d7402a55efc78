"""What the program rclone says when it fails, as a sentence and what to type next."""

from __future__ import annotations

import re

from dws_graph.errors import ConfigurationError
from dws_graph.model.said import own_words
from dws_graph.model.secrets import scrub_text

KNOWN_ONES = "See those it knows: rclone listremotes. Make one: rclone config."
_STAMP = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:(?:ERROR|CRITICAL|Fatal error) ?: ?)?")

# What went wrong, by what rclone says; the first that fits.
_MEANINGS = (
    (
        r"didn't find section in config file|unknown remote|not found in config",
        "rclone knows no such remote",
        KNOWN_ONES,
    ),
    (
        r"unable to decrypt|RCLONE_CONFIG_PASS|password to decrypt|Couldn't decrypt",
        "rclone's configuration is encrypted",
        "Set RCLONE_CONFIG_PASS, or RCLONE_PASSWORD_COMMAND, and run the command again.",
    ),
    (
        r"[Ff]ailed to load config file",
        "rclone's configuration cannot be read",
        "Mend it: rclone config.",
    ),
    (
        r"ExpiredToken|token.{0,20}expired|expired.{0,20}token|InvalidAccessKeyId|invalid_grant"
        r"|SignatureDoesNotMatch|InvalidToken|AccessDenied|[Uu]nauthorized|Forbidden"
        r"|unable to authenticate|NoCredentialProviders|status code: 40[13]"
        r"|[Ii]nvalid credentials|InvalidClientTokenId",
        "access is denied",
        "Renew the credentials of the remote: rclone config, or rclone config reconnect NAME:.",
    ),
    (
        r"[Pp]ermission denied",
        "something there may not be read, or written",
        "Change its permissions, and run the command again.",
    ),
    (
        r"no space left|disk full|QuotaExceeded|quota.{0,20}exceeded",
        "there is no space left",
        "Make room, and run the command again.",
    ),
    (
        r"dial tcp|no such host|connection refused|i/o timeout|network is unreachable"
        r"|[Tt]imeout exceeded|couldn't connect|connection reset|TLS handshake",
        "it cannot be reached",
        "Run the command again when it can be: it goes on from there.",
    ),
    (
        r"directory not found|bucket.{0,20}not exist|NoSuchBucket|object not found",
        "there is nothing at that path",
        "See what there is: rclone lsf REMOTE:.",
    ),
)


class RcloneError(ConfigurationError):
    """Rclone failed.

    Attributes:
        status: Its exit status.
        said: Its last words.
    """

    def __init__(self, message: str, *, hint: str = "", status: int = 1, said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status, self.said = status, said


def missing(error: OSError) -> RcloneError:
    """The program itself cannot be run."""
    return RcloneError(
        f"the program rclone cannot be run: {error.strerror}",
        hint="Install it: the package rclone of your system, or https://rclone.org/install.",
    )


def last_words(said: str) -> str:
    """The last entry of a log, which may go over several lines."""
    entries: list[str] = []
    for line in said.splitlines():
        if _STAMP.match(line) or not entries:
            entries.append(line)
        else:
            entries[-1] += f" {line.strip()}"
    told = [_STAMP.sub("", entry) for entry in entries if " NOTICE: " not in entry]
    return told[-1] if told else ""


def failed_with(said: str, status: int, remote: str) -> RcloneError:
    """What rclone's last words mean, in one sentence.

    Args:
        said: The words.
        status: It ended with.
        remote: `name:path`; empty where rclone was to read its configuration.
    """
    what = f"'{remote}'" if remote else "its configuration"
    words = scrub_text(" ".join(said.split()))
    path = remote.partition(":")[2]
    own = own_words(said, [remote, path, path.partition("/")[0]], is_go=True)
    for pattern, meaning, hint in _MEANINGS:
        if re.search(pattern, own):
            return RcloneError(f"{what}: {meaning} ({words})", hint=hint, status=status, said=words)
    return RcloneError(
        f"rclone failed at {what}: {words or f'exit status {status}'}",
        hint="Nothing that was here is lost. Run the command again: it goes on from there.",
        status=status,
        said=words,
    )
