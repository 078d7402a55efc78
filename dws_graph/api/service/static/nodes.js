// Buttons over the nodes that are near, each named, in the order of the layers: a canvas has
// nothing that a key, a screen reader or a test can hold. Mice go through them to the canvas.
const MOST_NEAR = 150; // in the frame; more are too small to be told apart
const over = element("div", undefined, "over");
over.id = "over";
over.setAttribute("role", "group");
over.setAttribute("aria-label", "Nodes in view");
frame.append(over);
const buttons = new Map();
let wanted = null; // the node whose button gets the focus once it is there

function nameOf(node) {
  const lacking = ["up", "down"].map((way) => [sideOf(node, way).missing, way === "up" ? "upstream" : "downstream"])
    .filter(([missing]) => missing).map(([missing, where]) => `${missing} more ${where} not shown`);
  const states = node.states.map((s) => words[s]).filter((word) => !node.second.includes(word));
  return [`${words[node.role]} ${node.name}`, node.second, ...states, ...lacking].filter(Boolean).join(", ");
}

function nearNodes() {
  const { x: left, y: top } = network.toCanvas(0, 0);
  const { x: right, y: foot } = network.toCanvas(frame.clientWidth, frame.clientHeight);
  const near = shown.nodes.filter(({ x, y, w, h }) => x + w / 2 > left && x - w / 2 < right
    && y + h / 2 > top && y - h / 2 < foot);
  if (near.length > MOST_NEAR) return [[], near.length];
  return [near.sort((a, b) => Math.round(a.x - b.x) || a.y - b.y), near.length];
}

function buttonOf(node) {
  const made = buttons.get(node.id) ?? element("button");
  if (made.node !== node) {
    made.type = "button";
    made.dataset.node = node.id;
    made.node = node;
    made.style.setProperty("--left", `${node.x - node.w / 2}px`);
    made.style.setProperty("--top", `${node.y - node.h / 2}px`);
    made.style.setProperty("--wide", `${node.w}px`);
    made.style.setProperty("--high", `${node.h}px`);
    made.setAttribute("aria-label", nameOf(node));
    if (node.members.length) made.setAttribute("aria-expanded", String(open.has(node.id)));
    else made.removeAttribute("aria-expanded");
    buttons.set(node.id, made);
  }
  if (node.id === view.selected) made.setAttribute("aria-current", "true");
  else made.removeAttribute("aria-current");
  return made;
}

// Only what is new is put in: a button that is moved would lose the focus.
function renew() {
  place();
  const line = `${2 / network.getScale()}px`;
  if (over.style.getPropertyValue("--line") !== line) over.style.setProperty("--line", line);
  const [near, count] = nearNodes();
  const held = document.activeElement?.closest("#over") ? document.activeElement.dataset.node : null;
  const kept = new Set(near.map((n) => n.id));
  for (const [id, made] of buttons) {
    if (kept.has(id)) continue;
    made.remove();
    buttons.delete(id);
  }
  let at = over.firstChild;
  for (const made of near.map(buttonOf)) {
    if (made === at) at = at.nextSibling;
    else over.insertBefore(made, at);
  }
  const focus = buttons.get(wanted ?? held);
  if (focus && focus !== document.activeElement) focus.focus({ preventScroll: true });
  else if (held && !focus) frame.focus({ preventScroll: true });
  wanted = null;
  const far = near.length < count ? `${count} nodes in view. Zoom in to go from one to the next by Tab, or use the table below.` : "";
  if ($("reachable").textContent !== far) $("reachable").textContent = far;
}

// While the picture moves this is all that changes: the compositor moves the buttons along.
function place() {
  const { x, y } = network.canvasToDOM({ x: 0, y: 0 });
  over.style.transform = `translate(${x}px, ${y}px) scale(${network.getScale()})`;
}

network.on("afterDrawing", renew);
network.on("moved", place);

// Enter, or what a screen reader does in its place; a mouse's click is the canvas's.
over.addEventListener("click", (event) => {
  const node = event.target.closest("button")?.node;
  if (node && event.detail === 0) network.tell("click", { nodes: [node.id] });
});
over.addEventListener("keydown", (event) => {
  const node = event.target.closest("button")?.node;
  if (!node) return;
  if (event.key === "Enter" || event.key === " ") event.stopPropagation();
  else if (event.key.startsWith("Arrow") || "[]{}".includes(event.key)) view.selected = node.id;
});
over.addEventListener("focusin", (event) => {
  const node = event.target.closest("button")?.node;
  if (node && event.target.matches(":focus-visible")) bringIntoView(node, false);
});
network.on("click", ({ nodes: [id] }) => {
  wanted = id ?? null;
  network.redraw();
});
stage.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow") || event.target.closest("#panel")) return;
  wanted = view.selected;
  network.redraw();
});
network.redraw();
