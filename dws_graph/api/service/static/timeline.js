// The slider moves the page as it is moved: it says the moment at once, and goes there once it
// rests. What is selected, and which group is looked at, goes along.
"use strict";
(() => {
  const REST = 250; // ms
  const slider = document.getElementById("moment");
  if (!slider) return;
  const points = [...document.querySelectorAll("#moments option")];
  const [name, time] = document.getElementById("moment-said").children;
  const shown = slider.value;
  let waiting;

  slider.addEventListener("input", () => {
    const point = points[Number(slider.value)];
    name.textContent = point.label;
    time.textContent = point.dataset.time;
    slider.setAttribute("aria-valuetext", `${point.label} ${point.dataset.time}`);
    clearTimeout(waiting);
    if (slider.value === shown) return;
    waiting = setTimeout(() => {
      sessionStorage.setItem("moved", "yes");
      location.replace(point.dataset.url + location.hash);
    }, REST);
  });

  if (sessionStorage.getItem("moved")) slider.focus(); // so that arrow keys go on from here
  sessionStorage.removeItem("moved");
})();
