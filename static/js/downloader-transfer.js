// One file's way to the disk: read from a signed address, and on from where the line broke, under a
// new address where the old one ran out; in the end its SHA-256 is held against the original's.
import { ApiError, getJson } from "./http.js";
import { giveLine, takeLine } from "./uploader-request.js";
import { Failure, Patience } from "./uploader-retry.js";

const STALL_MS = 30_000;
// Written and hashed at once; what a break can't take away any more.
const PIECE = 8 * 1024 * 1024;
// An address that runs out while it is used.
const SPARE_MS = 5_000;

/** Why it ended with all kept that has arrived: it can go on. */
export const KEPT = ["network", "tooBusy", "storageDenied"];

export class Download {
  /** `url` answers with an address and what is there; `target` is the handle of a file to write. */
  constructor({ url, target, hasher, gate, onPhase }) {
    Object.assign(this, { url, target, gate, onPhase, stream: hasher.stream(), at: 0, held: 0 });
  }

  get size() {
    return this.grant?.size ?? 0;
  }

  /** What has arrived, in bytes. */
  get arrived() {
    return this.at + this.held;
  }

  /**
   * Resolves once the file is whole and on the disk: to false where the original's SHA-256 isn't
   * known. Throws Failure, or AbortError when stopped; run again, it goes on.
   */
  async run(signal) {
    this.signal = signal;
    this.patience = new Patience({ signal, onTrouble: this.onPhase });
    this.denied = false;
    this.onPhase("preparing");
    await this.write(async () => (this.file ??= await this.target.createWritable()));
    while (!this.grant || this.at < this.size) {
      const trouble = await this.readSome();
      if (trouble) await this.patience.wait(trouble);
    }
    return this.prove();
  }

  /** Read as far as the line holds; what has to be waited for, or undefined. */
  async readSome() {
    await takeLine(this.signal);
    try {
      if (!this.grant || Date.now() > this.grant.until) await this.ask();
      return await this.read();
    } finally {
      giveLine();
    }
  }

  async ask() {
    const { size, sha256, ...rest } = await this.call();
    if (this.grant && (size !== this.size || (this.grant.sha256 && sha256 !== this.grant.sha256))) {
      throw new Failure("changed");
    }
    this.grant = { ...rest, size, sha256, until: Date.now() + rest.expiresIn * 1000 - SPARE_MS };
  }

  /**
   * The product's answer, after a lost network, a busy server and a session that ended. What isn't
   * its own (a firewall, a train's login page) is trouble that passes, and no reason to give up.
   */
  async call() {
    const { signal, patience } = this;
    for (;;) {
      try {
        const answer = await getJson(this.url, { signal: AbortSignal.any([signal, AbortSignal.timeout(STALL_MS)]) });
        if (answer?.url) return answer;
        await patience.wait("network");
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const { status, message, retryAfter } = error;
        if (status === 401) {
          this.onPhase("signedOut");
          await this.gate.opened(signal);
          patience.progressed();
          this.onPhase("preparing");
        } else if (!message || status === 429 || status >= 500) {
          await patience.wait(status ? "tooBusy" : "network", { atLeast: retryAfter ?? 0 });
        } else throw status === 404 ? new Failure("gone") : new Failure("failed", message);
      }
    }
  }

  async read() {
    const silence = new AbortController();
    const signal = AbortSignal.any([this.signal, silence.signal]);
    let timer;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), STALL_MS);
    };
    watch();
    try {
      const answer = await fetch(this.grant.url, {
        headers: this.at ? { Range: `bytes=${this.at}-` } : {},
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal,
      });
      if (!answer.ok) return this.refused(answer.status);
      this.check(answer);
      this.onPhase("receiving");
      await this.take(answer.body.getReader(), watch);
    } catch (error) {
      if (error instanceof Failure) throw error;
      this.signal.throwIfAborted();
      return "network";
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  /** A fresh address that is refused once more won't be taken a third time. */
  refused(status) {
    if (status >= 500 || status === 408 || status === 429) return "tooBusy";
    if (this.denied) throw new Failure("storageDenied");
    this.denied = true;
    this.grant.until = 0;
    return "network";
  }

  /** Nothing is joined to what has arrived but the rest of the same bytes. */
  check({ status, headers }) {
    const etag = headers.get("ETag");
    const whole = !this.at && Number(headers.get("Content-Length")) === this.size;
    const rest = headers.get("Content-Range") === `bytes ${this.at}-${this.size - 1}/${this.size}`;
    this.etag ??= etag;
    if (etag !== this.etag || !(status === 206 ? rest : whole)) throw new Failure("changed");
  }

  async take(reader, watch) {
    let pieces = [];
    let gathered = 0;
    let kept = Promise.resolve();
    const keep = async () => {
      await kept; // one is hashed and written while the next one comes
      kept = this.keep(new Blob(pieces));
      kept.catch(() => {}); // thrown where it is waited for
      pieces = [];
      gathered = 0;
    };
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        pieces.push(value);
        gathered += value.length;
        this.held += value.length;
        this.denied = false;
        if (gathered >= PIECE) await keep();
        this.patience.reached(this.arrived);
        watch();
      }
    } finally {
      await keep();
      await kept;
    }
  }

  async keep(piece) {
    await this.write(() => Promise.all([this.stream.add(piece), this.file.write(piece)]));
    this.held -= piece.size;
    this.at += piece.size;
  }

  async prove() {
    this.onPhase("proving");
    const sum = await this.stream.end();
    const { sha256 } = this.grant;
    if (this.at !== this.size || (sha256 && sum !== sha256)) throw new Failure("damaged");
    await this.write(() => this.file.close());
    return Boolean(sha256);
  }

  async write(step) {
    try {
      await step();
    } catch {
      throw new Failure("notWritten");
    }
  }

  /** Leave nothing of it on the disk. */
  async discard() {
    await this.file?.abort().catch(() => {});
    await this.target.remove?.().catch(() => {});
  }
}
