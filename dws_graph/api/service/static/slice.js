// The panel leads on: to the page of what is selected, to what lies between where this page begins
// and that, and around it. It runs before anything is selected by the address.
"use strict";
function linkTo(text, url) {
  const made = element("a", text, "button");
  made.href = url;
  return made;
}

// The page of a node; none of a group, which is several.
function pageOf(node) {
  if (!node || node.members.length) return null;
  if (node.role !== "snapshot") return `/${node.role === "step" ? "steps" : "certificates"}/${encodeURIComponent(node.id)}`;
  const told = Object.fromEntries(node.details);
  if (!told.workspace || !told.hash) return null;
  return `/workspaces/${encodeURIComponent(told.workspace)}/snapshots/${encodeURIComponent(told.hash)}`;
}

additions.unshift((node) => {
  const url = pageOf(node), line = element("p", undefined, "own-page");
  if (url) line.append(linkTo("Open its page", url));
  return url ? [line] : [];
});

stage.addEventListener("keydown", (event) => {
  if (event.key !== "o" || event.ctrlKey || event.metaKey || event.altKey) return;
  const url = pageOf(shown.at.get(view.selected));
  if (url) location.assign(url);
});

document.addEventListener("panel", ({ detail: node }) => {
  const body = $("panel-body"), { start } = body.dataset;
  if (node.members.length) return;
  const line = element("p", undefined, "ways");
  const lead = (text, asked) => line.append(linkTo(text, `/graph?${new URLSearchParams(asked)}`), " ");
  if (start && node.id !== start) lead("Slice to here", { node: start, to: node.id });
  lead("Begin here", { node: node.id });
  body.append(line);
});
