// The lineage as it is (`nodes`, `edges`), and the views of it that were laid out: each node on its
// own, or groups of them. A group can be opened in place: what lies right of it or below moves on.
const $ = (id) => document.getElementById(id);
let data, edges, views, words, nodes, byId, incoming, outgoing;

// What is shown from now on.
function take(told) {
  data = told;
  ({ edges, views, words } = data);
  nodes = data.nodes.map((n) => ({ ...n, shape: n.group, vis: n.shape }));
  byId = new Map(nodes.map((n) => [n.id, n]));
  incoming = new Map(nodes.map((n) => [n.id, []]));
  outgoing = new Map(nodes.map((n) => [n.id, []]));
  for (const e of edges) {
    outgoing.get(e.from).push(e);
    incoming.get(e.to).push(e);
  }
  Object.assign(views.none, { nodes, edges });
}

take(JSON.parse($("data").textContent));
const CELL_GAP = 12, FRAME_PADDING = 14, FRAME_HEAD = 46, FRAME_SHAPE = 1.6;

// What the starts are connected with, `depth` steps far: only the way through a step counts.
function reach(starts, next, end, depth = Infinity) {
  const seen = new Set(starts), used = new Set();
  let layer = [...seen];
  for (let left = depth; layer.length; left -= 1) {
    const later = [];
    for (const id of layer) {
      for (const e of next.get(id)) {
        const other = byId.get(e[end]);
        if (left <= 0 && other.role === "step" && !seen.has(other.id)) continue;
        used.add(e);
        if (seen.has(other.id)) continue;
        seen.add(other.id);
        (other.role === "step" ? later : layer).push(other.id);
      }
    }
    layer = later;
  }
  return { seen, used };
}

// A map of one axis that leaves each span [low, high, size] at least `size`, and brings nothing
// nearer to another: what did not overlap does not, lines that did not cross do not.
function stretch(spans) {
  const cuts = [...new Set(spans.flatMap(([low, high]) => [low, high]))].sort((a, b) => a - b);
  const pieces = [];
  let moved = 0;
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const over = spans.filter(([low, high]) => low <= cuts[i] && cuts[i + 1] <= high);
    const slope = Math.max(1, ...over.map(([low, high, size]) => size / (high - low)));
    pieces.push([cuts[i], cuts[i + 1], slope, moved]);
    moved += (cuts[i + 1] - cuts[i]) * (slope - 1);
  }
  return (value) => {
    for (const [from, to, slope, before] of pieces) {
      if (value <= from) return value + before;
      if (value < to) return from + before + (value - from) * slope;
    }
    return value + moved;
  };
}

// A member of an opened group, whose steps have one name: by what it wrote.
function toldApart(node) {
  const wrote = node.role === "step" ? outgoing.get(node.id)[0] : undefined;
  if (!wrote) return node;
  const label = byId.get(wrote.to).name.replace(/^.*?:\/(?=.)/, "");
  return { ...node, label, w: Math.max(node.w, 150) };
}

function gridOf(members) {
  const width = Math.max(...members.map((n) => n.w)) + CELL_GAP;
  const height = Math.max(...members.map((n) => n.h)) + CELL_GAP;
  const wanted = Math.round(Math.sqrt((members.length * height * FRAME_SHAPE) / width));
  const columns = Math.min(members.length, Math.max(1, wanted));
  const rows = Math.ceil(members.length / columns);
  return {
    columns, width, height,
    w: columns * width - CELL_GAP + 2 * FRAME_PADDING,
    h: rows * height - CELL_GAP + FRAME_HEAD + FRAME_PADDING,
  };
}

// A view with some of its groups open: placed nodes, and for each node of the lineage where it is.
function arrange(name, open) {
  const laid = views[name];
  const grids = new Map();
  for (const n of laid.nodes) {
    if (open.has(n.id)) grids.set(n.id, gridOf(n.members.map((id) => toldApart(byId.get(id)))));
  }
  const opened = laid.nodes.filter((n) => grids.has(n.id));
  const toX = stretch(opened.map((n) => [n.x - n.w / 2, n.x + n.w / 2, grids.get(n.id).w]));
  const toY = stretch(opened.map((n) => [n.y - n.h / 2, n.y + n.h / 2, grids.get(n.id).h]));
  const made = {
    nodes: [], frames: [], inside: new Map(), at: new Map(),
    width: toX(laid.width), height: toY(laid.height),
  };
  const place = (node, x, y, group) => {
    const placed = { ...node, x, y, path: null };
    made.nodes.push(placed);
    made.at.set(node.id, placed);
    for (const id of node.members.length ? node.members : [node.id]) made.inside.set(id, group ?? node.id);
  };
  for (const n of laid.nodes) {
    const x = toX(n.x), y = toY(n.y), whole = n.members?.length ? n : byId.get(n.id);
    const grid = grids.get(n.id);
    if (!grid) {
      place(whole, x, y);
      continue;
    }
    const left = x - grid.w / 2, top = y - grid.h / 2;
    made.frames.push({ id: n.id, x, y, w: grid.w, h: grid.h });
    place({ ...whole, h: 24, second: "" }, left + FRAME_PADDING + whole.w / 2, top + 20);
    whole.members.forEach((id, i) => {
      const cellX = left + FRAME_PADDING + (i % grid.columns) * grid.width + (grid.width - CELL_GAP) / 2;
      const row = Math.floor(i / grid.columns);
      place(toldApart(byId.get(id)), cellX, top + FRAME_HEAD + row * grid.height + (grid.height - CELL_GAP) / 2, n.id);
    });
  }
  const legs = laid.legs.map(([x1, y1, x2, y2, ...rest]) => [toX(x1), toY(y1), toX(x2), toY(y2), ...rest]);
  const edgesHere = laid.edges.map((e) => ({ ...e, legs: [...e.legs] }));
  if (opened.length) joinEnds(made, legs, edgesHere);
  return { ...made, legs, edges: edgesHere };
}

// Where a column was stretched, lines end beside their node: lead them to it.
function joinEnds(made, legs, edgesHere) {
  const known = new Map();
  const boxes = new Map([...made.at, ...made.frames.map((f) => [f.id, f])]);
  const added = (x1, x2, y, stroke) => {
    const key = `${x1} ${x2} ${y} ${stroke}`;
    if (!known.has(key)) known.set(key, legs.push([x1, y, x2, y, 0, stroke]) - 1);
    return known.get(key);
  };
  for (const e of edgesHere) {
    if (!e.legs.length) continue;
    const [from, to] = [boxes.get(e.from), boxes.get(e.to)];
    const [x1, y1] = legs[e.legs[0]], [, , x2, y2] = legs[e.legs[e.legs.length - 1]];
    const start = from.x + Math.sign(x1 - from.x) * from.w / 2;
    const stop = to.x + Math.sign(x2 - to.x) * to.w / 2;
    if (Math.abs(start - x1) > 0.5) e.legs.unshift(added(start, x1, y1, e.stroke));
    if (Math.abs(stop - x2) > 0.5) e.legs.push(added(x2, stop, y2, e.stroke));
  }
}
