// What a person looks at stands in the address: a link to it opens the same.
const address = new URLSearchParams(location.hash.slice(1));

function noteState() {
  const said = new URLSearchParams();
  if (document.documentElement.dataset.theme) said.set("theme", document.documentElement.dataset.theme);
  if (view.selected !== null) said.set("at", view.selected);
  if (viewName !== data.start) said.set("group", viewName);
  if ($("depth").value !== "Infinity") said.set("near", $("depth").value);
  history.replaceState(null, "", `#${said}`);
}

if (address.has("near")) $("depth").value = address.get("near");
if (address.has("group") && views[address.get("group")]) showView(address.get("group"));
if (address.has("at") && (byId.has(address.get("at")) || shown.at.has(address.get("at")))) select(address.get("at"), true);
network.on("afterDrawing", noteState);

// The whole picture as a PNG, as large as browsers draw one.
$("png").addEventListener("click", () => {
  const margin = 20, most = 16000;
  const scale = Math.min(2, most / (shown.width + 2 * margin), most / (shown.height + 2 * margin));
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil((shown.width + 2 * margin) * scale);
  canvas.height = Math.ceil((shown.height + 2 * margin) * scale);
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = view.tone("page");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.scale(scale, scale);
  ctx.translate(margin, margin);
  const plain = { ...view, scale: 1, hovered: null };
  painter.paintFrames(ctx, shown.frames, plain);
  painter.paintEdges(ctx, plain);
  for (const node of shown.nodes) painter.paintNode(ctx, node, plain);
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "lineage.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
});
