// Fetches what the graph shows, then starts the scripts that show it, in their order.
"use strict";
(async () => {
  const told = document.getElementById("boot").dataset;
  const sources = told.scripts.split(" ");
  for (const source of sources) fetch(source).catch(() => {}); // kept until it is wanted, below
  const answer = await fetch(told.from, { headers: { accept: "application/json" } });
  if (!answer.ok) {
    const { detail } = await answer.json().catch(() => ({}));
    document.getElementById("canvas").textContent = detail ?? `The service answered ${answer.status}.`;
    return;
  }
  const holder = document.createElement("div");
  holder.id = "data";
  holder.hidden = true;
  holder.textContent = await answer.text();
  document.body.append(holder);
  await Promise.all(sources.map((source) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.async = false; // all are under way at once, and run in this order
    script.src = source;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.body.append(script);
  })));
})();
