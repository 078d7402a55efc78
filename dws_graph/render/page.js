// The page around the drawing: vis-network pans, zooms and finds what is under the mouse; panel,
// search, keys, theme and legend are ours. All text enters the document as text, never as HTML.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const { edges, legs, extent, words } = data;
const nodes = data.nodes.map((n) => ({ ...n, shape: n.group, vis: n.shape }));
const byId = new Map(nodes.map((n) => [n.id, n]));
const incoming = new Map(nodes.map((n) => [n.id, []]));
const outgoing = new Map(nodes.map((n) => [n.id, []]));
for (const e of edges) {
  outgoing.get(e.from).push(e);
  incoming.get(e.to).push(e);
}
const painter = makePainter(legs, edges);
const tones = new Map();
const view = {
  tone(name) {
    if (!tones.has(name)) {
      tones.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
    }
    return tones.get(name);
  },
  scale: 1, selected: null, hovered: null, lit: null, up: new Set(), down: new Set(),
};

const stage = $("stage");
const canvas = $("canvas");
const network = new vis.Network(canvas, {
  nodes: new vis.DataSet(nodes.map((n) => ({
    id: n.id, x: n.x, y: n.y, label: " ", shape: n.vis,
    ctxRenderer: ({ ctx }) => ({
      drawNode: () => painter.paintNode(ctx, n, view),
      nodeDimensions: { width: n.w, height: n.h },
    }),
  }))),
  edges: [], // drawn here, along their routes: vis would draw them under boxes
}, data.options);
network.on("beforeDrawing", (ctx) => {
  view.scale = network.getScale();
  painter.paintEdges(ctx, view);
});

// --- where we look -------------------------------------------------------------------------

function scaleToFit() {
  const margin = 28;
  return Math.min(1.3, (stage.clientWidth - 2 * margin) / Math.max(1, extent.width),
    (stage.clientHeight - 2 * margin) / Math.max(1, extent.height));
}

function fitAll() {
  network.moveTo({ position: { x: extent.width / 2, y: extent.height / 2 }, scale: Math.max(0.005, scaleToFit()) });
}

function openView() {
  const start = nodes.find((n) => n.states.includes("root")) ?? nodes[0];
  if (start && scaleToFit() < 0.08) network.moveTo({ position: { x: start.x, y: start.y }, scale: 0.6 });
  else fitAll();
}

function zoom(factor) {
  network.moveTo({ scale: Math.min(4, Math.max(0.005, network.getScale() * factor)) });
}

// Moves what is selected out from under the panel: the whole picture where there is room for it.
function bringIntoView(node, nearer) {
  const open = $("panel").hidden ? 0 : $("panel").offsetWidth + 10;
  const [width, height] = [stage.clientWidth - open, stage.clientHeight];
  const scale = nearer ? Math.max(network.getScale(), 0.8) : network.getScale();
  const at = network.canvasToDOM({ x: node.x, y: node.y });
  const seen = scale === network.getScale() && at.x > 60 && at.x < width - 60 && at.y > 30 && at.y < height - 30;
  const fits = extent.width * scale + 40 <= width;
  if (seen && !(fits && network.canvasToDOM({ x: extent.width, y: 0 }).x > width - 16)) return;
  const x = fits ? extent.width / 2 : node.x;
  const y = seen ? network.getViewPosition().y : node.y;
  network.moveTo({ position: { x: x + open / 2 / scale, y }, scale });
}

// --- selecting -----------------------------------------------------------------------------

function reach(start, next, end) {
  const seen = new Set([start]), used = new Set(), todo = [start];
  while (todo.length) {
    for (const e of next.get(todo.pop())) {
      used.add(e);
      if (!seen.has(e[end])) {
        seen.add(e[end]);
        todo.push(e[end]);
      }
    }
  }
  return { seen, used };
}

