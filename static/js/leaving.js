// While something is under way, people are asked before they leave its page. Browsers ask at links
// to downloads, too, which leave nothing: such an address is fetched first, and asks nobody then.
import { getJson } from "./http.js";
import { asksBrowser } from "./links.js";

const MOMENT_MS = 1000;
const busy = [];
let staying = false;

const underWay = () => busy.some((test) => test());

async function take(link) {
  try {
    const { url } = await getJson(link.href);
    staying = true;
    setTimeout(() => {
      staying = false;
    }, MOMENT_MS);
    location.assign(url);
  } catch {
    location.assign(link.href); // its page says why not
  }
}

function bind() {
  window.addEventListener("beforeunload", (event) => {
    if (underWay() && !staying) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href$='/download']");
    if (!link || asksBrowser(event) || event.defaultPrevented || !underWay()) return;
    event.preventDefault();
    take(link);
  });
}

/** Ask before the page is left for as long as `test` says so. */
export function askBeforeLeaving(test) {
  if (busy.length === 0) bind();
  busy.push(test);
}
