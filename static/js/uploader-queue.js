// The list of files to send: three at a time, each with its state. Tells its view of each change.
import { postJson } from "./http.js";
import { takeInterrupted } from "./uploader-resume.js";
import { Failure, pause } from "./uploader-retry.js";
import { Speed } from "./uploader-speed.js";
import { Transfer } from "./uploader-transfer.js";
import { shown } from "./uploader-words.js";

const AT_ONCE = 3;
const TICK_MS = 500;
const ARRIVED = ["AVAILABLE", "CHECKING", "REJECTED"];
// A check takes seconds; whoever waits longer sees its outcome in the list of files.
const CHECKS_AFTER_MS = [2_000, 4_000, 8_000, 16_000, 32_000];

let count = 0;

function newItem(file, reason) {
  count += 1;
  const state = reason ? "refused" : "waiting";
  const name = shown(file.name);
  return { id: count, file, name, state, phase: "", reason, text: "", sent: 0, run: 0, answer: null, transfer: null, same: "", late: false };
}

function isSame(one, other) {
  return one.size === other.size && one.lastModified === other.lastModified;
}

export class Queue {
  constructor({ rules, site, onChange, onTick, onResumed, onSent }) {
    Object.assign(this, { rules, site, onChange, onTick, onResumed, onSent });
    Object.assign(this, { items: [], moved: 0, speed: new Speed() });
  }

  add(files) {
    for (const file of files) {
      const before = this.in("failed", "paused").find((item) => item.file.name === file.name);
      if (before && !before.stale && isSame(before.file, file)) {
        this.retry(before);
        continue;
      }
      // A file that was chosen again takes the place of the one that couldn't be read.
      if (before?.stale) this.remove(before);
      const item = newItem(file, this.rules.refusal(file));
      this.items.push(item);
      this.onChange(item);
    }
    this.next();
  }

  in(...states) {
    return this.items.filter((item) => states.includes(item.state));
  }

  get active() {
    return this.in("waiting", "sending").length > 0;
  }

  retry(item) {
    this.set(item, { state: "waiting", reason: null, text: "", late: false });
    this.next();
  }

  resume(item) {
    this.retry(item);
  }

  pause(item) {
    item.stop?.abort();
    const sent = item.transfer?.keeps ? item.sent : 0;
    this.set(item, { state: "paused", sent });
    this.next();
  }

  async cancel(item) {
    item.stop?.abort();
    const { sha256 } = item.transfer ?? {};
    const ended = item.transfer?.abandon();
    this.set(item, { state: "cancelled", transfer: null, sent: 0 });
    this.next();
    const answer = await ended;
    if (item.state !== "cancelled" || !ARRIVED.includes(answer?.state)) return;
    this.set(item, { late: true });
    this.settle(item, answer, sha256);
  }

  remove(item) {
    item.transfer?.abandon();
    this.items = this.items.filter((other) => other !== item);
    this.onChange(item);
  }

  pauseAll() {
    for (const item of this.in("waiting", "sending").reverse()) this.pause(item);
  }

  resumeAll() {
    for (const item of this.in("paused")) this.resume(item);
  }

  retryAll() {
    for (const item of this.in("failed").filter((each) => !each.stale)) this.retry(item);
  }

  set(item, changes) {
    Object.assign(item, changes);
    this.onChange(item);
  }

  next() {
    const free = AT_ONCE - this.in("sending").length;
    for (const item of this.in("waiting").slice(0, Math.max(0, free))) {
      item.ended = this.start(item, item.ended);
    }
    if (this.active) this.ticking ??= setInterval(() => this.tick(), TICK_MS);
  }

  tick() {
    this.speed.add(this.moved);
    this.onTick();
    if (this.active) return;
    clearInterval(this.ticking);
    this.ticking = null;
    this.speed = new Speed();
  }

  async start(item, before) {
    const stop = new AbortController();
    this.set(item, { state: "sending", phase: "preparing", stop, run: 0, most: 0, kept: 0 });
    // A run that was stopped leaves nothing behind before the next one begins.
    await before;
    try {
      stop.signal.throwIfAborted();
      item.transfer ??= await this.transferOf(item);
      const answer = await item.transfer.run(stop.signal);
      this.settle(item, answer, item.transfer.sha256);
      if (answer.state === "CHECKING") this.follow(item, item.transfer.grant.confirmUrl);
      item.transfer = null;
    } catch (error) {
      if (stop.signal.aborted) {
        // Cancelled before it was known that something of it had arrived earlier.
        if (item.state === "cancelled") item.transfer?.abandon();
        return;
      }
      if (!(error instanceof Failure)) reportError(error);
      const { key, text } = error instanceof Failure ? error : new Failure("failed");
      this.set(item, { state: "failed", reason: key, text, stale: key === "changed" || key === "unreadable" });
    }
    this.next();
  }

  async transferOf(item) {
    const { file } = item;
    const interrupted = await takeInterrupted(file, this.site.presignUrl);
    if (interrupted) this.onResumed(interrupted.fileId);
    return new Transfer({
      file,
      type: this.rules.typeOf(file),
      site: this.site,
      interrupted,
      onProgress: (sent) => {
        // What had arrived before tells nothing about the line's speed.
        this.moved += sent - item.kept - item.run;
        item.run = sent - item.kept;
        item.sent = sent;
        // The same bytes sent again to a line that swallows them are no news.
        if (item.run <= item.most) return;
        item.most = item.run;
        if (item.phase !== "sending") this.phase(item, "sending");
      },
      onKept: (bytes) => {
        item.kept += bytes;
      },
      onPhase: (phase) => this.phase(item, phase),
    });
  }

  phase(item, phase) {
    if (item.state === "sending") this.set(item, { phase });
  }

  settle(item, answer, sha256) {
    const state = answer.state === "REJECTED" ? "rejected" : "done";
    const name = answer.fileName || item.name;
    this.set(item, { answer, state, name, sha256, reason: "rejected", text: answer.reason ?? "", sent: item.file.size });
    this.onSent(item);
    if (state === "done") this.findSame(item);
  }

  /** Point out the same content, here in the queue or in what others can see. */
  async findSame(item) {
    const { sha256 } = item;
    if (!sha256) return;
    const here = this.in("done").find((other) => other !== item && other.sha256 === sha256);
    if (here) this.set(item, { same: here.name });
    const { files } = await postJson(this.site.sameUrl, { sha256 }).catch(() => ({ files: [] }));
    const there = files.find((file) => file.fileId !== item.answer.fileId);
    if (there) this.set(item, { same: there.fileName });
  }

  /** Learn how a check ends, while somebody is likely to look. */
  async follow(item, confirmUrl) {
    for (const ms of CHECKS_AFTER_MS) {
      await pause(ms, item.stop.signal);
      const answer = await postJson(confirmUrl).catch(() => null);
      if (!answer || answer.state === "CHECKING") continue;
      const rejected = answer.state === "REJECTED";
      this.set(item, { answer, state: rejected ? "rejected" : "done", text: answer.reason ?? "" });
      this.onSent(item);
      return;
    }
  }
}
