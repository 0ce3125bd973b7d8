// Draws the downloads that the page makes by itself: a row a file, and one live region for news.
import { Download, KEPT } from "./downloader-transfer.js";
import { askBeforeLeaving } from "./leaving.js";
import { keepAlive } from "./session.js";
import { Hasher } from "./uploader-hash.js";
import { Gate } from "./uploader-session.js";
import { Speed } from "./uploader-speed.js";
import { Words, size } from "./uploader-words.js";

// Bytes go past our server, so a long download would look idle to it.
const KEEP_ALIVE_MS = 5 * 60_000;
const TICK_MS = 500;
const ICONS = { done: "check", halted: "error", failed: "error" };
const BUTTONS = {
  receiving: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  halted: ["retry", "cancel"],
  failed: ["remove"],
  done: ["remove"],
};

const root = document.querySelector("[data-downloads]");
const part = (name) => root.querySelector(`[data-part=${name}]`);
const words = new Words(root.querySelector("template[data-words]"));
const hasher = new Hasher(root.dataset.hashWorker);
const gate = new Gate(() => {
  part("sign-in").hidden = !gate.shut;
});
const rows = new Set();
const going = () => [...rows].filter(({ state }) => state === "receiving");

class Row {
  constructor({ url, target }) {
    this.name = target.name;
    this.download = new Download({ url, target, hasher, gate, onPhase: (phase) => this.enter(phase) });
    this.element = root.querySelector("template[data-row]").content.firstElementChild.cloneNode(true);
    this.progress = this.element.querySelector("progress");
    this.status = this.element.querySelector("[data-part=status]");
    this.element.querySelector("[data-part=name]").textContent = this.name;
    this.progress.setAttribute("aria-label", words.say("progressOf", { name: this.name }));
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${this.name}`);
      button.addEventListener("click", () => this[button.dataset.do]());
    }
    part("rows").prepend(this.element);
    root.scrollTop = 0;
    rows.add(this);
  }

  start() {
    this.stop = new AbortController();
    this.speed = new Speed();
    this.show("receiving", words.say("started"));
    const before = this.ended;
    this.ended = this.go(this.stop.signal, before);
  }

  async go(signal, before) {
    await before; // what had come when it was paused is on the disk, and may have been all
    if (this.state !== "receiving") return;
    try {
      const proved = await this.download.run(signal);
      this.show("done", words.say(proved ? "proved" : "arrived", { size: size(this.download.size) }));
    } catch (error) {
      if (signal.aborted) return;
      const kept = KEPT.includes(error.key);
      if (!kept) await this.download.discard();
      const said = error.text || words.say(error.key ?? "failed", { size: size(this.download.size) });
      this.show(kept ? "halted" : "failed", said);
    }
  }

  pause() {
    this.stop.abort();
    this.show("paused", words.say("paused"));
  }

  resume() {
    this.start();
  }

  retry() {
    this.start();
  }

  async cancel() {
    this.stop.abort();
    this.remove();
    this.tell(words.say("cancelled"));
    await this.ended;
    await this.download.discard();
  }

  remove() {
    rows.delete(this);
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    root.hidden = rows.size === 0;
    (next?.querySelector("button:not([hidden])") ?? document.querySelector("main")).focus();
  }

  enter(phase) {
    this.phase = phase;
    if (phase === "receiving") return this.draw();
    this.status.textContent = words.say(phase);
    if (!["preparing", "proving"].includes(phase)) this.tell(this.status.textContent);
  }

  show(state, text) {
    this.state = state;
    this.element.dataset.state = state;
    const use = this.element.querySelector(".chip use");
    use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${ICONS[state] ?? "file"}`);
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.hidden = !BUTTONS[state].includes(button.dataset.do);
    }
    // The pressed button may be gone; the reader stays where it was.
    if (focused && focused.hidden) this.element.querySelector("button:not([hidden])").focus();
    this.draw();
    this.status.textContent = text;
    this.tell(text);
  }

  draw() {
    const { arrived, size: total } = this.download;
    this.progress.max = total || 1;
    this.progress.value = arrived;
    const shown = { done: arrived, total, toGo: total - arrived, speed: this.speed };
    if (this.state === "receiving" && this.phase === "receiving") this.status.textContent = words.progress(shown);
  }

  /** The live region changes only when there is news: each change is read aloud. */
  tell(text) {
    const said = `${this.name}: ${text}`;
    if (part("said").textContent !== said) part("said").textContent = said;
  }
}

/** Save what `url` leads to into a file that was chosen. */
export function startDownload(options) {
  root.hidden = false;
  new Row(options).start();
}

part("knock").addEventListener("click", () => gate.knock());
askBeforeLeaving(() => [...rows].some(({ state }) => !["done", "failed"].includes(state)));
setInterval(() => {
  for (const row of going()) {
    row.speed.add(row.download.arrived);
    row.draw();
  }
}, TICK_MS);
setInterval(() => {
  if (going().length) keepAlive().catch(() => {});
}, KEEP_ALIVE_MS);
