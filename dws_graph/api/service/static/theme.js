// Light or dark, as the person chose here before, else as the system says.
"use strict";
const root = document.documentElement;
const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
if (kept === "light" || kept === "dark") root.dataset.theme = kept;

function isDarkNow() {
  return (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

new MutationObserver(() => {
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private windows may keep nothing */ }
}).observe(root, { attributes: true, attributeFilter: ["data-theme"] });

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(isDarkNow()));
  if (document.getElementById("boot")) return; // the scripts of the graph change it there
  button.addEventListener("click", () => {
    root.dataset.theme = isDarkNow() ? "light" : "dark";
    button.setAttribute("aria-pressed", String(isDarkNow()));
  });
});
