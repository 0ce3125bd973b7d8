// The page of one file: arrow keys, Escape and swipes do what its links do.
const KEYS = { ArrowLeft: "previous", ArrowRight: "next", Escape: "close" };
const SWIPE = 60; // pixels

const viewer = document.querySelector("[data-viewer]");

function follow(name) {
  viewer.querySelector(`[data-viewer-${name}]`)?.click();
}

function meansSomethingElse(event) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return true;
  if (document.querySelector("dialog[open], details[data-menu][open]")) return true;
  return Boolean(event.target.closest?.("input, textarea, select"));
}

function listenToKeys() {
  // Before other listeners: Escape closes an open menu, and then isn't ours.
  const onKey = (event) => {
    const name = KEYS[event.key];
    if (name && !meansSomethingElse(event)) follow(name);
  };
  document.addEventListener("keydown", onKey, { capture: true });
}

function listenToSwipes() {
  let start = null;
  const isZoomed = () => (window.visualViewport?.scale ?? 1) > 1.01;
  viewer.addEventListener(
    "touchstart",
    (event) => {
      start = event.touches.length === 1 && !isZoomed() ? event.touches[0] : null;
    },
    { passive: true },
  );
  viewer.addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    if (!start || event.touches.length || isZoomed()) return;
    const [across, along] = [end.clientX - start.clientX, end.clientY - start.clientY];
    start = null;
    if (Math.abs(across) < SWIPE || Math.abs(across) < 2 * Math.abs(along)) return;
    follow(across < 0 ? "next" : "previous");
  });
}

// A picture's address runs out after two minutes; a new look at the page signs a new one.
function sayWhenLost() {
  const picture = viewer.querySelector("[data-viewer-picture]");
  if (!picture) return;
  const say = () => {
    picture.hidden = true;
    viewer.querySelector("[data-viewer-failed]").hidden = false;
  };
  if (picture.complete && !picture.naturalWidth) say();
  else picture.addEventListener("error", say);
}

if (viewer) {
  if (navigator.pdfViewerEnabled === false) viewer.dataset.pdf = "outside";
  listenToKeys();
  listenToSwipes();
  sayWhenLost();
}
