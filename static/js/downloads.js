// Large files: where the browser lets a page write a file of the reader's choice (Chromium), their
// links save by a script that goes on after a break. Everywhere else, and without it, they are links.
import { asksBrowser } from "./links.js";

async function save(link) {
  const loading = import("./downloader.js");
  loading.catch(() => {}); // told below, once a place was chosen
  const options = { id: "filevault", startIn: "downloads", suggestedName: link.dataset.saveAs };
  try {
    // At once: it is allowed for moments after a click.
    const target = await window.showSaveFilePicker(options);
    (await loading).startDownload({ url: link.href, target });
  } catch (error) {
    // "AbortError": the reader thought better of it.
    if (error.name !== "AbortError") location.assign(link.href);
  }
}

export function bindDownloads() {
  if (!window.showSaveFilePicker) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-save-as]");
    if (!link || asksBrowser(event) || !document.querySelector("[data-downloads]")) return;
    event.preventDefault();
    save(link);
  });
}
