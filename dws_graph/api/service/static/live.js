// Says when something new was recorded; the page stays as it is until it is wanted anew.
"use strict";
if (window.EventSource) {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("step", (event) => {
    const { name } = JSON.parse(event.data);
    const news = document.getElementById("news");
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "Load again";
    link.addEventListener("click", (click) => {
      click.preventDefault();
      location.reload();
    });
    news.replaceChildren(`New step: ${name}. `, link);
    news.hidden = false;
  });
  addEventListener("pagehide", () => source.close());
}
