// Asks a query, and shows its rows as a table. All text enters the document as text.
"use strict";
const $ = (id) => document.getElementById(id);
const { csrf } = $("cypher-script").dataset;

function cell(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function shown(value) {
  return value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function row(tag, values) {
  const made = document.createElement("tr");
  made.append(...values.map((value) => linked(cell(tag, shown(value)), value)));
  return made;
}

// A node of an answer leads to its place in the graph.
const NODES = /^(Step|Certificate|HashCertificate|PlaceholderCertificate|Snapshot)$/;

function linked(made, value) {
  const id = idOf(value);
  if (!id || ![value.labels ?? value.label ?? value.type].flat().some((label) => NODES.test(label))) return made;
  const link = document.createElement("a");
  link.href = `/graph?node=${encodeURIComponent(id)}`;
  link.textContent = (value.properties ?? value).name ?? id;
  made.prepend(link, " ");
  return made;
}

function idOf(value) {
  const id = value !== null && typeof value === "object" ? (value.properties ?? value).id : null;
  return typeof id === "string" ? id : null;
}

// The ids in the rows: of nodes, those in paths, and those that a query returns as texts.
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MOST_DRAWN = 300;

function idsIn(value, found) {
  if (typeof value === "string") {
    if (ID.test(value)) found.add(value);
  } else if (Array.isArray(value)) {
    for (const one of value) idsIn(one, found);
  } else if (value !== null && typeof value === "object") {
    const id = idOf(value);
    if (id) found.add(id);
    else for (const one of Object.values(value)) idsIn(one, found);
  }
  return found;
}

async function draw(rows, headers) {
  const keys = [...idsIn(rows, new Set())];
  $("drawn").hidden = $("not-drawn").hidden = true;
  if (keys.length === 0) return;
  const body = JSON.stringify({ keys: keys.slice(0, MOST_DRAWN) });
  const answer = await fetch("/cypher/picture.svg", { method: "POST", headers, body });
  if (answer.status === 200) {
    $("picture").src = `data:image/svg+xml,${encodeURIComponent(await answer.text())}`;
    $("drawn").hidden = false;
  }
  if (answer.status === 200 && keys.length > MOST_DRAWN) {
    $("not-drawn").textContent = `The picture has the first ${MOST_DRAWN} of ${keys.length} nodes.`;
    $("not-drawn").hidden = false;
  }
}

// A field for each $name of the query; its value is JSON where it can be read so, else text.
function showParameters() {
  const names = new Set([...$("query").value.matchAll(/\$([A-Za-z_]\w*)/g)].map(([, name]) => name));
  const before = new Map([...$("parameters").querySelectorAll("input")].map((i) => [i.name, i.value]));
  $("parameters").replaceChildren(...[...names].map((name) => {
    const label = document.createElement("label"), input = document.createElement("input");
    input.name = name;
    input.value = before.get(name) ?? "";
    label.append(`$${name} `, input);
    return label;
  }));
}

function valueOf(text) {
  try { return JSON.parse(text); } catch { return text; }
}

function parameters() {
  return Object.fromEntries([...$("parameters").querySelectorAll("input")].map((i) => [i.name, valueOf(i.value)]));
}

function sentence(text) {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

async function ask(event) {
  event?.preventDefault();
  $("said").textContent = "Asking…";
  const headers = { "content-type": "application/json", ...(csrf ? { "x-csrf-token": csrf } : {}) };
  const body = JSON.stringify({ cypher: $("query").value, parameters: parameters() });
  const begun = performance.now();
  const answer = await fetch("/api/v1/cypher", { method: "POST", headers, body });
  const told = await answer.json();
  $("answer").hidden = !answer.ok;
  if (!answer.ok) {
    $("said").textContent = [told.detail, told.hint].filter(Boolean).map(sentence).join(" ");
    $("drawn").hidden = $("not-drawn").hidden = true;
    return;
  }
  $("answer").tHead.replaceChildren(row("th", told.columns));
  $("answer").tBodies[0].replaceChildren(...told.rows.map((values) => row("td", values)));
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  $("said").textContent = `${told.rows.length} rows${told.truncated ? ", and more" : ""} in ${seconds} s`;
  await draw(told.rows, headers);
}

$("ask").addEventListener("submit", ask);
$("query").addEventListener("input", showParameters);
showParameters();
$("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(event);
});
for (const button of document.querySelectorAll("button[data-query]")) {
  button.addEventListener("click", () => {
    $("query").value = button.dataset.query;
    showParameters();
    $("query").focus();
  });
}
