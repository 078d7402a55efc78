"""A bucket, through boto3: what is asked of the server, and what its refusals mean.

Credentials, region and endpoint are boto3's affair (environment, `~/.aws`, the machine's role):
nothing of them is kept or shown here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dws_graph.backends.faults import fault
from dws_graph.errors import ConfigurationError, NotSupportedError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")
_MD5 = re.compile(r"[0-9a-f]{32}")
CONNECT_TIMEOUT, READ_TIMEOUT, ATTEMPTS = 5, 30, 3  # seconds, seconds, tries
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
UNKNOWN_KEY = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "InvalidClientTokenId",
}
DENIED = {"AccessDenied", "AllAccessDisabled", "Forbidden", "403"}
GONE = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405"}
SIGN_IN = "Get new ones (with single sign-on: aws sso login), then run the command again."
ASK = "Ask who keeps the bucket for: "

Seen = Callable[[int], None]
"""Told how many objects were listed so far."""


class DeniedError(ConfigurationError):
    """The credentials do not allow it."""


class GoneError(ConfigurationError):
    """There is no such object, or no such version of it any more."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object.

    Attributes:
        key: Of the object.
        id: Of the version.
        size: In bytes.
        etag: The server's digest.
        is_latest: Whether it is what the object is now.
    """

    key: str
    id: str
    size: int
    etag: str
    is_latest: bool = True


def check_name(name: str) -> None:
    """Refuse what is no name of a bucket.

    Raises:
        ConfigurationError: The hint says what to type.
    """
    if NAME.fullmatch(name):
        return
    bare, _, part = name.removeprefix("s3://").strip("/").partition("/")
    hint = f"Type the name alone: {bare}." if NAME.fullmatch(bare) else "Type the bucket's name."
    if part and NAME.fullmatch(bare):
        hint += f" Steps can name a part of it: {bare}:/{part}."
    raise ConfigurationError(f"'{name}' is no name of a bucket", hint=hint)


def check_endpoint(url: str) -> str:
    """The URL of a server, without what does not belong there.

    Raises:
        ConfigurationError: It is no http(s) URL, or holds a user or password.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ConfigurationError(
            "the endpoint holds a user or a password, which would be kept in a file",
            hint="Leave them out: credentials come from the environment or ~/.aws/credentials.",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            "the endpoint is no http or https URL of a server",
            hint="Type it so: --endpoint https://minio.example.org:9000",
        )
    return url.rstrip("/")


