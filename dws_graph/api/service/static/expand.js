// Goes on from a node, step by step, in place: a "+" at its left foot where there is more upstream,
// at its right one downstream, "−" where that was opened. What is open stands in the address, so
// Back closes it again. The server lays out; what was opened stays under the pointer.
const MARK = 6.5; // radius
const MOST_OF_GROUP = 20; // members that one mark opens
let opened = new Map(data.opened.map(([id, way, steps]) => [`${way} ${id}`, steps]));
let told = location.search; // what the picture shows

const entryOf = (way, id) => opened.get(`${way} ${id}`) ?? 0;
const hiddenOf = (way, id) => data.more[id]?.[way === "up" ? 0 : 1] ?? 0;
const endsOf = (node) => (node.members.length ? node.members : [node.id]);

// What a side of a drawn node shows: how many neighbours are missing, whose, and whether it is open.
function sideOf(node, way) {
  const ends = endsOf(node);
  const lacking = ends.filter((id) => hiddenOf(way, id));
  return {
    way,
    lacking,
    missing: lacking.reduce((sum, id) => sum + hiddenOf(way, id), 0),
    open: ends.filter((id) => entryOf(way, id)),
  };
}

// --- the marks -----------------------------------------------------------------------------

function marksOf(node) {
  if (open.has(node.id)) return []; // its members have their own
  return ["up", "down"].map((way) => sideOf(node, way))
    .filter((side) => side.open.length || (side.missing && side.lacking.length <= MOST_OF_GROUP))
    .map((side) => ({
      ...side,
      node,
      sign: side.open.length ? "\u2212" : "+",
      x: node.x + (side.way === "up" ? -1 : 1) * Math.max(MARK, node.w / 2 - 10),
      y: node.y + node.h / 2,
    }));
}

const known = { of: null, marks: [] };
function marksNow() {
  if (known.of !== shown) {
    [known.of, known.marks] = [shown, shown.nodes.flatMap(marksOf)];
    for (const entry of document.querySelectorAll("#legend [data-marks]")) entry.hidden = !known.marks.some(({ sign }) => sign === "+");
  }
  return known.marks;
}

function markAt({ x, y }) {
  const room = Math.max(MARK + 3, 12 / network.getScale());
  if (network.getScale() < FAR) return undefined;
  return marksNow().find((mark) => Math.hypot(mark.x - x, mark.y - y) <= room);
}

function saying(mark) {
  const where = mark.way === "up" ? "upstream" : "downstream";
  return mark.sign === "+" ? `${mark.missing} more ${where}: show` : `Hide what was opened ${where}`;
}

network.on("afterDrawing", (ctx) => {
  const marks = marksNow();
  if (view.scale < FAR) return;
  const { x: left, y: top } = network.toCanvas(-MARGIN, -MARGIN);
  const { x: right, y: foot } = network.toCanvas(frame.clientWidth + MARGIN, frame.clientHeight + MARGIN);
  ctx.save();
  ctx.setLineDash([]);
  ctx.textAlign = "center";
  ctx.lineWidth = 1.3;
  ctx.font = `700 11px ${FONT}`;
  for (const { node, x, y, sign } of marks) {
    if (x < left || x > right || y < top || y > foot) continue;
    ctx.globalAlpha = view.lit && !view.lit.has(node.id) ? QUIET : 1;
    const disc = new Path2D();
    disc.arc(x, y, MARK, 0, 2 * Math.PI);
    ctx.fillStyle = view.tone("panel");
    ctx.fill(disc);
    ctx.strokeStyle = view.tone("second");
    ctx.stroke(disc);
    ctx.fillStyle = view.tone("text");
    ctx.fillText(sign, x, y + 3.8);
  }
  ctx.restore();
});

network.catchers.push((place) => {
  const mark = markAt(place);
  if (!mark) return false;
  if (mark.sign === "+") goOn(mark.node, mark.way);
  else closeAgain(mark.node, mark.way);
  return true;
});

frame.addEventListener("pointermove", (event) => {
  const mark = markAt(network.placeOf(event));
  frame.style.cursor = mark ? "pointer" : "";
  frame.title = mark ? saying(mark) : "";
});

// --- what is asked for ---------------------------------------------------------------------

// How many steps from a node until something is missing; 0 when nothing is.
function stepsToMore(id, way) {
  const [next, end] = way === "up" ? [incoming, "from"] : [outgoing, "to"];
  const seen = new Set([id]);
  let layer = [id];
  for (let steps = 0; layer.length; steps += 1) {
    const later = [];
    for (const here of layer) {
      const isStep = byId.get(here).role === "step";
      if (hiddenOf(way, here)) return Math.max(1, steps + (isStep ? 0 : 1));
      for (const e of next.get(here)) {
        const other = e[end];
        if (seen.has(other)) continue;
        seen.add(other);
        (byId.get(other).role === "step" ? later : layer).push(other);
      }
    }
    layer = later;
  }
  return 0;
}

function canGoOn(node, way) {
  if (!node.members.length) return stepsToMore(node.id, way) > 0;
  const { lacking } = sideOf(node, way);
  return lacking.length > 0 && lacking.length <= MOST_OF_GROUP;
}

