// Draws the queue: a row a file, a total, a summary. Only the summary is a live region.
import { bindCopy } from "./copy.js";
import { size } from "./uploader-words.js";

const ICONS = { done: "check", failed: "error", refused: "error", rejected: "error" };
const WENT_WRONG = "[data-state=failed], [data-state=refused], [data-state=rejected]";
const BUTTONS = {
  waiting: ["pause", "cancel"],
  sending: ["pause", "cancel"],
  paused: ["resume", "cancel"],
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
    for (const name of ["pauseAll", "resumeAll", "retryAll"]) {
      this.part(name).addEventListener("click", () => {
        queue[name]();
        this.drawOverview();
        this.keepFocus(this.part("overview"));
      });
    }
    this.part("knock").addEventListener("click", () => queue.site.gate.knock());
  }

  /** States show at once, what is told of all after all that changed together: a folder may hold a
   * thousand files. Figures, which change many times a second, show by `tick`. */
  changed(item) {
    const row = this.rowOf(item);
    if (row) this.drawRow(item, row);
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => this.drawOverview());
  }

  drawOverview() {
    this.drawing = false;
    if (this.moved) this.follow();
    this.moved = false;
    this.drawTotal();
    this.drawSummary();
  }

  tick() {
    for (const item of this.queue.in("sending")) this.drawFigures(item, this.rows.get(item.id));
    this.drawTotal();
  }

  rowOf(item) {
    if (!this.queue.items.includes(item)) {
      this.rows.get(item.id)?.remove();
      this.rows.delete(item.id);
      return null;
    }
    if (!this.rows.has(item.id)) this.rows.set(item.id, this.newRow(item));
    return this.rows.get(item.id);
  }

  newRow(item) {
    const row = this.rowTemplate.content.firstElementChild.cloneNode(true);
    const { name } = item;
    row.querySelector("progress").setAttribute("aria-label", this.words.say("progressOf", { name }));
    for (const button of row.querySelectorAll("[data-do]")) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${name}`);
      button.addEventListener("click", () => {
        if (button.dataset.do === "choose") this.part("files").click();
        else this.queue[button.dataset.do](item);
        this.keepFocus(row);
      });
    }
    this.part("rows").append(row);
    return row;
  }

  /** The pressed button may be gone; the reader stays where it was, or at the chooser. */
  keepFocus(place) {
    if (document.activeElement?.checkVisibility() && place.contains(document.activeElement)) return;
    const next = [...place.querySelectorAll("button")].find((button) => button.checkVisibility());
    (next ?? this.part("choose")).focus();
  }

  /** Of a long list, what is being sent stays in view, and then what went wrong, unless somebody
   * is reading in it. */
  follow() {
    const list = this.part("rows");
    const row = list.querySelector("[data-state=sending]") ?? list.querySelector(WENT_WRONG);
    if (!row || list.matches(":hover, :focus-within")) return;
    list.scrollTop = row.offsetTop - list.firstElementChild.offsetTop;
  }

  drawRow(item, row) {
    this.moved ||= row.dataset.state !== item.state;
    row.dataset.state = item.state;
    row.dataset.phase = item.phase;
    row.querySelector("[data-part=name]").textContent = item.name;
    const use = row.querySelector(".chip use");
    use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${ICONS[item.state] ?? "file"}`);
    const offered = BUTTONS[item.state].map((name) => (name === "retry" && item.stale ? "choose" : name));
    for (const button of row.querySelectorAll("[data-do]")) {
      button.hidden = !offered.includes(button.dataset.do);
    }
    this.drawFigures(item, row);
    if (item.sha256 && item.state === "done") this.drawHash(item, row);
  }

  drawFigures(item, row) {
    const progress = row.querySelector("progress");
    progress.max = item.file.size || 1;
    progress.value = item.sent;
    row.querySelector("[data-part=status]").textContent = this.status(item);
  }

  drawHash({ sha256 }, row) {
    const place = row.querySelector("[data-part=hash]");
    if (!place.hidden) return;
    place.hidden = false;
    place.querySelector("code").textContent = sha256;
    place.querySelector("button").dataset.copyText = sha256;
    bindCopy(place);
  }

  reason(item) {
    const { size: bytes } = item.file;
    const values = { accepted: this.rules.accepted, limit: size(this.rules.maxSize), size: size(bytes) };
    return item.text || this.words.say(item.reason, values);
  }

  status(item) {
    const { words } = this;
    const total = item.file.size;
    if (item.reason && ["refused", "failed", "rejected"].includes(item.state)) return this.reason(item);
    if (item.state === "done") {
      const key = item.late ? "late" : item.answer.state === "CHECKING" ? "checking" : item.same ? "same" : "done";
      return words.say(key, { size: size(total), name: item.same });
    }
    if (item.state === "sending" && item.phase === "sending") {
      const alone = this.queue.in("waiting", "sending").length < 2;
      return this.figures(item.sent, total, alone ? total - item.sent : 0);
    }
    if (item.state === "paused" && !item.transfer?.keeps) return words.say("pausedWhole");
    return words.say(item.state === "sending" ? item.phase : item.state);
  }

  figures(sent, total, toGo) {
    return this.words.progress({ done: sent, total, toGo, speed: this.queue.speed });
  }

  drawTotal() {
    const { queue } = this;
    const going = queue.in("waiting", "sending");
    const active = going.length;
    const counted = queue.in("waiting", "sending", "paused", "done");
    const total = counted.reduce((sum, item) => sum + item.file.size, 0);
    const sent = counted.reduce((sum, item) => sum + item.sent, 0);
    const toGo = going.reduce((sum, item) => sum + item.file.size - item.sent, 0);
    const paused = queue.in("paused").length;
    this.part("total").hidden = counted.length < 2 || active + paused === 0;
    this.part("pauseAll").hidden = active < 2;
    this.part("resumeAll").hidden = paused < 2;
    const progress = this.part("total-progress");
    progress.max = total || 1;
    progress.value = sent;
    this.part("total-text").textContent = this.figures(sent, total, active > 1 ? toGo : 0);
  }

  drawSession() {
    this.part("sign-in").hidden = !this.queue.site.gate.shut;
    this.drawSummary();
  }

  drawSummary() {
    const { words, queue } = this;
    const sent = queue.in("done").length;
    const waiting = queue.in("waiting", "sending").length;
    const bad = waiting ? [] : queue.in("failed", "refused", "rejected");
    const parts = [];
    if (queue.site.gate.shut) parts.push(words.say("signedOut"));
    else if (waiting) parts.push(words.count("sending", waiting));
    else if (sent) parts.push(words.count("sent", sent));
    if (bad.length) parts.push(words.count("notSent", bad.length));
    this.part("retryAll").hidden = waiting > 0 || queue.in("failed").filter((item) => !item.stale).length < 2;
    const why = Map.groupBy(bad, (item) => this.reason(item));
    this.say(parts.join(" "), bad.length > 1 ? [...why] : []);
  }

  /** The live region changes only when there is news: each change is read aloud. */
  say(text, why) {
    const lines = why.map(([reason, items]) => `${items.map((item) => item.name).join(", ")}: ${reason}`);
    const key = [text, ...lines].join("\n");
    if (key === this.said) return;
    this.said = key;
    this.part("summary-text").textContent = text;
    this.part("summary-why").replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
    );
  }
}
