// Binds each behaviour to the markup that asks for it, on load and after htmx brought new markup.
import { bindCode } from "./code.js";
import { bindCopy } from "./copy.js";
import { bindDownloads } from "./downloads.js";
import { focusErrors } from "./errors.js";
import { listenToHtmx, watchLinks } from "./htmx.js";
import { bindMenus } from "./menu.js";
import { bindTextKeeper } from "./keeper.js";
import { guardSubmits } from "./once.js";
import { watchSession } from "./session.js";
import { hideLostPictures } from "./thumbs.js";
import { localiseTimes } from "./time.js";

/** What the uploader can't do without; browsers have it all since March 2024. */
function canUpload() {
  return isSecureContext && "any" in AbortSignal && "groupBy" in Map;
}

/** Too old, or cut off while it loaded: the way for browsers without scripts is open to all. */
function offerPlainUpload(root) {
  for (const plain of root.querySelectorAll("[data-uploader] noscript")) {
    plain.outerHTML = plain.textContent;
  }
}

async function bindUploaders(root) {
  if (!root.querySelector("[data-uploader]")) return;
  const uploader = canUpload() && (await import("./uploader.js").catch(() => null));
  if (uploader) uploader.bindUploaders(root);
  else offerPlainUpload(root);
}

async function bindSelections() {
  if (!document.querySelector("[data-selection]")) return;
  const selection = await import("./selection.js");
  selection.bindSelections();
}

async function watchArrivals() {
  if (!document.querySelector("#files[data-version]")) return;
  const arrivals = await import("./arrivals.js");
  arrivals.watchArrivals();
}

async function findPicture() {
  if (!document.querySelector("#pictures")) return;
  const gallery = await import("./gallery.js");
  gallery.findPicture();
}

const onNewMarkup = [bindCode, bindCopy, localiseTimes, bindUploaders, bindSelections, watchLinks];

for (const bind of onNewMarkup) bind(document);
bindDownloads();
focusErrors();
bindMenus();
bindTextKeeper();
hideLostPictures();
guardSubmits();
watchSession();
watchArrivals();
findPicture();
listenToHtmx((root) => {
  for (const bind of onNewMarkup) bind(root);
});
