"""In what two matched nodes of two sides differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dws_graph.api.sides import Side
from dws_graph.backends.views import EnvironmentInfo, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.overlay import Difference
from dws_graph.model.subgraph import Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """Tells in what two matched nodes of two sides differ."""

    a: Side
    b: Side
    _seen: dict[tuple[str, str], tuple[Difference, ...]] = field(default_factory=dict)

    def other(self, side: Side) -> Side:
        """The other of the two sides."""
        return self.a if side is self.b else self.b

    def __call__(self, a: Node, b: Node) -> tuple[Difference, ...]:
        """See `model.overlay.Compare`."""
        key = (a.key, b.key)
        if key not in self._seen:
            self._seen[key] = tuple(self._differences(a, b))
        return self._seen[key]

    def _differences(self, a: Node, b: Node) -> list[Difference]:
        one, two = self.a.steps.get(a.key), self.b.steps.get(b.key)
        if one and two:
            return self.of_steps(one, two)
        before, after = self.a.certificates.get(a.key), self.b.certificates.get(b.key)
        if before is None or after is None or before.same_version(after):
            return []
        return [Difference("hash", "", *told(before, after))]

    def of_steps(self, a: StepInfo, b: StepInfo) -> list[Difference]:
        """In what two runs of a step differ: never in what came out of them."""
        found = differing("parameter", a.parameters, b.parameters)
        for what, before, after in (("input", a.inputs, b.inputs), ("code", a.code, b.code)):
            found += self._of_certificates(what, before, after)
        if a.commit != b.commit and not self._same_code(a, b):
            found.append(Difference("commit", "", a.commit, b.commit))
        if a.environment != b.environment:
            found += self.of_environments(a.environment, b.environment)
        return found

    def _of_certificates(
        self, what: str, a: Sequence[Certificate], b: Sequence[Certificate]
    ) -> list[Difference]:
        before = {str(c.ref): self.a.content(c) for c in a}
        after = {str(c.ref): self.b.content(c) for c in b}
        found = []
        for ref in dict.fromkeys([*before, *after]):
            one, two = before.get(ref), after.get(ref)
            if one is None or two is None or not one.same_version(two):
                found.append(Difference(what, ref, *told(one, two)))
        return found

    def _same_code(self, a: StepInfo, b: StepInfo) -> bool:
        """Whether the code is known to be the same: then its commit says nothing more.

        The commit of code in the workspace's own repository changes with each snapshot.
        """
        return bool(a.code) and not self._of_certificates("code", a.code, b.code)

    def of_environments(self, a: str | None, b: str | None) -> list[Difference]:
        """In what two environments, named by their hashes, differ."""
        one, two = self.a.environments.get(a or ""), self.b.environments.get(b or "")
        if one is None or two is None:
            return [Difference("environment", "", a, b)]
        about = differing(
            "environment",
            {"python": one.python, "platform": one.platform},
            {"python": two.python, "platform": two.platform},
        )
        return about + differing("package", _versions(one), _versions(two))


def told(a: Certificate | None, b: Certificate | None) -> tuple[str | None, str | None]:
    """Two versions that differ: their hashes, else where they stand; None where one is not there.

    Hashes are those of the resource, as everywhere, but where these are the same.
    """
    same = a is not None and b is not None and a.hash == b.hash

    def one(c: Certificate | None) -> str | None:
        if c is None:
            return None
        if c.hash is None:
            return c.status
        return c.content if same else c.hash

    return one(a), one(b)


def differing(what: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """The values that are other, or only in one; nested ones by their names with dots between."""
    one, two = flat(a), flat(b)
    return [
        Difference(what, name, one.get(name), two.get(name))
        for name in dict.fromkeys([*one, *two])
        if name not in one or name not in two or not _equal(one[name], two[name])
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their names with dots between."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _equal(a: Any, b: Any) -> bool:
    """Equal as JSON: 1 and true are not."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _versions(environment: EnvironmentInfo) -> dict[str, str]:
    pairs = (package.partition("==") for package in environment.packages)
    return {name: version for name, _, version in pairs}
