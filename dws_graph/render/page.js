// The page around the drawing: vis-network pans, zooms and finds what is under the mouse; panel,
// search, keys, theme and legend are ours. All text enters the document as text, never as HTML.
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
let viewName = data.start;
let open = new Set(); // the groups of this view that are open
let shown = arrange(viewName, open);
let painter = painterOf(shown);

const stage = $("stage");
const canvas = $("canvas");
const drawn = new vis.DataSet();
const network = new vis.Network(canvas, {
  nodes: drawn,
  edges: [], // drawn here, along their routes: vis would draw them under boxes
}, data.options);
const frame = stage.querySelector(".vis-network");
network.on("beforeDrawing", (ctx) => {
  view.scale = network.getScale();
  painter.paintFrames(ctx, shown.frames, view);
  view.hurried = network.hurried === true;
  painter.paintEdges(ctx, view);
});

function painterOf({ legs, edges: lines, at }) {
  return makePainter(legs, lines, (e) => at.get(e.to).shape === "between");
}

function redrawAll() {
  shown = arrange(viewName, open);
  painter = painterOf(shown);
  drawn.clear();
  drawn.add(shown.nodes.map((n) => ({
    id: n.id, x: n.x, y: n.y, label: " ", shape: "custom",
    ctxRenderer: ({ ctx }) => ({
      drawNode: () => painter.paintNode(ctx, n, view),
      nodeDimensions: { width: n.w, height: n.h },
    }),
  })));
  const legend = [viewName, ...(open.size ? ["none"] : [])];
  for (const entry of document.querySelectorAll("#legend li[data-views]")) {
    entry.hidden = !entry.dataset.views.split(" ").some((v) => legend.includes(v));
  }
}

// The legend of each view gets the room of all, else the picture would jump when it is switched.
function reserveLegend() {
  const legend = $("legend");
  if (!legend) return;
  const hidden = [...legend.querySelectorAll("li[hidden]")];
  legend.style.minHeight = "";
  for (const entry of hidden) entry.hidden = false;
  legend.style.minHeight = `${legend.offsetHeight}px`;
  for (const entry of hidden) entry.hidden = true;
}

// --- where we look -------------------------------------------------------------------------

function scaleToFit() {
  const margin = 28;
  return Math.min(1.3, (stage.clientWidth - 2 * margin) / Math.max(1, shown.width),
    (stage.clientHeight - 2 * margin) / Math.max(1, shown.height));
}

function fitAll() {
  network.moveTo({ position: { x: shown.width / 2, y: shown.height / 2 }, scale: Math.max(0.005, scaleToFit()) });
}

function openView() {
  const start = shown.nodes.find((n) => n.states.includes("root")) ?? shown.nodes[0];
  if (start && scaleToFit() < 0.08) network.moveTo({ position: { x: start.x, y: start.y }, scale: 0.6 });
  else fitAll();
}

function zoom(factor) {
  network.moveTo({ scale: Math.min(4, Math.max(0.005, network.getScale() * factor)) });
}

// Moves what is selected out from under the panel: the whole picture where there is room for it.
function bringIntoView(node, nearer) {
  const covered = $("panel").hidden ? 0 : $("panel").offsetWidth + 10;
  const [width, height] = [stage.clientWidth - covered, stage.clientHeight];
  const scale = nearer ? Math.max(network.getScale(), 0.8) : network.getScale();
  const at = network.canvasToDOM({ x: node.x, y: node.y });
  const seen = scale === network.getScale() && at.x > 60 && at.x < width - 60 && at.y > 30 && at.y < height - 30;
  const fits = shown.width * scale + 40 <= width;
  if (seen && !(fits && network.canvasToDOM({ x: shown.width, y: 0 }).x > width - 16)) return;
  const x = fits ? shown.width / 2 : node.x;
  const y = seen ? network.getViewPosition().y : node.y;
  network.moveTo({ position: { x: x + covered / 2 / scale, y }, scale });
}

// --- groups --------------------------------------------------------------------------------

// Opens or closes groups; what `id` names stays where it is on the screen.
function setOpen(groups, id) {
  const before = shown.at.get(id), scale = network.getScale(), looked = network.getViewPosition();
  open = new Set(groups);
  redrawAll();
  const after = shown.at.get(id);
  if (before && after) {
    network.moveTo({ position: { x: looked.x + after.x - before.x, y: looked.y + after.y - before.y }, scale });
  }
}

function toggle(id) {
  const groups = new Set(open);
  if (!groups.delete(id)) groups.add(id);
  setOpen(groups, id);
  select(id);
}

function showView(name) {
  const kept = byId.has(view.selected) ? view.selected : null;
  [viewName, open] = [name, new Set()];
  $("group").value = name;
  redrawAll();
  openView();
  select(kept);
}

// --- selecting -----------------------------------------------------------------------------

