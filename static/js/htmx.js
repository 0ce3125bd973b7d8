// What htmx needs from us: the CSRF token, behaviours on new markup, focus, and words for a failure.
// It weighs as much as all the rest of a page, so it comes once a link that it serves is near.
import { csrfToken } from "./http.js";
import { asksBrowser } from "./links.js";

let coming = null;

const near = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) bringHtmx().catch(() => {});
  },
  { rootMargin: "400px" },
);

/** Load htmx, once. Where it can't come, its links lead to pages, as they do without JavaScript. */
export function bringHtmx() {
  near.disconnect();
  coming ??= load();
  return coming;
}

async function load() {
  // On a page that is still loading it would wait for an event that may have passed.
  if (document.readyState !== "complete") await new Promise((go) => window.addEventListener("load", go, { once: true }));
  const script = document.querySelector("template[data-htmx]").content.firstElementChild.cloneNode();
  await new Promise((resolve, reject) => {
    Object.assign(script, { onload: resolve, onerror: reject });
    document.head.append(script);
  });
}

export function watchLinks(root) {
  if (coming) return;
  for (const link of root.querySelectorAll("[hx-get]")) near.observe(link);
}

/** Who is quicker than htmx waits for it, and stays on the page. */
function holdClicks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[hx-get]");
    if (!link || window.htmx || asksBrowser(event)) return;
    event.preventDefault();
    bringHtmx().then(
      () => link.click(),
      () => location.assign(link.href),
    );
  });
}

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
  holdClicks();
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
