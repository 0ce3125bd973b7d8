// What htmx needs from us: the CSRF token, behaviours on new markup, focus, and words for a failure.
import { csrfToken } from "./http.js";

function say(text) {
  const place = document.querySelector("[data-messages]");
  if (!place || !text) return;
  const alert = document.createElement("div");
  alert.className = "alert error";
  alert.textContent = text;
  place.replaceChildren(alert);
}

export function listenToHtmx(bindTo) {
  const { body } = document;
  body.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken();
  });
  body.addEventListener("htmx:load", (event) => bindTo(event.detail.elt));
  body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) location.reload();
    else say(body.dataset.failed);
  });
  body.addEventListener("htmx:sendError", () => say(body.dataset.failed));

  // "Show more" goes away when pressed; the reader goes on at the first new row.
  let goOnAt = null;
  body.addEventListener("htmx:beforeRequest", (event) => {
    const list = document.getElementById(event.target.dataset.more);
    if (list) goOnAt = { list, index: list.children.length };
  });
  body.addEventListener("htmx:afterSettle", () => {
    goOnAt?.list.children[goOnAt.index]?.querySelector("a, button")?.focus();
    goOnAt = null;
  });
}