function select(id, nearer = false) {
  if (id !== null && !shown.at.has(id)) {
    if (!shown.inside.has(id)) return; // a group of another view
    setOpen([...open, shown.inside.get(id)], shown.inside.get(id));
  }
  view.selected = id;
  if (id === null) {
    [view.lit, view.up, view.down] = [litOf(found), new Set(), new Set()];
    if ($("panel").contains(document.activeElement)) frame.focus();
    $("panel").hidden = true;
  } else {
    const node = shown.at.get(id), depth = Number($("depth").value);
    const starts = node.members.length ? node.members : [id];
    const up = reach(starts, incoming, "from", depth), down = reach(starts, outgoing, "to", depth);
    view.lit = litOf(new Set([...up.seen, ...down.seen]));
    [view.up, view.down] = [drawnEdges(up.used), drawnEdges(down.used)];
    showPanel(node, up.seen.size - starts.length, down.seen.size - starts.length);
    bringIntoView(node, nearer);
  }
  $("tip").hidden = true;
  network.redraw();
}

// Groups are lit with any of their members.
function litOf(ids) {
  if (ids === null) return null;
  return new Set([...ids].flatMap((id) => [id, shown.inside.get(id)]));
}

function drawnEdges(used) {
  const key = (from, to) => JSON.stringify([from, to]);
  const lit = new Set([...used].map((e) => key(shown.inside.get(e.from), shown.inside.get(e.to))));
  return new Set(shown.edges.filter((e) => lit.has(key(e.from, e.to))));
}

network.on("click", ({ nodes: [id] }) => {
  if (id !== undefined && shown.at.get(id).members.length) toggle(id);
  else select(id ?? null);
});
network.on("hoverNode", ({ node, event }) => {
  view.hovered = node;
  stage.style.cursor = "pointer";
  if (node !== view.selected) showTip(shown.at.get(node), event);
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

// --- keys, buttons, theme ------------------------------------------------------------------

// The node that an arrow key leads to: along the lines, or within a column or an open group.
function neighbour(key) {
  const here = shown.at.get(view.selected);
  if (!here) return shown.nodes.find((n) => n.states.includes("root")) ?? shown.nodes[0];
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const [along, other] = across ? ["x", "y"] : ["y", "x"];
  const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  const group = shown.inside.get(here.id);
  const near = (nodesHere) => nodesHere
    .filter((n) => Math.abs(n[other] - here[other]) < 1 && (n[along] - here[along]) * sign > 0)
    .sort((a, b) => (a[along] - b[along]) * sign)[0];
  if (key === "ArrowDown" && open.has(here.id)) return shown.at.get(here.members[0]);
  const enclosed = open.has(group);
  const sibling = near(shown.nodes.filter((n) => !n.members.length && shown.inside.get(n.id) === group));
  if (enclosed && sibling) return sibling;
  if (enclosed && key === "ArrowUp") return shown.at.get(group);
  if (!across) return near(shown.nodes);
  const [at, end] = key === "ArrowLeft" ? ["to", "from"] : ["from", "to"];
  const home = group ?? here.id;
  const others = shown.edges.filter((e) => e[at] === home).map((e) => shown.at.get(e[end]));
  return others.sort((a, b) => Math.abs(a.y - here.y) - Math.abs(b.y - here.y))[0];
}

stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("#panel")) {
    if (event.key === "Escape") select(null);
    return;
  }
  if (event.key.startsWith("Arrow")) {
    const next = neighbour(event.key);
    if (next) select(next.id);
  } else if (event.key === "Enter" && shown.at.get(view.selected)?.members.length) toggle(view.selected);
  else if (event.key === "Escape") select(null);
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
  location.replace(`#theme=${document.documentElement.dataset.theme}`); // as it was, when reloaded
  repaint();
});
dark.addEventListener("change", repaint);

$("fit").addEventListener("click", fitAll);
$("nearer").addEventListener("click", () => zoom(1.3));
$("farther").addEventListener("click", () => zoom(1 / 1.3));
$("close").addEventListener("click", () => select(null));
$("group").addEventListener("change", () => showView($("group").value));
$("depth").addEventListener("change", () => select(view.selected));
$("wide").addEventListener("click", () => {
  const wide = document.body.classList.toggle("wide");
  $("wide").setAttribute("aria-pressed", String(wide));
  reserveLegend();
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

const [, theme] = /^#theme=(light|dark)$/.exec(location.hash) ?? [];
if (theme) document.documentElement.dataset.theme = theme;
frame.setAttribute("role", "application");
function nameFrame() {
  frame.setAttribute("aria-label", `Picture of ${nodes.length} nodes. Arrow keys go from node to `
    + "node, Enter opens a group, plus and minus zoom, 0 shows all. The table below says the same "
    + "in words.");
}
nameFrame();
$("group").value = viewName;
reserveLegend();
redrawAll();
network.setSize("100%", "100%");
repaint();
openView();
document.documentElement.dataset.ready = "yes";
