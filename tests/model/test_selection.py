"""The language of filters: its text, its laws, and what it selects, beside a naive evaluation."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import SelectionError
from dws_graph.model.selecting import Known, select
from dws_graph.model.selection import ALL, VALUES, And, Around, Not, Or, Selection, Term, both
from dws_graph.model.selection_text import DEEPEST, LONGEST, MOST_TERMS, parsed
from dws_graph.model.subgraph import Edge, Node, NodeKind, Subgraph

WORDS = st.text("ab*?./-_:12é", min_size=1, max_size=6)
PATTERNS = ("name", "resource", "workspace", "tag", "stale")
STEPS = st.one_of(st.none(), st.just(ALL), st.integers(0, 3))
MOMENTS = ("2026-01-01", "2026-01-03T00:00:00Z", "2026-01-02T12:00")


def words_of_name() -> st.SearchStrategy[str]:
    """Without a quotation a name has no colon, unless a path follows."""
    return WORDS.filter(lambda w: ":" not in w or w.partition(":")[2].startswith("/"))


TERMS: st.SearchStrategy[Selection] = st.one_of(
    st.builds(Term, st.just("name"), words_of_name()),
    st.builds(Term, st.sampled_from(PATTERNS[1:]), WORDS),
    st.builds(Term, st.sampled_from(PATTERNS), st.text(min_size=1, max_size=6), st.just(True)),
    *(
        st.builds(Term, st.just(key), st.sampled_from(values), st.just(True))
        for key, values in VALUES.items()
    ),
    st.builds(Term, st.sampled_from(("since", "before")), st.sampled_from(MOMENTS)),
)


def larger(inner: st.SearchStrategy[Selection]) -> st.SearchStrategy[Selection]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    around = st.builds(Around, inner, STEPS, STEPS)
    return st.one_of(
        around.filter(lambda a: (a.up, a.down) != (None, None)),
        st.builds(Not, inner),
        st.builds(And, several),
        st.builds(Or, several),
    )


SELECTIONS = st.recursive(TERMS, larger, max_leaves=8)


@given(SELECTIONS)
def test_what_is_written_is_read_as_it_was(selection: Selection):
    assert parsed(str(selection)) == selection


@given(st.text("ab +()\"'\\:12and or not\n\x00", max_size=30))
def test_any_text_is_understood_or_the_place_is_told(text: str):
    found = understood(text)
    if isinstance(found, SelectionError):
        assert found.start is not None
        assert found.end is not None
        assert 0 <= found.start <= found.end <= len(text)
        assert f"character {found.start + 1}" in found.message
        assert found.hint
    else:
        assert (found is None) == (not text.strip())
        assert found is None or parsed(str(found)) == found


def understood(text: str) -> Selection | SelectionError | None:
    try:
        return parsed(text)
    except SelectionError as error:
        return error


NAMES = ("a", "b", "ab", "a:/b")


@st.composite
def graphs(draw: st.DrawFn) -> Subgraph:
    """Steps and what they read and wrote, in the order of their making; nothing is a cycle."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    many = draw(st.integers(1, 9))
    for n in range(many):
        is_step = draw(st.booleans())
        properties = {
            "workspace": draw(st.sampled_from(("w1", "w2"))),
            "status": "completed" if is_step else "hashed",
        }
        properties |= (
            {"start_time": f"2026-01-0{1 + n % 4}T00:00:00.000000Z"}
            if is_step
            else {"resource": draw(st.sampled_from(NAMES)), "role": draw(st.sampled_from(ROLES))}
        )
        kind: NodeKind = "step" if is_step else "certificate"
        name = draw(st.sampled_from(NAMES))
        node = Node(key=f"k{n}", kind=kind, name=name, properties=properties)
        for other in nodes:
            if (other.kind == "step") != is_step and draw(st.booleans()):
                edges.append(Edge(other.key, node.key, "READ_BY" if is_step else "WROTE"))
        nodes.append(node)
    return Subgraph(root="k0", complete=True, nodes=tuple(nodes), edges=tuple(edges))


ROLES = ("code", "results")
KNOWN = Known(
    stale={"k1": ["input changed: a"], "k2": ["code changed: b", "input changed: ab"]},
    tagged={"a": frozenset({"k0", "k3"}), "ab": frozenset({"k1"})},
    workspaces={"w1": "a", "w2": "b"},
)


@given(graphs(), SELECTIONS, SELECTIONS, SELECTIONS)
def test_and_or_not_keep_the_laws(g: Subgraph, a: Selection, b: Selection, c: Selection):
    def keys(selection: Selection) -> frozenset[str]:
        return select(selection, g, KNOWN)

    every = frozenset(n.key for n in g.nodes)
    assert keys(Not(Not(a))) == keys(a) <= every
    assert keys(Not(And((a, b)))) == keys(Or((Not(a), Not(b))))
    assert keys(And((a, Or((b, c))))) == keys(Or((And((a, b)), And((a, c)))))
    assert keys(Or((a, Not(a)))) == every
    assert not keys(And((a, Not(a))))
    assert both(None, a, None, b) == And((a, b))
    assert both(None, a) == a


@given(graphs(), SELECTIONS)
def test_a_selection_is_what_the_naive_way_finds(g: Subgraph, selection: Selection):
    assert select(selection, g, KNOWN) == {n.key for n in g.nodes if holds(selection, n, g)}


