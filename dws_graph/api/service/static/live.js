// Follows what is recorded: lists on the page are brought up to date, and it is said what is new.
// A part in which somebody is at work stays as it is until the page is wanted anew.
"use strict";

async function follow() {
  const asked = fetch(location.href, { headers: { accept: "text/html" } });
  const answer = await asked.catch(() => null); // the page is being left, or the service is away
  if (!answer?.ok) return false;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  let all = true;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = now.getElementById(part.id);
    if (!fresh || part.contains(document.activeElement)) all = false;
    else part.replaceWith(document.adoptNode(fresh));
  }
  return all && document.querySelector("[data-live]") !== null;
}

function say(name, followed) {
  const news = document.getElementById("news");
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Load again";
  link.addEventListener("click", (click) => {
    click.preventDefault();
    location.reload();
  });
  news.replaceChildren(`New step: ${name}. `, ...(followed ? [] : [link]));
  news.hidden = false;
}

if (window.EventSource) {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("step", async (event) => {
    const { name } = JSON.parse(event.data);
    say(name, await follow());
  });
  addEventListener("pagehide", () => source.close());
}