function select(id, nearer = false) {
  view.selected = id;
  if (id === null) {
    [view.lit, view.up, view.down] = [found, new Set(), new Set()];
    $("panel").hidden = true;
  } else {
    const up = reach(id, incoming, "from"), down = reach(id, outgoing, "to");
    [view.lit, view.up, view.down] = [new Set([...up.seen, ...down.seen]), up.used, down.used];
    showPanel(byId.get(id), up.seen.size - 1, down.seen.size - 1);
    bringIntoView(byId.get(id), nearer);
  }
  $("tip").hidden = true;
  network.redraw();
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function factList(facts) {
  const list = element("dl");
  for (const [name, value] of facts) list.append(element("dt", name), element("dd", value));
  return list;
}

function nodeList(title, ids) {
  const block = element("div");
  block.append(element("h3", title));
  const list = element("ul");
  for (const id of ids) {
    const button = element("button", byId.get(id).name, "node");
    button.type = "button";
    button.dataset.shape = byId.get(id).shape;
    button.addEventListener("click", () => select(id));
    const item = element("li");
    item.append(button);
    list.append(item);
  }
  block.append(list);
  return ids.length ? block : "";
}

function reachLine(way, text) {
  const line = element("p", text, "reach");
  line.prepend(element("i", "", way));
  return line;
}

function stateWords(node) {
  return [words[node.shape], ...node.states.map((s) => words[s])].join(" · ");
}

function showPanel(node, upstream, downstream) {
  const body = $("panel-body");
  const groups = new Map([["", []]]);
  for (const [name, value, group] of node.details) {
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push([name, value]);
  }
  body.replaceChildren(element("p", stateWords(node), "kind"), element("h2", node.name));
  const near = [...new Set(incoming.get(node.id).map((e) => e.from))];
  const next = [...new Set(outgoing.get(node.id).map((e) => e.to))];
  for (const group of ["metrics", "parameters", "", "code"]) {
    if (!groups.get(group)?.length) continue;
    if (group) body.append(element("h3", group));
    body.append(factList(groups.get(group)));
  }
  body.append(
    nodeList(node.shape === "step" ? "read" : "from", near),
    nodeList(node.shape === "step" ? "wrote" : "goes to", next),
    reachLine("up", `${upstream} upstream`),
    reachLine("down", `${downstream} downstream`),
  );
  $("panel").hidden = false;
  $("panel").scrollTop = 0;
}

const DULL = new Set(["status", "instance", "workspace", "version", "role"]);

function showTip(node, event) {
  const facts = node.details.filter(([, , group]) => group === "metrics" || group === "parameters");
  const shown = (facts.length ? facts : node.details.filter(([name]) => !DULL.has(name))).slice(0, 7);
  $("tip").replaceChildren(element("strong", node.name), element("p", stateWords(node)), factList(shown));
  $("tip").hidden = false;
  const box = stage.getBoundingClientRect(), tip = $("tip");
  const x = event.clientX - box.left + 14, y = event.clientY - box.top + 14;
  tip.style.left = `${Math.max(4, Math.min(x, box.width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(4, y + tip.offsetHeight > box.height ? y - tip.offsetHeight - 28 : y)}px`;
}

network.on("click", ({ nodes: [id] }) => select(id ?? null));
network.on("hoverNode", ({ node, event }) => {
  view.hovered = node;
  stage.style.cursor = "pointer";
  if (node !== view.selected) showTip(byId.get(node), event);
  network.redraw();
});
function leave() {
  view.hovered = null;
  stage.style.cursor = "";
  $("tip").hidden = true;
  network.redraw();
}
network.on("blurNode", leave);
stage.addEventListener("mouseleave", leave); // of this vis says nothing
for (const moved of ["dragStart", "zoom"]) network.on(moved, () => { $("tip").hidden = true; });

// --- searching -----------------------------------------------------------------------------

const searchable = nodes.map((n) => {
  const said = [n.name, n.second, stateWords(n), ...n.details.flat()];
  return [n, said.join("\n").toLowerCase()];
});
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

// --- keys, buttons, theme ------------------------------------------------------------------

function neighbour(key) {
  const here = byId.get(view.selected);
  if (!here) return nodes.find((n) => n.states.includes("root")) ?? nodes[0];
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const [near, end] = key === "ArrowLeft" ? [incoming, "from"] : [outgoing, "to"];
    const others = near.get(here.id).map((e) => byId.get(e[end]));
    return others.sort((a, b) => Math.abs(a.y - here.y) - Math.abs(b.y - here.y))[0];
  }
  const sign = key === "ArrowUp" ? -1 : 1;
  const column = nodes.filter((n) => Math.abs(n.x - here.x) < 1 && (n.y - here.y) * sign > 0);
  return column.sort((a, b) => (a.y - b.y) * sign)[0];
}

stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow")) {
    const next = neighbour(event.key);
    if (next) select(next.id);
  } else if (event.key === "Escape") select(null);
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") fitAll();
  else return;
  event.preventDefault();
});

const dark = matchMedia("(prefers-color-scheme: dark)");
function repaint() {
  tones.clear();
  const isDark = (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  $("theme").setAttribute("aria-pressed", String(isDark));
  network.redraw();
}
$("theme").addEventListener("click", () => {
  const isDark = $("theme").getAttribute("aria-pressed") === "true";
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
  repaint();
});
dark.addEventListener("change", repaint);

$("fit").addEventListener("click", fitAll);
$("nearer").addEventListener("click", () => zoom(1.3));
$("farther").addEventListener("click", () => zoom(1 / 1.3));
$("close").addEventListener("click", () => select(null));
$("wide").addEventListener("click", () => {
  const wide = document.body.classList.toggle("wide");
  $("wide").setAttribute("aria-pressed", String(wide));
  network.setSize("100%", "100%");
  network.redraw();
  openView();
});
$("twin").addEventListener("click", (event) => {
  const at = event.target.closest("button[data-node]");
  if (!at) return;
  $("figure").scrollIntoView();
  select(nodes[Number(at.dataset.node)].id, true);
});

const frame = stage.querySelector(".vis-network");
frame.setAttribute("role", "application");
frame.setAttribute("aria-label", `Picture of ${nodes.length} nodes. Arrow keys go from node to `
  + "node, plus and minus zoom, 0 shows all. The table below says the same in words.");
repaint();
openView();
document.documentElement.dataset.ready = "yes";
