"""Every page, of the demo and of hostile names: it answers, and holds nothing that acts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.service import hostile
from tests.service.processes import Served

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ACTING = re.compile(r"on[a-z]+|style|srcdoc|formaction|http-equiv|ping", re.ASCII)
ADDRESSES = ("href", "src", "action", "data-from", "data-scripts", "poster", "data")


class Read(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and its scripts' texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def check(text: str) -> None:
    """Nothing acts but scripts of this service's own files; nothing is loaded from elsewhere."""
    read = Read(text)
    assert not any(script.strip() for script in read.scripts)
    for tag, attributes in read.tags:
        assert tag not in ("iframe", "object", "embed", "base", "style", "i", "b"), tag
        if tag == "img":  # of ours alone
            assert (attributes.get("src") or "/result/pic").startswith("/result/pic"), attributes
        for name, value in attributes.items():
            assert not ACTING.fullmatch(name), (tag, name)
            if name in ADDRESSES and tag != "svg":
                assert re.match(r"(/(?![/\\])|#|\?)", value or ""), (tag, name, value)
    assert "pwned" not in "".join(read.scripts)


@pytest.fixture(params=["local", "of_hostile"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    served: Served = request.getfixturevalue(request.param)
    with served.client(headers=HTML) as made:
        yield made


def first(client: httpx.Client, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1{path}").json()["items"][0]
    return found


def addresses(client: httpx.Client) -> dict[str, str]:
    """An address of each page, by its name."""
    workspace = first(client, "/workspaces")["id"]
    snapshots = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    steps = [row["id"] for row in client.get("/api/v1/steps").json()["items"]]
    step = client.get(f"/api/v1/steps/{steps[0]}").json()
    at, ref = f"/workspaces/{workspace}", step["outputs"][0]["ref"]["name"]
    shots = [("s", one["hash"]) for one in snapshots]
    wrong = hostile.SCRIPT
    unlike = f'not "{hostile.SCRIPT}"'
    return {
        "overview": "/",
        "workspace": at,
        "heat map": f"{at}?colours=heat&sort=taken&order=asc",
        "baseline": f"{at}?colours=baseline&baseline={shots[-1][1]}&filter=e",
        "snapshot": f"{at}/snapshots/{shots[0][1]}",
        **({"compare": f"{at}/compare?{urlencode(shots)}"} if len(shots) > 1 else {}),
        "steps": "/steps",
        "filtered": f"/steps?{urlencode({'name': step['name'], 'status': 'completed'})}",
        **{f"step {n}": f"/steps/{one}" for n, one in enumerate(steps)},
        "certificate": f"/certificates/{step['outputs'][0]['id']}",
        "read": f"/certificates/{step['inputs'][0]['id']}",
        "graph": f"/graph?node={steps[0]}",
        "graph of a ref": f"/graph?{urlencode({'workspace': workspace, 'ref': ref})}",
        "graph of all": f"/graph?workspace={workspace}",
        "graph of then": f"/graph?{urlencode({'workspace': workspace, 'at': shots[-1][1]})}",
        "graph of a ref then": f"/graph?workspace={workspace}&ref={quote(ref)}&at={shots[0][1]}",
        "two graphs": f"/graph?workspace={workspace}&against={shots[-1][1]}",
        "graph by filter": f"/graph?{urlencode({'node': steps[0], 'filter': unlike})}",
        "a wrong filter": f"/graph?{urlencode({'node': steps[0], 'filter': wrong})}",
        "graph by kind": f"/graph?node={steps[0]}&kind=data&since=2026-01-01",
        "slice": f"/graph?node={step['inputs'][0]['id']}&to={step['outputs'][0]['id']}",
        "impact": f"/impact?node={step['inputs'][0]['id']}&sort=name&order=desc",
        "impact of a ref": f"/impact?{urlencode({'workspace': workspace, 'ref': ref})}",
        "graph of versions": f"/graph?node={steps[0]}&detail=certificates&limit=2&depth=1",
        "search": "/search?q=a",
        "search of a kind": "/search?q=a&kind=step",
        **results(client, workspace),
        "search hostile": f"/search?q={quote(hostile.NAMES[1])}",
        "cypher": f"/cypher?query={quote(hostile.SCRIPT)}",
        "login": f"/login?next={quote('/' + hostile.SCRIPT)}",
    }


def results(client: httpx.Client, workspace: str) -> dict[str, str]:
    """The page of a result, where a snapshot holds one."""
    found = client.get(f"/api/v1/workspaces/{workspace}/results").json()["items"]
    if not found:
        return {}
    one, ref = found[0], found[0]["certificate"]["ref"]["name"]
    asked = {"workspace": workspace, "ref": ref, "snapshot": one["snapshot"]}
    return {
        "result": f"/result?{urlencode(asked)}",
        "newest result": f"/result?{urlencode({'workspace': workspace, 'ref': ref})}",
    }


def test_every_page_answers_and_holds_nothing_that_acts(client: httpx.Client):
    for name, url in addresses(client).items():
        answer = client.get(url)
        assert answer.status_code == 200, (name, url, answer.text[:500])
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        check(answer.text)


def test_all_that_a_page_links_to_is_there(client: httpx.Client):
    seen = set()
    for url in addresses(client).values():
        for _, attributes in Read(client.get(url).text).tags:
            words = [attributes.get(name) or "" for name in ("href", "src", "data-from")]
            seen |= {word for word in [*words, *(attributes.get("data-scripts") or "").split()]}

    followed = sorted(one for one in seen if one.startswith("/"))
    assert any(one.startswith("/static/") for one in followed)
    for one in followed:
        assert client.get(one).status_code == 200, one


def test_a_drawing_is_data_and_a_picture_holds_no_script(client: httpx.Client):
    node = first(client, "/steps")["id"]
    drawing = client.get(f"/graph/drawing?node={node}")
    picture = client.get(f"/graph/picture.svg?node={node}")
    dot = client.get(f"/api/v1/export/upstream?node={node}&format=dot")

    assert drawing.headers["content-type"] == "application/json"
    assert drawing.json()["nodes"]
    assert picture.headers["content-disposition"].startswith("attachment")
    assert "<script" not in picture.text
    assert dot.status_code == 200


WRONG = (
    ("/nothing", 404),
    ("/steps/nothing", 404),
    ("/certificates/nothing", 404),
    ("/workspaces/nothing", 404),
    ("/graph", 400),
    ("/graph?node=nothing", 404),
    ("/steps?parameter=x", 400),
    ("/steps?status=x", 400),
    ("/steps?since=x", 400),
    ("/?cursor=x", 400),
    ("/graph?limit=x", 422),
    (f"/steps?since={quote(hostile.SCRIPT)}", 400),
)


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_a_person_sees_a_page_of_what_is_wrong_and_a_program_a_problem(
    local: Served, path: str, status: int
):
    with local.client() as client:
        person = client.get(path, headers=HTML)
        program = client.get(path)

    assert person.status_code == program.status_code == status
    assert person.headers["content-type"] == "text/html; charset=utf-8"
    check(person.text)
    assert 'href="/"' in person.text
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json()["status"] == status


@pytest.mark.parametrize(
    "path",
    ["/api/v1/workspaces/demo/snapshots", "/api/v1/steps?workspace=demo", "/graph?workspace=demo"],
)
def test_a_workspace_named_otherwise_than_by_its_id_is_told_where_ids_are(local: Served, path: str):
    with local.client() as client:
        answer = client.get(path)

    assert answer.status_code == 422
    assert "by its id" in answer.json()["detail"]
    assert "/api/v1/workspaces" in answer.json()["hint"]
    assert "[0-9" not in answer.text


def test_a_browser_that_asks_the_api_is_a_program(local: Served):
    with local.client(headers=HTML) as client:
        answer = client.get("/api/v1/steps/nothing")

    assert answer.headers["content-type"] == "application/problem+json"


def test_a_person_without_a_token_is_asked_for_one_and_led_back(shared: Served):
    asked = "/steps?name=a%26b&status=failed"
    with shared.client(headers=HTML) as client:
        led = client.get(asked)
        page = client.get(led.headers["location"])
        onward = re.search(r'name="next" value="([^"]*)"', page.text)
        assert onward is not None
        form = {"token": shared.tokens["read"], "next": onward[1].replace("&amp;", "&")}
        back = client.post("/login", data=form)
        shown = client.get(back.headers["location"])

    assert led.status_code == back.status_code == 303
    assert led.headers["location"] == f"/login?next={quote(asked, safe='')}"
    assert back.headers["location"] == asked
    assert shown.status_code == 200
    assert 'value="a&amp;b"' in shown.text


def test_a_wrong_token_is_said_on_the_page(shared: Served):
    with shared.client(headers=HTML) as client:
        answer = client.post("/login", data={"token": hostile.SCRIPT, "next": "/steps"})

    assert answer.status_code == 401
    assert "The token is none" in answer.text
    assert "pwned" not in answer.text
    check(answer.text)
