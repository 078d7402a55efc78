// The panel leads on: what lies between where the page begins and what is selected, and around it.
"use strict";
document.addEventListener("panel", ({ detail: node }) => {
  const body = $("panel-body"), { start } = body.dataset;
  if (node.members.length) return; // a group is several nodes
  const line = element("p", undefined, "ways");
  const link = (text, asked) => {
    const made = element("a", text, "button");
    made.href = `/graph?${new URLSearchParams(asked)}`;
    line.append(made, " ");
  };
  if (start && node.id !== start) link("Slice to here", { node: start, to: node.id });
  link("Begin here", { node: node.id });
  body.append(line);
});
