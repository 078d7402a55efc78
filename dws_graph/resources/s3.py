"""Type `s3`: a bucket that keeps the versions of its objects, on AWS or a server that acts alike.

What it holds is its listing: which version each object has. Objects stay in the bucket. A restore
changes nothing there, for others use it: it says which listing is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from posixpath import normpath
from time import time_ns
from typing import Any

from dws_graph.errors import (
    ConfigurationError,
    JsonValueError,
    NotSupportedError,
    some_of,
)
from dws_graph.model.facts import Fingerprint
from dws_graph.model.values import Json, parse_json, take, take_or
from dws_graph.resources.base import Resource
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.mixins import FileResourceMixin
from dws_graph.resources.s3_bucket import Bucket, check_endpoint, check_name
from dws_graph.resources.s3_kept import Kept
from dws_graph.resources.s3_listing import BucketListing, counts
from dws_graph.resources.terms import (
    RESOURCE_ROLE_CHOICES,
    Content,
    Listing,
    ResourceRoles,
    ResourceWorkspace,
    Taken,
)

S3 = "s3"
ROLES = tuple(role for role in RESOURCE_ROLE_CHOICES if role != ResourceRoles.RESULTS)
WITH_KEYS = "dws deploy run --env AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY"
NAMED = 5  # objects that a message names
NOTHING = "nothing"  # the fingerprint of a part that is not there


class S3Resource(Resource, FileResourceMixin):
    """See the module.

    Attributes:
        bucket_name: Of the bucket.
        endpoint: Of its server; None: as boto3 is configured on this machine.
    """

    keeps = True

    def __init__(
        self,
        name: str,
        role: str,
        workspace: ResourceWorkspace,
        *,
        bucket_name: str,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(S3, name, role, workspace)
        self.bucket_name = bucket_name
        self.endpoint = endpoint
        self._now: BucketListing | None = None
        self._there: set[tuple[str, str]] | None = None

    def get_params(self) -> Json:
        """See `Resource`."""
        return {
            "resource_type": self.resource_type,
            "name": self.name,
            "role": self.role,
            "bucket_name": self.bucket_name,
        }

    def get_local_params(self) -> Json:
        """See `Resource`: a server that is this machine's choice."""
        return {} if self.endpoint is None else {"endpoint": self.endpoint}

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket itself."""
        endpoint = None if self.endpoint is None else check_endpoint(self.endpoint)
        return Bucket(self.bucket_name, endpoint)

    @cached_property
    def kept(self) -> Kept:
        """What is kept of its listings."""
        return Kept(self.workspace, self.name, self.bucket, self.kept_file)

    # What state it is in

    def look_again(self) -> None:
        """See `Resource`: what the bucket holds is asked once, until this is called."""
        self._now = self._there = None

    def listing(self) -> BucketListing:
        """What is read here: the listing that was restored, else the bucket's own."""
        restored = self.kept.read_here()
        return self._bucket_now() if restored is None else self.listing_at(restored)

    def listing_at(self, hashval: str) -> BucketListing:
        """A listing by its hash.

        Raises:
            ConfigurationError: It is kept nowhere.
        """
        found = self.kept.listing(hashval)
        if found is None:
            raise ConfigurationError(
                f"the listing {hashval[:8]} of {self} is kept neither here nor in {self.bucket}",
                hint="Was it deleted from .snapshots/ there? Its versions say what it was.",
            )
        return found

    def _bucket_now(self) -> BucketListing:
        if self._now is None:
            found: dict[str, str] = {}
            for version in self.bucket.versions():
                if version.is_latest and counts(version.key):
                    found.setdefault(version.key, version.id)
            self._now = BucketListing(found)
        return self._now

    def gone(self, listing: BucketListing) -> list[str]:
        """The keys of objects whose version is not in the bucket any more."""
        if self._there is None:
            self._there = {(v.key, v.id) for v in self.bucket.versions()}
        return [key for key, v in listing.versions.items() if (key, v) not in self._there]

    def fingerprint(self, subpath: str | None = None) -> Fingerprint | None:
        """See `Resource`: the hash of the listing."""
        return Fingerprint(self.listing().hash_of(subpath) or NOTHING, time_ns())

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        """See `Resource`."""
        return fingerprint.digest == (self.listing().hash_of(subpath) or NOTHING)

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`; read again, versions that were deleted from the bucket do not count."""
        found = self.listing()
        if reread and self.kept.read_here() is not None and (gone := self.gone(found)):
            found = found.without(gone)
        of_subpath = None if subpath is None else found.hash_of(subpath)
        return Content(found.hash, of_subpath, found.hash)

    def known_as(self, hashval: str) -> str | None:
        """See `Resource`."""
        return hashval

    def files_at(self, hashval: str) -> Listing | None:
        """See `Resource`."""
        found = self.kept.listing(hashval)
        return None if found is None else _files(found)

    def files_now(self, cache: StatCache | None = None) -> Listing | None:
        """See `Resource`."""
        return _files(self.listing())

    def held(self, hashval: str, subpath: str) -> bool | None:
        """See `Resource`."""
        found = self.kept.listing(hashval)
        return None if found is None else found.hash_of(subpath) is not None

    def check_kept(self, hashval: str, subpath: str | None = None) -> tuple[bool, str] | None:
        """See `Resource`: whether the bucket still has the versions."""
        found = self.kept.listing(hashval)
        if found is None:
            return False, f"its listing {hashval[:8]} is kept nowhere"
        part = found if subpath is None else BucketListing(found.below(subpath))
        gone = self.gone(part)
        if gone:
            return False, f"deleted from {self.bucket}: {some_of(gone, NAMED)}"
        return True, f"{len(part)} versions are in {self.bucket}"

    # Snapshots and restores

    def snapshot_precheck(self) -> None:
        """See `Resource`."""
        self.bucket.check()

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`."""
        found = self.listing()
        notes = []
        files = self.kept_files(self.kept.keep(found))
        if files:
            notes.append(f"{self.bucket} may not be written: the workspace keeps its listing")
        if self.kept.read_here() is not None:
            notes.append(f"{self} is read as it was restored: {self._follow}")
        return Taken(
            found.hash,
            found.hash,
            files=files,
            notes=tuple(notes),
            subpath_hash=found.hash_of,
            known_as=found.hash,
        )

    def restore_precheck(self, restore_hashval: str) -> None:
        """See `Resource`: every version must be in the bucket still."""
        listing = self.listing_at(restore_hashval)
        try:
            gone = self.gone(listing)
        except ConfigurationError:
            if self.kept.read_here() == restore_hashval:  # nothing is going to change
                return
            raise
        if gone:
            raise ConfigurationError(
                f"{self} cannot be restored: {self.bucket} has no longer the versions of "
                f"{some_of(gone, NAMED)}",
                hint=f"They were deleted there. Leave it as it is: --leave {self.name}",
            )

    def save_uncommitted(self) -> str | None:
        """See `Resource`: the listing that is read now."""
        found = self.listing()
        self.kept.keep_here(found)
        return found.hash

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """See `Resource`; what is in the bucket now anyway is followed as it goes on."""
        self.listing_at(restore_hashval)
        try:
            follows = self._bucket_now().hash == restore_hashval
        except ConfigurationError:  # a restore that is taken back needs no network
            follows = False
        self.kept.read_from_now(None if follows else restore_hashval)
        if follows:
            return ()
        return (f"what {self.bucket} holds now is kept there: {self._follow}",)

    @property
    def _follow(self) -> str:
        return f"to read it as it is, type: dws pull --only {self.name}"

    # Sharing

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        return f"its objects are in {self.bucket}, where every copy reads them"

    def not_pulled(self) -> str | None:
        """See `Resource`: one that was restored can follow the bucket again."""
        return self.not_pushed() if self.kept.read_here() is None else None

    def tells_incoming(self) -> bool:
        """See `Resource`: nothing is brought here."""
        return False

    def pull(self) -> tuple[str, ...]:
        """See `Resource`: from now on the bucket is read as it is."""
        if self.kept.read_here() is None:
            return ()
        self.look_again()
        self._bucket_now()
        self.kept.read_from_now(None)
        return (f"{self} is read from {self.bucket} as it is now",)

    def take_along(self, copy: Path, restore_hashval: str | None) -> tuple[str, ...]:
        """See `Resource`: the listing that is read here, and those of its objects that are here."""
        try:
            hashval = self.kept.read_here() or restore_hashval
            if hashval is None:
                return (f"{self} is in no snapshot: nothing of {self.bucket} is in the image",)
            listing = self.listing_at(hashval)
            objects = self.filesystem(hashval).kept()
        except ConfigurationError as e:
            return (f"{self}: nothing of {self.bucket} is in the image: {e.message}",)
        self.kept.give(copy, listing, objects)
        told = f"{self}: {len(objects)} of {len(listing)} objects, those that were read here, are "
        return (f"{told}in the image; what else is read there needs the bucket: {WITH_KEYS}",)

    # Files

    def filesystem(self, snapshot_hash: str | None = None) -> Any:
        """The objects as a file system of fsspec, to be read; paths are keys.

        Args:
            snapshot_hash: The hash of the resource in a snapshot; None: what is read here.
        """
        try:
            from dws_graph.resources.s3_view import BucketView, ObjectCache
        except ImportError as e:
            raise NotSupportedError(
                f"{self} cannot be read: a package is missing ({e.name})",
                hint="Type: pip install 'dws-graph[s3]'",
            ) from e
        listing = self.listing() if snapshot_hash is None else self.listing_at(snapshot_hash)
        return BucketView(self.bucket, listing, ObjectCache(self.kept.objects))

    def open(self, rel_path: str, mode: str = "rb") -> Any:
        """An object as it is read here; see `filesystem`."""
        return self.filesystem().open(rel_path, mode)

    def ls(self, rel_path: str = "") -> list[str]:
        """The paths in a folder, as they are read here."""
        found: list[str] = self.filesystem().ls(rel_path, detail=False)
        return found

    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        """See `Resource`."""
        found, key = self.listing(), subpath.strip("/")
        if must_be_file:
            return found.is_file(key)
        return found.is_folder(key) or (not must_be_directory and found.is_file(key))

    def add_results_file(self, data: Json | list[Any], rel_dest_path: str) -> None:
        """See `FileResourceMixin`."""
        self.bucket.put(self._writable(rel_dest_path), json.dumps(data, indent=2).encode())
        self.look_again()

    def read_results_file(self, subpath: str) -> Json:
        """See `FileResourceMixin`."""
        if not self.does_subpath_exist(subpath, must_be_file=True):
            raise ConfigurationError(f"{self} has no file '{subpath}'")
        where = f"s3://{self.bucket_name}/{subpath}"
        hint = f"Mend {where}, or delete it; then run the command again."
        data = parse_json(self.filesystem().cat_file(subpath), file=where, hint=hint)
        if not isinstance(data, dict):
            raise JsonValueError("does not hold a JSON object", file=where, hint=hint)
        return data

    def upload_file(self, src_local_path: str, rel_dest_path: str) -> None:
        """See `FileResourceMixin`."""
        source = Path(src_local_path)
        if not source.is_file():
            raise ConfigurationError(f"there is no file {src_local_path}")
        self.bucket.upload(source, self._writable(rel_dest_path))
        self.look_again()

    def delete_file(self, rel_path: str) -> None:
        """See `FileResourceMixin`; its versions stay in the bucket."""
        key = self._writable(rel_path)
        if not self.does_subpath_exist(key, must_be_file=True):
            raise ConfigurationError(f"{self} has no file '{rel_path}'")
        self.bucket.delete(key)
        self.look_again()

    def check_writable(self) -> None:
        """Refuse to write to a bucket of which an earlier listing is read here.

        Raises:
            NotSupportedError: The hint says how to read it as it is.
        """
        if self.kept.read_here() is not None:
            raise NotSupportedError(
                f"{self} is read as it was restored, and what is written to {self.bucket} would "
                "not be seen here",
                hint=f"First {self._follow}",
            )

    def output_precheck(self) -> None:
        """See `Resource`."""
        self.check_writable()

    def _writable(self, rel_path: str) -> str:
        self.check_writable()
        key = normpath(rel_path)
        if key.startswith(("/", "../")) or key in (".", "..") or not counts(key):
            raise ConfigurationError(f"'{rel_path}' is no file of {self}")
        return key

    def results_move_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> object:
        """Refused: a bucket holds no results."""
        raise NotSupportedError(f"{self} is a bucket, which holds no results")

    results_copy_current_files = results_move_current_files


def _files(listing: BucketListing) -> Mapping[bytes, str]:
    return {key.encode(): version for key, version in listing.versions.items()}


class S3Factory(ResourceFactory):
    """Makes `S3Resource`."""

    roles = ROLES

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> S3Resource:
        """See `ResourceFactory`: `bucket_name, endpoint=None`."""
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(
        self,
        role: str,
        name: str,
        workspace: ResourceWorkspace,
        bucket_name: str,
        endpoint: str | None = None,
    ) -> S3Resource:
        if role not in ROLES:
            raise ConfigurationError(
                f"a bucket has the role {', '.join(ROLES[:-1])} or {ROLES[-1]}, not {role}",
                hint=f"Add it with --role {ResourceRoles.INTERMEDIATE_DATA}.",
            )
        check_name(bucket_name)
        if endpoint is not None:
            endpoint = check_endpoint(endpoint)
        made = S3Resource(name, role, workspace, bucket_name=bucket_name, endpoint=endpoint)
        made.bucket.check()
        made.kept.read_from_now(None)  # one of this name, removed since, may have been restored
        return made

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> S3Resource:
        """See `ResourceFactory`."""
        return S3Resource(
            take(params, "name", str),
            take(params, "role", str),
            workspace,
            bucket_name=take(params, "bucket_name", str),
            endpoint=take_or(local_params, "endpoint", str),
        )

    def suggest_name(self, workspace: ResourceWorkspace, role: str, *args: Any) -> str:
        """See `ResourceFactory`."""
        return str(args[0])


FACTORY = S3Factory()