def holds(selection: Selection, node: Node, g: Subgraph) -> bool:
    """Whether one node is selected, by the words of the documentation, as slow as it may be."""
    if isinstance(selection, Not):
        return not holds(selection.of, node, g)
    if isinstance(selection, (And, Or)):
        each = [holds(part, node, g) for part in selection.parts]
        return all(each) if isinstance(selection, And) else any(each)
    if isinstance(selection, Term):
        return term_holds(selection, node, g)
    if holds(selection.of, node, g):
        return True
    middle = [n for n in g.nodes if holds(selection.of, n, g)]
    for depth, ahead in ((selection.down, True), (selection.up, False)):
        ways = [steps_to(node, m, g, ahead) for m in middle]
        if depth is not None and any(way is not None and way <= depth for way in ways):
            return True
    return False


def steps_to(b: Node, a: Node, g: Subgraph, ahead: bool) -> int | None:
    """How many steps the best way from `a` to `b` comes into; None: there is no way."""
    if a.key == b.key:
        return 0
    ways = []
    for edge in g.edges:
        here, there = (edge.source, edge.target) if ahead else (edge.target, edge.source)
        rest = steps_to(b, g.node(there), g, ahead) if here == a.key else None
        if rest is not None:
            ways.append(rest + (g.node(there).kind == "step"))
    return min(ways, default=None)


def term_holds(term: Term, node: Node, g: Subgraph) -> bool:
    said = {name: str(value) for name, value in node.properties.items()}
    if term.key == "name":
        return matches(term, node.name) or term.text == node.key
    if term.key == "kind":
        is_code = said.get("role") == "code"
        return term.text == ("step" if node.kind == "step" else "code" if is_code else "data")
    if term.key in ("role", "resource", "status"):
        return matches(term, said.get(term.key, ""))
    if term.key == "workspace":
        return matches(term, said["workspace"]) or matches(
            term, KNOWN.workspaces[said["workspace"]]
        )
    if term.key == "is":
        return node.key in KNOWN.stale
    if term.key == "stale":
        reasons = KNOWN.stale.get(node.key, ())
        return any(matches(term, r) or matches(term, r.split(": ")[0]) for r in reasons)
    if term.key == "tag":
        of = {key for tag, keys in KNOWN.tagged.items() if matches(term, tag) for key in keys}
        wrote = {e.target for e in g.edges if e.source == node.key and e.type == "WROTE"}
        return node.key in of or bool(wrote & of)
    time = time_of(node, g)
    moment = {"2026-01-01": "2026-01-01T00"}.get(term.text, term.text.rstrip("Z"))
    return time is not None and (time >= moment if term.key == "since" else time < moment)


def time_of(node: Node, g: Subgraph) -> str | None:
    if node.kind == "step":
        return str(node.properties["start_time"])
    wrote = [g.node(e.source) for e in g.edges if e.target == node.key]
    read = [g.node(e.target) for e in g.edges if e.source == node.key]
    if wrote:
        return str(wrote[-1].properties["start_time"])
    return min((str(s.properties["start_time"]) for s in read), default=None)


def matches(term: Term, said: str) -> bool:
    """A pattern, character by character."""
    if term.exact:
        return term.text == said
    return glob(term.text, said)


def glob(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


READ = (
    ("model", Term("name", "model")),
    ("+model", Around(Term("name", "model"), up=ALL)),
    ("2+model", Around(Term("name", "model"), up=2)),
    ("model+1", Around(Term("name", "model"), down=1)),
    ("+model+", Around(Term("name", "model"), up=ALL, down=ALL)),
    ("2", Term("name", "2")),
    ("1+2+3", Around(Term("name", "2"), up=1, down=3)),
    ("results:/a", Term("name", "results:/a")),
    ("tag:v1 and NOT is:stale", And((Term("tag", "v1"), Not(Term("is", "stale"))))),
    (
        "a or b and c",
        Or((Term("name", "a"), And((Term("name", "b"), Term("name", "c"))))),
    ),
    ("+(kind:step and t*)", Around(And((Term("kind", "step"), Term("name", "t*"))), up=ALL)),
    ("name:'a \"b\"'", Term("name", 'a "b"', exact=True)),
    ("status:'not kept'", Term("status", "not kept", exact=True)),
    ("   ", None),
)


@pytest.mark.parametrize(("text", "means"), READ)
def test_a_filter_means(text: str, means: Selection | None):
    assert parsed(text) == means


WRONG = (
    ("a b", 2, 3, "'b' stands where"),
    ("a and", 5, 5, "the filter ends where a name"),
    ("and a", 0, 3, "'and' stands where"),
    ("(a or b", 0, 1, "a parenthesis is not closed"),
    ("a)", 1, 2, "')' stands where"),
    ("a + b", 2, 3, "'+' stands where"),
    ("+ b", 0, 1, "a + touches"),
    ('name:"a', 5, 7, "a quotation is not closed"),
    ("colour:red", 0, 7, "there is no 'colour:'"),
    ("a and kind:stap", 11, 15, "'stap' is no kind"),
    ("is:old", 3, 6, "nothing is 'old'"),
    ("since:yesterday", 6, 15, "'yesterday' is no time"),
    ("tag:", 0, 4, "after 'tag:' comes a value"),
    ("1000000+a", 0, 7, "steps are too many"),
    ("(" * (DEEPEST + 1) + "a", DEEPEST + 1, DEEPEST + 2, "nested"),
    ("not " * (DEEPEST + 1) + "a", 4 * DEEPEST, 4 * DEEPEST + 3, "nested"),
    (" or ".join(["a"] * (MOST_TERMS + 1)), 5 * MOST_TERMS, 5 * MOST_TERMS + 1, "terms"),
    ("a" * (LONGEST + 1), LONGEST, LONGEST + 1, "characters"),
)


@pytest.mark.parametrize(("text", "start", "end", "said"), WRONG)
def test_an_error_points_at_the_place(text: str, start: int, end: int, said: str):
    with pytest.raises(SelectionError, match=re.escape(said)) as raised:
        parsed(text)

    assert (raised.value.start, raised.value.end) == (start, end)
