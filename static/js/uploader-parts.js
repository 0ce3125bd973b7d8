// A large file in parts: hashed in their order, signed as they are needed, four on their way at once.
// Runs as often as needed; what has arrived is asked of storage and isn't sent again.
import { send } from "./uploader-request.js";
import { checkReadable, Failure } from "./uploader-retry.js";

const AT_ONCE = 4;
// Hashed or signed parts that wait for their turn: enough for a line never to be idle.
const AHEAD = 6;
const SIGNED_AT_ONCE = 16;
const TRIES_A_URL = 4;

/** Something has arrived that is of another file: this one begins anew. */
export class OtherFile extends Error {}

export class Parts {
  constructor({ file, partSize, partCount, stream }) {
    Object.assign(this, { file, stream, next: 0 });
    this.parts = Array.from({ length: partCount }, (_, index) => ({
      number: index + 1,
      slice: file.slice(index * partSize, (index + 1) * partSize),
      sent: 0,
    }));
  }

  /**
   * Returns once storage has every part, or nobody can tell ("gone": the upload may be finished).
   * `listed` is what has arrived, `sign` asks for URLs. Throws Failure, OtherFile, AbortError.
   */
  async run({ listed, sign, patience, signal, onProgress, onKept }) {
    const stop = new AbortController();
    Object.assign(this, { sign, patience, onProgress, stop, woken: [], hashed: [], signed: [], sent: 0 });
    this.signal = AbortSignal.any([signal, stop.signal]);
    this.signal.addEventListener("abort", () => this.wake());
    this.stored = new Map(listed.map((part) => [part.partNumber, part.checksum]));
    this.lastStored = Math.max(0, ...this.stored.keys());
    this.left = this.parts.length;
    this.onKept = onKept;
    for (const part of this.parts) Object.assign(part, { sent: 0, denied: false });
    for (const part of this.parts.slice(0, this.next)) this.place(part);
    const work = [this.hashAll(), this.signAll(), ...Array.from({ length: AT_ONCE }, () => this.sendSome())];
    try {
      await Promise.all(work);
    } catch (error) {
      stop.abort();
      await Promise.allSettled(work);
      throw error;
    }
  }

  /** The SHA-256 of the whole file in hex, or null where not all of it was read. */
  hash() {
    return this.next === this.parts.length ? this.stream.end() : null;
  }

  /** Wait for something that another of the loops brings about; what `test` found. */
  async until(test) {
    for (;;) {
      this.signal.throwIfAborted();
      const found = test();
      if (found) return found;
      await new Promise((resolve) => this.woken.push(resolve));
    }
  }

  wake() {
    for (const resolve of this.woken.splice(0)) resolve();
  }

  async hashAll() {
    while (this.next < this.parts.length) {
      await this.until(() => this.hashed.length + this.signed.length < AHEAD || this.next < this.lastStored);
      const part = this.parts[this.next];
      part.checksum ??= await this.stream.add(part.slice);
      this.signal.throwIfAborted();
      this.next += 1;
      this.place(part);
    }
  }

  place(part) {
    const stored = this.stored.get(part.number);
    if (!stored) this.hashed.push(part);
    else if (stored === part.checksum) this.arrived(part, this.onKept);
    else throw new OtherFile();
    this.wake();
  }

  async signAll() {
    for (;;) {
      // Nothing of this file joins the upload before all that is stored was found to be of it.
      await this.until(() => !this.left || (this.hashed.length && this.next >= this.lastStored));
      if (!this.left) return;
      const batch = this.hashed.splice(0, SIGNED_AT_ONCE);
      const { urls, expiresIn } = await this.sign({
        partNumbers: batch.map((part) => part.number),
        checksums: Object.fromEntries(batch.map((part) => [part.number, part.checksum])),
      });
      const until = Date.now() + expiresIn * 1000;
      for (const part of batch) this.signed.push(Object.assign(part, urls[part.number], { until }));
      this.wake();
    }
  }

  async sendSome() {
    for (;;) {
      // Taken within the test: all that wait are woken at once.
      const part = await this.until(() => !this.left || this.signed.shift());
      if (!this.left) return;
      await this.sendPart(part);
      this.wake();
    }
  }

  /**
   * Send one part until it has arrived, or has to be signed anew: also when it was lost some times,
   * since a storage that refuses a signature may end the connection before its answer is read.
   */
  async sendPart(part) {
    for (let tries = 0; tries < TRIES_A_URL && Date.now() < part.until; tries += 1) {
      const outcome = await send("PUT", part.url, {
        headers: part.headers,
        body: part.slice,
        signal: this.signal,
        onProgress: (sent) => this.moved(part, sent),
      });
      if (outcome === "done") return this.arrived(part);
      this.moved(part, 0);
      if (outcome === "gone") throw new Failure("gone");
      if (outcome === "denied") return this.signAnew(part);
      await checkReadable(part.slice);
      if (outcome === "refused") throw new Failure("storageRefused");
      await this.patience.wait(outcome === "busy" ? "tooBusy" : "network", { tries: part.lost ?? 0 });
      part.lost = (part.lost ?? 0) + 1;
    }
    return this.enqueue(part);
  }

  /** Once; but a signature that had run out, as on a device that slept, doesn't count. */
  signAnew(part) {
    if (Date.now() < part.until) {
      if (part.denied) throw new Failure("storageDenied");
      part.denied = true;
    }
    this.enqueue(part);
  }

  enqueue(part) {
    this.hashed.unshift(part);
    this.wake();
  }

  arrived(part, onKept) {
    this.left -= 1;
    part.lost = 0;
    onKept?.(part.slice.size);
    this.moved(part, part.slice.size);
  }

  moved(part, sent) {
    this.sent += sent - part.sent;
    part.sent = sent;
    this.patience.reached(this.sent);
    this.onProgress(this.sent);
  }
}
