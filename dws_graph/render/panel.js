// What the page says in words beside the picture: a panel, a tip, and what a search found.
function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function factList(facts) {
  const list = element("dl");
  let before = null;
  for (const [name, value] of facts) {
    if (name !== before) list.append(element("dt", name));
    list.append(element("dd", value));
    before = name;
  }
  return list;
}

const MOST_LISTED = 40;

function nodeList(title, ids) {
  const block = element("div");
  block.append(element("h3", title));
  const list = element("ul");
  for (const id of ids.slice(0, MOST_LISTED)) {
    const button = element("button", byId.get(id).name, "node");
    button.type = "button";
    button.dataset.role = byId.get(id).role;
    button.addEventListener("click", () => select(id));
    if (byId.get(id).second) button.append(" ", element("small", byId.get(id).second));
    const item = element("li");
    item.append(button);
    list.append(item);
  }
  if (ids.length > MOST_LISTED) list.append(element("li", `and ${ids.length - MOST_LISTED} more`, "kind"));
  block.append(list);
  return ids.length ? block : "";
}

function reachLine(way, text) {
  const line = element("p", text, "reach");
  line.prepend(element("i", "", way));
  return line;
}

function stateWords(node) {
  return [words[node.role], ...node.states.map((s) => words[s])].join(" · ");
}

function openButton(group) {
  const button = element("button", open.has(group.id) ? "Close group" : "Open group");
  button.type = "button";
  button.addEventListener("click", () => toggle(group.id));
  return button;
}

const WHY = new Set(["stale because", "what changed"]); // said first

const additions = []; // what other scripts add to the panel of a node

function showPanel(node, upstream, downstream) {
  const body = $("panel-body"), within = $("panel").contains(document.activeElement);
  const groups = new Map([["", []], ["why", []]]);
  for (const [name, value, group] of node.details) {
    const where = !group && WHY.has(name) ? "why" : group;
    if (!groups.has(where)) groups.set(where, []);
    groups.get(where).push([name, value]);
  }
  body.replaceChildren(element("p", stateWords(node), "kind"), element("h2", node.name));
  const those = node.members.length ? node.members : [node.id];
  if (node.members.length) body.append(openButton(node));
  body.append(...additions.flatMap((added) => added(node)));
  const near = [...new Set(those.flatMap((id) => incoming.get(id).map((e) => e.from)))];
  const next = [...new Set(those.flatMap((id) => outgoing.get(id).map((e) => e.to)))];
  for (const group of ["why", "metrics", "parameters", "", "code"]) {
    if (!groups.get(group)?.length) continue;
    if (group && group !== "why") body.append(element("h3", group));
    body.append(factList(groups.get(group)));
  }
  body.append(
    nodeList("in this group", node.members),
    nodeList(node.role === "step" ? "read" : "from", near),
    nodeList(node.role === "step" ? "wrote" : "goes to", next),
    reachLine("up", `${upstream} upstream`),
    reachLine("down", `${downstream} downstream`),
  );
  document.dispatchEvent(new CustomEvent("panel", { detail: node })); // a page may add to it
  $("panel").hidden = false;
  $("panel").scrollTop = 0;
  if (within) $("panel").focus(); // the button that was pressed is gone
}

const DULL = new Set(["status", "instance", "workspace", "version", "role"]);

function showTip(node, event) {
  const facts = node.details.filter(([, , group]) => group === "metrics" || group === "parameters");
  const said = (facts.length ? facts : node.details.filter(([name]) => !DULL.has(name))).slice(0, 7);
  $("tip").replaceChildren(element("strong", node.name), element("p", stateWords(node)), factList(said));
  $("tip").hidden = false;
  const box = stage.getBoundingClientRect(), tip = $("tip");
  const x = event.clientX - box.left + 14, y = event.clientY - box.top + 14;
  tip.style.left = `${Math.max(4, Math.min(x, box.width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(4, y + tip.offsetHeight > box.height ? y - tip.offsetHeight - 28 : y)}px`;
}

// --- searching -----------------------------------------------------------------------------

function searchableOf(n) {
  const values = n.details.filter(([, , group]) => group).map(([name, value]) => `${name}=${value}`);
  const said = [n.name, n.second, stateWords(n), ...n.details.flat(), ...values];
  return [n, said.join("\n").toLowerCase()];
}

let searchable = nodes.map(searchableOf);
let found = null;
let turn = -1;

function search() {
  const wanted = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = searchable.filter(([, text]) => wanted.every((w) => text.includes(w))).map(([n]) => n.id);
  found = wanted.length ? new Set(hits) : null;
  turn = -1;
  $("hits").textContent = found ? `${hits.length} of ${nodes.length}` : "";
  select(null);
}

function nextHit(step) {
  if (!found?.size) return;
  turn = (turn + step + found.size) % found.size;
  select([...found][turn], true);
  $("hits").textContent = `${turn + 1} of ${found.size}`;
}

$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") nextHit(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") {
    $("search").value = "";
    search();
  }
});

