"""A folder brought to a kept state; doing it twice is as doing it once.

What was interrupted is simply done again, or taken back by bringing the folder to the state of
before.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import TEMPORARY, make_folder, sync_file, sync_folder
from dws_graph.backends.kept.listing import KeptFile
from dws_graph.backends.kept.store import ContentDamagedError, Store, StoreError
from dws_graph.errors import ConfigurationError
from dws_graph.resources.keeping import Bringing

_EXECUTE = 0o111


def bring(plan: Bringing, stores: Sequence[Store]) -> None:
    """Carry out a plan.

    Args:
        plan: What is to be done.
        stores: Asked in this order for each content.

    Raises:
        StoreError: A content is in none of the stores, or damaged; what was done stays.
        ConfigurationError: A file cannot be written.
    """
    base = os.path.join(os.fsencode(plan.folder), b"")
    try:
        for name in plan.delete:
            fault("bring: unlink")
            with suppress(FileNotFoundError):
                os.unlink(base + name)
        for name in sorted(plan.leave, key=len, reverse=True):
            with suppress(OSError):  # something else is in it
                os.rmdir(base + name)
        make_folder(plan.folder)
        for name in sorted(plan.folders):
            make_folder(_path(base, name))
        for name, file in sorted(plan.write.items()):
            _write(base, name, file, stores)
        for name, file in plan.modes.items():
            _set_mode(_path(base, name), file)
        for folder in sorted({os.path.dirname(base + name) for name in plan.write}):
            sync_folder(Path(os.fsdecode(folder)))
    except OSError as e:
        raise ConfigurationError(
            f"{os.fsdecode(e.filename or plan.folder)} cannot be written: {e.strerror}",
            hint="Make room there, or change its permissions; then run the command again.",
        ) from e


def _path(base: bytes, name: bytes) -> Path:
    return Path(os.fsdecode(base + name))


def _write(base: bytes, name: bytes, file: KeptFile, stores: Sequence[Store]) -> None:
    target = _path(base, name)
    make_folder(target.parent)
    temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        fetch(file, temporary, stores)
        if target.is_file() and not target.is_symlink():
            temporary.chmod(target.stat().st_mode & 0o7777)
        _set_mode(temporary, file)
        fault("bring: fsync")
        sync_file(temporary)
        if target.is_dir() and not target.is_symlink():
            _remove_folders(target)
        fault("bring: rename")
        os.replace(temporary, target)
    except StoreError as e:
        raise _about(e, target, temporary, stores) from e
    except OSError as e:
        if e.filename == str(temporary):  # a name that means nothing to anybody
            raise OSError(e.errno, e.strerror, str(target)) from e
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _about(error: StoreError, target: Path, temporary: Path, stores: Sequence[Store]) -> StoreError:
    """Why content did not come, of a file that the user knows."""
    message, hint = error.message.replace(str(temporary), str(target)), error.hint
    if isinstance(error, ContentDamagedError) and len(stores) == 1:
        hint = f"No other store is known to have it: take {target.name} from a backup"
        hint += ", or restore without this resource: --leave."
    if str(target) not in message:
        message = f"{target} cannot be brought: {message}"
    return StoreError(message, hint=hint)


def fetch(file: KeptFile, target: Path, stores: Sequence[Store]) -> None:
    """Copy a content to a new file, from the first store that has it.

    Raises:
        StoreError: What the last of them said, or the one that has it damaged.
    """
    said: StoreError | None = None
    for store in stores:
        try:
            store.fetch(file.sha1, target)
        except StoreError as e:
            said = said if isinstance(said, ContentDamagedError) else e
        else:
            return
    raise said or StoreError("there is no store of kept content")


def _set_mode(path: Path, file: KeptFile) -> None:
    mode = path.stat().st_mode & 0o777
    readers = (mode & 0o444) >> 2
    wanted = mode | readers if file.executable else mode & ~_EXECUTE
    if wanted != mode:
        path.chmod(wanted)


def _remove_folders(path: Path) -> None:
    """Remove a folder in which no file is left."""
    for top, _, _ in os.walk(path, topdown=False):
        os.rmdir(top)