class Bucket:
    """A bucket of a server.

    Attributes:
        name: Of the bucket.
        endpoint: Of the server; None: as boto3 is configured.
    """

    def __init__(self, name: str, endpoint: str | None = None) -> None:
        self.name = name
        self.endpoint = endpoint

    def __str__(self) -> str:
        return f"bucket '{self.name}'"

    @cached_property
    def _client(self) -> Any:
        check_name(self.name)
        self._check_installed()
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            request_checksum_calculation="when_required",  # other servers than AWS know no other
            response_checksum_validation="when_required",
        )
        with self._told():
            session = boto3.session.Session()
            region = None if session.region_name else "us-east-1"  # AWS redirects from there
            return session.client(
                "s3", endpoint_url=self.endpoint, config=config, region_name=region
            )

    def _check_installed(self) -> None:
        try:
            import boto3  # noqa: F401
        except ImportError as e:
            raise NotSupportedError(
                f"{self} cannot be used: the package boto3 is not installed",
                hint="Type: pip install 'dws-graph[s3]'",
            ) from e

    # What is there

    def check(self) -> None:
        """Refuse a bucket that is not there, cannot be read, or keeps no versions.

        Raises:
            ConfigurationError: The hint says what to do.
        """
        with self._told("s3:GetBucketVersioning"):
            status = self._client.get_bucket_versioning(Bucket=self.name).get("Status")
        if status != "Enabled":
            now = "suspended" if status == "Suspended" else "not turned on"
            raise ConfigurationError(
                f"versioning is {now} for {self}: an object that is overwritten would be lost",
                hint="Turn it on: aws s3api put-bucket-versioning --bucket "
                f"{self.name} --versioning-configuration Status=Enabled",
            )
        with self._told("s3:ListBucketVersions"):
            self._client.list_object_versions(Bucket=self.name, MaxKeys=1)

    def versions(self, prefix: str = "", seen: Seen | None = None) -> Iterator[Version]:
        """All versions of all objects, page by page; deleted objects are what has no latest."""
        with self._told("s3:ListBucketVersions"):
            pages = self._client.get_paginator("list_object_versions")
            count = 0
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                found = page.get("Versions", ())
                count += len(found)
                if seen is not None:
                    seen(count)
                for v in found:
                    yield Version(v["Key"], v["VersionId"], v["Size"], _etag(v), v["IsLatest"])
                if page.get("IsTruncated") and not page.get("NextKeyMarker"):
                    raise ConfigurationError(
                        f"the server of {self} broke the listing off after {count} versions",
                        hint="It does not list as S3 does: keep the bucket on another server.",
                    )

    def version(self, key: str, version_id: str) -> Version:
        """What the server says of a version; from its listing, for some say it of the newest else.

        Raises:
            GoneError: It is not there any more.
        """
        for found in self.versions(prefix=key):
            if found.key != key:  # longer ones follow
                break
            if found.id == version_id:
                return found
        raise GoneError(f"version {version_id} of '{key}' is not in {self} any more")

    def whole(self, key: str, version_id: str, limit: int) -> tuple[Version, bytes | None]:
        """A version and its bytes, checked; None instead where there are more than `limit`.

        Raises:
            GoneError: It is not there any more.
            ConfigurationError: Other bytes came than there are.
        """
        with self._told("s3:GetObjectVersion", key):
            answer = self._client.get_object(Bucket=self.name, Key=key, VersionId=version_id)
            version = Version(key, version_id, answer["ContentLength"], _etag(answer))
            if version.size > limit:
                answer["Body"].close()
                return version, None
            data: bytes = answer["Body"].read()
        self._check_size(version, len(data), version.size)
        # keys of one's own at the server make the tag something else than the MD5
        is_md5 = _MD5.fullmatch(version.etag) and "SSEKMSKeyId" not in answer
        is_md5 = is_md5 and "SSECustomerAlgorithm" not in answer
        if is_md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != version.etag:
            raise ConfigurationError(
                f"'{key}' of {self} came damaged: its MD5 is another", hint="Run the command again."
            )
        return version, data

    def read(self, version: Version, start: int = 0, end: int | None = None) -> bytes:
        """Bytes of a version.

        Raises:
            GoneError: It is not there any more.
            ConfigurationError: Fewer bytes came than there are.
        """
        end = version.size if end is None else min(end, version.size)
        if start >= end:
            return b""
        with self._told("s3:GetObjectVersion", version.key):
            answer = self._client.get_object(
                Bucket=self.name,
                Key=version.key,
                VersionId=version.id,
                Range=f"bytes={start}-{end - 1}",
                IfMatch=f'"{version.etag}"',
            )
            data: bytes = answer["Body"].read()
        self._check_size(version, len(data), end - start)
        return data

    def _check_size(self, version: Version, came: int, wanted: int) -> None:
        if came != wanted:
            raise ConfigurationError(
                f"'{version.key}' of {self} broke off: {came} of {wanted} bytes came",
                hint="Run the command again.",
            )

    def get(self, key: str) -> bytes | None:
        """An object as it is now; None: there is none."""
        try:
            with self._told("s3:GetObject", key):
                answer = self._client.get_object(Bucket=self.name, Key=key)
                data: bytes = answer["Body"].read()
        except GoneError:
            return None
        return data

    # What is changed there

    def put(self, key: str, data: bytes) -> None:
        """Write an object, a version of its own."""
        fault("s3: put")
        with self._told("s3:PutObject", key):
            self._client.put_object(Bucket=self.name, Key=key, Body=data)

    def upload(self, path: Path, key: str) -> None:
        """The same with a file's content, in parts when it is large."""
        fault("s3: upload")
        with self._told("s3:PutObject", key):
            self._client.upload_file(str(path), self.name, key)

    def delete(self, key: str) -> None:
        """Take an object away; its versions stay."""
        fault("s3: delete")
        with self._told("s3:DeleteObject", key):
            self._client.delete_object(Bucket=self.name, Key=key)

    # What refusals mean

    @contextmanager
    def _told(self, permission: str = "", key: str | None = None) -> Iterator[None]:
        """Say what went wrong, and what to do, without a secret."""
        self._check_installed()
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.exceptions import ConnectionError as NoConnectionError

        try:
            yield
        except ClientError as e:
            raise self._refusal(e, permission, key) from e
        except S3UploadFailedError as e:
            cause = e.__cause__ or e.__context__
            if isinstance(cause, ClientError):
                raise self._refusal(cause, permission, key) from e
            raise ConfigurationError(f"'{key}' was not uploaded to {self}") from e
        except (HTTPClientError, NoConnectionError) as e:
            raise self._unreachable(e) from e
        except BotoCoreError as e:
            raise self._misconfigured(e) from e

    def _refusal(self, error: Any, permission: str, key: str | None) -> ConfigurationError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in EXPIRED:
            return ConfigurationError(f"the credentials for {self} have expired", hint=SIGN_IN)
        if code in UNKNOWN_KEY:
            return ConfigurationError(
                f"the server does not know the credentials for {self}",
                hint="Look at AWS_ACCESS_KEY_ID or AWS_PROFILE, and ~/.aws/credentials.",
            )
        if code == "NoSuchBucket" or (code in GONE and key is None):
            return ConfigurationError(
                f"there is no {self}{self._where}",
                hint="Look at its name, and at the server: AWS_ENDPOINT_URL, or --endpoint.",
            )
        if code in DENIED:
            what = f"'{key}' of {self}" if key else str(self)
            return DeniedError(
                f"the credentials do not allow to use {what}", hint=f"{ASK}{permission}."
            )
        if code in GONE:
            return GoneError(f"'{key}' is not in {self} any more, or not in that version")
        if code == "PreconditionFailed":
            return GoneError(f"'{key}' of {self} is another object than before")
        if code == "RequestTimeTooSkewed":
            return ConfigurationError(
                f"{self} cannot be read: the clock of this machine is wrong", hint="Set it."
            )
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
        return ConfigurationError(
            f"the server refused to use {self}: {code or status}", hint="Try again later."
        )

    def _unreachable(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"the server of {self}{self._where} cannot be reached ({_kind(error)})",
            hint="Look at the network and at AWS_ENDPOINT_URL, then run the command again.",
        )

    def _misconfigured(self, error: Exception) -> ConfigurationError:
        kind = type(error).__name__
        if "Profile" in kind:
            return ConfigurationError(
                f"the profile for {self} is not in ~/.aws/config", hint="Look at AWS_PROFILE."
            )
        if "Credentials" in kind or "Token" in kind or "SSO" in kind or "Login" in kind:
            missing = kind in ("NoCredentialsError", "PartialCredentialsError")
            return ConfigurationError(
                f"there are no credentials for {self}"
                if missing
                else f"the credentials for {self} cannot be had ({_kind(error)})",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or type: "
                "aws configure",
            )
        return ConfigurationError(
            f"{self} cannot be used as boto3 is configured ({_kind(error)})",
            hint="Look at AWS_ENDPOINT_URL, AWS_REGION and ~/.aws/config.",
        )

    @property
    def _where(self) -> str:
        """The server, for messages, without what may be secret in its URL."""
        url = urlsplit(str(self._client.meta.endpoint_url)) if "_client" in vars(self) else None
        if url is None or not url.hostname or url.hostname.endswith(".amazonaws.com"):
            return ""
        return f" at {url.hostname}" + (f":{url.port}" if url.port else "")


def _etag(answer: Any) -> str:
    return str(answer.get("ETag", "")).strip('"')


def _kind(error: Exception) -> str:
    """What a kind of error is called, in words: `ConnectTimeoutError` is `connect timeout`."""
    words = re.findall(
        r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", type(error).__name__.removesuffix("Error")
    )
    return " ".join(words).lower()
