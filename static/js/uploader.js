// Binds each [data-uploader] section: choosing, dropping, pasting, and what the page does meanwhile.
import { askBeforeLeaving } from "./leaving.js";
import { keepAlive } from "./session.js";
import { Awake } from "./uploader-awake.js";
import { Rules } from "./uploader-checks.js";
import { chosenFiles, droppedFiles, named } from "./uploader-collect.js";
import { Hasher } from "./uploader-hash.js";
import { Queue } from "./uploader-queue.js";
import { showInterrupted } from "./uploader-resume.js";
import { Gate } from "./uploader-session.js";
import { View } from "./uploader-view.js";
import { Words } from "./uploader-words.js";

// Bytes go past our server, so a long upload would look idle to it.
const KEEP_ALIVE_MS = 5 * 60_000;

function bindUploader(root) {
  if (root.dataset.ready !== undefined) return;
  const { presignUrl, sameUrl, hashWorker, maxSize, partsAbove } = root.dataset;
  const words = new Words(root.querySelector("template[data-words]"));
  const rules = new Rules({
    types: JSON.parse(root.querySelector("script[type='application/json']").textContent),
    maxSize: Number(maxSize),
  });
  const site = {
    presignUrl,
    sameUrl,
    partsAbove: Number(partsAbove),
    hasher: new Hasher(hashWorker),
    gate: new Gate(() => {
      view.drawSession();
      stayAwake();
    }),
  };
  site.hasher.load();
  const awake = new Awake();
  // Not for a login that nobody is there to give.
  const stayAwake = () => awake.set(queue.active && !site.gate.shut);
  const queue = new Queue({
    rules,
    site,
    onChange: (item) => {
      view.changed(item);
      stayAwake();
    },
    onTick: () => view.tick(),
    onResumed: (fileId) => root.querySelector(`[data-file-id="${fileId}"]`)?.remove(),
    onSent: (item) =>
      document.body.dispatchEvent(new CustomEvent("filevault:uploaded", { bubbles: true, detail: item.answer })),
  });
  const view = new View({ root, words, queue, rules });
  bindChoosing(root, queue, words);
  bindDropping(root, queue);
  document.addEventListener("paste", (event) => {
    // What is copied out of a document brings a picture of itself along: a field takes its text.
    if (!event.clipboardData?.files.length || event.target.closest?.("textarea, input:not([type=checkbox])")) return;
    event.preventDefault();
    queue.add(named([...event.clipboardData.files], /^image\.(png)$/, words.say("screenshot")));
  });
  askBeforeLeaving(() => queue.active);
  setInterval(() => {
    if (queue.active) keepAlive().catch(() => {});
  }, KEEP_ALIVE_MS);
  const choose = () => root.querySelector("[data-part=files]").click();
  showInterrupted({ root, words, presignUrl, choose }).catch(() => {});
  root.dataset.ready = "";
}

function bindChoosing(root, queue, words) {
  for (const input of root.querySelectorAll("input[type=file]")) {
    root.querySelector(`[data-opens="${input.dataset.part}"]`).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const photo = input.dataset.part === "camera";
      queue.add(photo ? named([...input.files], /^image\.(jpe?g)$/i, words.say("photo")) : chosenFiles(input));
      // The same file chosen again is a choice too.
      input.value = "";
    });
  }
}

function bindDropping(root, queue) {
  const zone = root.querySelector("[data-part=drop]");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  // A file let go beside the zone would replace the page, and with it what is being sent.
  for (const kind of ["dragover", "drop"]) {
    window.addEventListener(kind, (event) => {
      if (hasFiles(event)) event.preventDefault();
    });
  }
  zone.addEventListener("dragover", (event) => {
    if (hasFiles(event)) zone.classList.add("over");
  });
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  zone.addEventListener("drop", async (event) => {
    zone.classList.remove("over");
    if (hasFiles(event)) queue.add(await droppedFiles(event.dataTransfer));
  });
}

export function bindUploaders(root) {
  for (const section of root.querySelectorAll("[data-uploader]")) bindUploader(section);
}
