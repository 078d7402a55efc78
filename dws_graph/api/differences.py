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
from dws_graph.model.values import parsed_or_text
from dws_graph.workspace.shell_lines import shell_line


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
        found += of_commands(a.command_line, b.command_line, found)
        for what, before, after in (("input", a.inputs, b.inputs), ("code", a.code, b.code)):
            found += self._of_certificates(what, before, after)
        if any(d.what == "code" and is_known(d) for d in found):
            one, two = self.a.commit_of(a), self.b.commit_of(b)
            if one != two:
                found.append(
                    Difference("commit", "", *(str(at) if at else None for at in (one, two)))
                )
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


def of_commands(
    one: Sequence[str] | None, two: Sequence[str] | None, parameters: Sequence[Difference]
) -> list[Difference]:
    """A command line that is another, but for where its program lies, and for the parameters.

    What a script takes from its command line may be recorded as a parameter as well: then that
    says it.
    """
    if not one or not two or _plain(one) == _plain(two):
        return []
    changed = [pair for p in parameters for pair in ((p.a, p.b), (str(p.a), str(p.b)))]
    if len(one) == len(two) and all(
        pair in changed or tuple(map(parsed_or_text, pair)) in changed
        for pair in map(_values, _plain(one), _plain(two))
        if pair[0] != pair[1]
    ):
        return []
    return [Difference("command", "", shell_line(one), shell_line(two))]


def _plain(command: Sequence[str]) -> list[str]:
    return [command[0].rpartition("/")[2], *command[1:]]


def _values(a: str, b: str) -> tuple[str, str]:
    """Two words of command lines, less the name of the option that both give."""
    (one, _, first), (two, _, second) = a.partition("="), b.partition("=")
    return (first, second) if one == two and one.startswith("-") else (a, b)


def is_known(difference: Difference) -> bool:
    """Whether two things are known to differ: of a version not kept nobody can tell."""
    if difference.what not in ("input", "code", "hash"):
        return True
    return not {"pending", "not kept"} & {difference.a, difference.b}


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