// One step more than what is shown, of a node or of the members of a group.
function goOn(node, way) {
  const ends = node.members.length ? sideOf(node, way).lacking : [node.id];
  const wanted = new Map(opened);
  for (const id of ends) {
    const steps = stepsToMore(id, way);
    if (steps) wanted.set(`${way} ${id}`, steps > entryOf(way, id) ? steps : entryOf(way, id) + 1);
  }
  if (addressOf(wanted) !== addressOf(opened)) ask(addressOf(wanted), node.id);
}

function closeAgain(node, way) {
  const wanted = new Map(opened);
  for (const id of endsOf(node)) wanted.delete(`${way} ${id}`);
  ask(addressOf(wanted), node.id);
}

function addressOf(wanted) {
  const query = new URLSearchParams(location.search);
  for (const way of ["up", "down"]) query.delete(way);
  for (const [key, steps] of wanted) {
    const [way, id] = key.split(" ");
    query.append(way, steps === 1 ? id : `${id}~${steps}`);
  }
  return `${location.pathname}?${query}`;
}

// --- in place ------------------------------------------------------------------------------

let asking = null;

// Shows what an address asks for, with `id` where it is on the screen.
async function ask(address, id, isNew = true) {
  asking?.abort();
  const mine = (asking = new AbortController());
  stage.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const from = page.getElementById("boot")?.dataset.from;
    if (!answer.ok || !from) throw new Error(page.querySelector("main")?.innerText ?? answer.statusText);
    const drawing = await fetch(from, { headers: { accept: "application/json" }, signal: mine.signal });
    if (!drawing.ok) throw new Error((await drawing.json()).detail);
    replaceWith(page, await drawing.json(), id);
    if (isNew) history.pushState(null, "", address + location.hash);
    told = location.search;
    say("");
  } catch (error) {
    if (error.name !== "AbortError") say(`This could not be shown: ${error.message}`);
  } finally {
    if (asking === mine) stage.removeAttribute("aria-busy");
  }
}

function say(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// What the server wrote in words, of the same; the picture; then where we looked, and at what.
function replaceWith(page, drawing, id) {
  for (const part of ["kept", "exports", "left", "group", "legend", "twin"]) {
    $(part).replaceChildren(...document.importNode(page.getElementById(part), true).childNodes);
  }
  $("group").parentElement.hidden = page.getElementById("group").parentElement.hidden;
  $("legend").hidden = page.getElementById("legend").hidden;
  const before = shown.at.get(id) ?? shown.at.get(shown.inside.get(id));
  const held = [...open].map((group) => shown.at.get(group).members[0]), anchor = before?.members[0] ?? id;
  const scale = network.getScale(), looked = network.getViewPosition(), kept = view.selected;
  take(drawing);
  opened = new Map(data.opened.map(([key, way, steps]) => [`${way} ${key}`, steps]));
  searchable = nodes.map(searchableOf);
  if (!views[viewName]) viewName = "none";
  $("group").value = viewName;
  open = new Set(held.map(groupOf).filter(Boolean));
  if (view.hovered !== null) leave();
  reserveLegend();
  redrawAll();
  nameFrame();
  const after = shown.at.get(anchor) ?? shown.at.get(shown.inside.get(anchor));
  if (before && after) {
    network.moveTo({ position: { x: looked.x + after.x - before.x, y: looked.y + after.y - before.y }, scale });
  }
  if ($("search").value) search();
  const still = shown.at.has(kept) || shown.inside.has(kept) ? kept : null;
  selectInPlace(still ?? (kept === null ? null : after?.id ?? null));
}

// Selects without moving the picture.
function selectInPlace(id) {
  const at = network.getViewPosition(), scale = network.getScale();
  select(id);
  network.moveTo({ position: at, scale });
}

function groupOf(member) {
  return views[viewName].nodes.find((n) => n.members?.includes(member))?.id;
}

addEventListener("popstate", () => {
  if (location.search !== told) ask(location.pathname + location.search, view.selected, false);
});

// --- by keys and in the panel --------------------------------------------------------------

function button(text, pressed) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}

additions.push((node) => ["up", "down"].flatMap((way) => {
  const where = way === "up" ? "upstream" : "downstream";
  const { missing, open: isOpen } = sideOf(node, way);
  const more = canGoOn(node, way);
  if (!more && !isOpen.length) return [];
  const line = element("p", missing ? `${missing} more ${where}, not shown` : "", "onward");
  if (more) line.append(" ", button(way === "up" ? "1 step up" : "1 step down", () => goOn(node, way)));
  if (isOpen.length) line.append(" ", button(`Close ${where}`, () => closeAgain(node, way)));
  return [line];
}));

const KEYS = { "[": ["up", goOn], "]": ["down", goOn], "{": ["up", closeAgain], "}": ["down", closeAgain] };
stage.addEventListener("keydown", (event) => {
  const [way, act] = KEYS[event.key] ?? [];
  const node = shown.at.get(view.selected);
  if (!way || !node || event.metaKey) return;
  event.preventDefault();
  if (act === closeAgain ? sideOf(node, way).open.length : canGoOn(node, way)) act(node, way);
});

if (view.selected !== null) select(view.selected); // its panel was made before
network.redraw();
