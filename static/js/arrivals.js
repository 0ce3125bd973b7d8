// Files that arrive while a page is open: asks whether the list has changed, soon and then ever less
// often, and puts in what is new. Rows that are the same stay as they are: ticked, open, focused.

const PAUSES_MS = [3_000, 5_000, 10_000, 20_000, 30_000, 60_000];
// Something is being checked: its outcome is waited for.
const CHECKED_MS = 5_000;
const SENT_MS = 400;
const LONGEST_MS = 20_000;
const FOCUSABLE = "a, button, input, summary";

let step = 0;
let timer = 0;
let asking = false;

const section = () => document.querySelector("#files[data-version]");

function plan() {
  clearTimeout(timer);
  const list = section();
  if (!list || document.hidden) return;
  const pause = PAUSES_MS[Math.min(step, PAUSES_MS.length - 1)];
  const checking = list.querySelector(".badge.checking");
  timer = setTimeout(ask, checking ? Math.min(pause, CHECKED_MS) : pause);
}

/** Something was sent from here: shown at once, and several in one. */
function soon() {
  step = 0;
  clearTimeout(timer);
  timer = setTimeout(ask, SENT_MS);
}

function again() {
  step = 0;
  plan();
}

/** Ask once. Asking keeps nobody signed in: the server is told that no person did it. */
async function ask() {
  const list = section();
  if (!list || asking) return;
  asking = true;
  step += 1;
  try {
    const answer = await fetch(list.dataset.address, {
      credentials: "same-origin",
      signal: AbortSignal.timeout(LONGEST_MS),
      redirect: "manual",
      headers: { "HX-Request": "true", "X-Filevault-Poll": "1", "If-None-Match": `"${list.dataset.version}"` },
    });
    // Signed out, or no longer on the case: whoever comes back to the page sees so.
    if (answer.type === "opaqueredirect" || (answer.status >= 400 && answer.status < 500)) step = Infinity;
    if (answer.status === 200) show(await answer.text());
  } catch {
    // No connection just now: asked again later.
  } finally {
    asking = false;
  }
  if (step !== Infinity) plan();
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("#files[data-version]");
  const list = section();
  if (!fresh || !list) return;
  const [rows, newRows] = [list, fresh].map((each) => each.querySelector("#file-rows"));
  let drawn = list;
  if (rows && newRows) {
    const isWhole = !fresh.querySelector("#file-rows-more a");
    merge(rows, newRows, isWhole);
    list.querySelector("[data-totals]").textContent = fresh.querySelector("[data-totals]").textContent;
    list.dataset.version = fresh.dataset.version;
  } else {
    drawn = document.importNode(fresh, true);
    list.replaceWith(drawn);
    window.htmx?.process(drawn);
  }
  document.body.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: drawn } }));
  step = 0;
}

/** Put the newest rows in. Ids grow with time, so what is older than all of them is of a further page. */
function merge(rows, newRows, isWhole) {
  const fresh = [...newRows.children];
  const ids = new Set(fresh.map((row) => row.dataset.file));
  const oldest = fresh.at(-1).dataset.file;
  for (const row of [...rows.children]) {
    const isHere = isWhole || row.dataset.file > oldest;
    if (isHere && !ids.has(row.dataset.file)) row.remove();
  }
  const known = new Map([...rows.children].map((row) => [row.dataset.file, row]));
  let next = rows.firstElementChild;
  for (const row of fresh) {
    const before = known.get(row.dataset.file);
    if (!before) rows.insertBefore(document.importNode(row, true), next);
    else next = (before.dataset.version === row.dataset.version ? before : exchange(before, row)).nextElementSibling;
  }
}

function exchange(before, row) {
  const after = document.importNode(row, true);
  const at = [...before.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  const details = after.querySelector("details");
  if (details) details.open = Boolean(before.querySelector("details[open]"));
  const [box, wasBox] = [after, before].map((each) => each.querySelector("input[type=checkbox]"));
  if (box && wasBox) box.checked = wasBox.checked;
  before.replaceWith(after);
  if (at >= 0) after.querySelectorAll(FOCUSABLE)[at]?.focus({ preventScroll: true });
  return after;
}

/** Begin to ask, and begin anew whenever somebody comes back or does something here. */
export function watchArrivals() {
  document.addEventListener("visibilitychange", again);
  window.addEventListener("focus", again);
  document.addEventListener("pointerdown", again);
  document.addEventListener("keydown", again);
  document.body.addEventListener("filevault:uploaded", soon);
  plan();
}
