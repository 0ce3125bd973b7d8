// Draws the queue: a row a file, a total, a summary. Only the summary is a live region.
import { size } from "./uploader-words.js";

const REDRAW_MS = 250;
const ICONS = { done: "check", failed: "error", refused: "error", rejected: "error" };
const BUTTONS = {
  waiting: ["cancel"],
  sending: ["cancel"],
  failed: ["retry", "remove"],
  cancelled: ["retry", "remove"],
  refused: ["remove"],
  rejected: ["remove"],
  done: [],
};

export class View {
  constructor({ root, words, queue, rules }) {
    Object.assign(this, { root, words, queue, rules });
    this.part = (name) => root.querySelector(`[data-part=${name}]`);
    this.rowTemplate = root.querySelector("template[data-row]");
    this.rows = new Map();
    this.stale = new Set();
    this.redraw = null;
  }

  /** States show at once; figures, which change many times a second, four times a second. */
  changed(item) {
    const row = this.rowOf(item);
    if (!row) return;
    if (item.state === row.dataset.state && item.phase === row.dataset.phase) {
      this.stale.add(item);
      this.redraw ??= setTimeout(() => this.drawStale(), REDRAW_MS);
      return;
    }
    this.drawRow(item, row);
    this.drawTotal();
    this.drawSummary();
  }

  drawStale() {
    this.redraw = null;
    for (const item of this.stale) {
      const row = this.rows.get(item.id);
      if (row) this.drawRow(item, row);
    }
    this.stale.clear();
    this.drawTotal();
  }

  rowOf(item) {
    if (!this.queue.items.includes(item)) {
      this.rows.get(item.id)?.remove();
      this.rows.delete(item.id);
      this.drawTotal();
      this.drawSummary();
      return null;
    }
    if (!this.rows.has(item.id)) this.rows.set(item.id, this.newRow(item));
    return this.rows.get(item.id);
  }

  newRow(item) {
    const row = this.rowTemplate.content.firstElementChild.cloneNode(true);
    const { name } = item.file;
    row.querySelector("[data-part=name]").textContent = name;
    row.querySelector("progress").setAttribute("aria-label", this.words.say("progressOf", { name }));
    for (const button of row.querySelectorAll("[data-do]")) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${name}`);
      button.addEventListener("click", () => {
        this.queue[button.dataset.do](item);
        this.keepFocus(row);
      });
    }
    this.part("rows").append(row);
    return row;
  }

  /** The pressed button may be gone; the reader stays in the row, or at the chooser. */
  keepFocus(row) {
    const next = row.isConnected && row.querySelector("[data-do]:not([hidden])");
    (next || this.part("choose")).focus();
  }

  drawRow(item, row) {
    row.dataset.state = item.state;
    row.dataset.phase = item.phase;
    const progress = row.querySelector("progress");
    progress.max = item.file.size || 1;
    progress.value = item.sent;
    row.querySelector("[data-part=status]").textContent = this.status(item);
    row.querySelector("[data-part=sign-in]").hidden = item.reason !== "signedOut";
    const use = row.querySelector(".chip use");
    use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${ICONS[item.state] ?? "file"}`);
    for (const button of row.querySelectorAll("[data-do]")) {
      button.hidden = !BUTTONS[item.state].includes(button.dataset.do);
    }
  }

  status(item) {
    const { words } = this;
    const { file } = item;
    if (item.state === "refused") {
      return words.say(item.reason, {
        name: file.name,
        accepted: this.rules.accepted,
        limit: size(this.rules.maxSize),
        size: size(file.size),
      });
    }
    if (item.state === "failed" || item.state === "rejected") return item.text || words.say(item.reason);
    if (item.state === "done") {
      return words.say(item.answer.state === "CHECKING" ? "checking" : "done", { size: size(file.size) });
    }
    if (item.state === "sending" && item.phase !== "sending") return words.say(item.phase);
    return item.state === "sending" ? this.figures(item.sent, file.size, item.speed.value) : words.say(item.state);
  }

  figures(sent, total, speed) {
    const { words } = this;
    const percent = total ? Math.floor((sent / total) * 100) : 0;
    const parts = [`${percent} %`, words.say("sizeOf", { sent: size(sent), total: size(total) })];
    if (speed > 0 && sent < total) {
      parts.push(words.say("perSecond", { speed: size(speed) }));
      parts.push(words.say("left", { time: words.duration((total - sent) / speed) }));
    }
    return parts.join(" · ");
  }

  drawTotal() {
    const counted = this.queue.in("waiting", "sending", "done");
    const total = counted.reduce((sum, item) => sum + item.file.size, 0);
    const sent = counted.reduce((sum, item) => sum + item.sent, 0);
    const speed = this.queue.in("sending").reduce((sum, item) => sum + item.speed.value, 0);
    this.part("total").hidden = !this.queue.active || counted.length < 2;
    const progress = this.part("total-progress");
    progress.max = total || 1;
    progress.value = sent;
    this.part("total-text").textContent = this.figures(sent, total, speed);
  }

  drawSummary() {
    const { words, queue } = this;
    const parts = [];
    const sent = queue.in("done").length;
    const waiting = queue.in("waiting", "sending").length;
    const bad = queue.in("failed", "refused", "rejected");
    if (waiting) parts.push(words.count("sending", waiting));
    else if (sent) parts.push(words.count("sent", sent));
    if (bad.length && !waiting) {
      parts.push(words.say("notSent", { names: bad.map((item) => item.file.name).join(", ") }));
    }
    const text = parts.join(" ");
    const place = this.part("summary");
    if (place.textContent !== text) place.textContent = text;
  }
}
