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
  made.append(...values.map((value) => cell(tag, shown(value))));
  return made;
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
    $("said").textContent = [told.detail, told.hint].filter(Boolean).join(" ");
    return;
  }
  $("answer").tHead.replaceChildren(row("th", told.columns));
  $("answer").tBodies[0].replaceChildren(...told.rows.map((values) => row("td", values)));
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  $("said").textContent = `${told.rows.length} rows${told.truncated ? ", and more" : ""} in ${seconds} s`;
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
