// Waiting and trying again: 0.5 s doubling to 8 s, with jitter, for 15 minutes without progress.
const FIRST_MS = 500;
const LONGEST_MS = 8_000;
const GIVE_UP_MS = 15 * 60_000;
// A try with its pause takes no longer. What is beyond it, a device has slept, and not tried.
const LONGEST_TRY_MS = 2 * 60_000;
// A short stumble isn't worth a sentence.
const QUIET_MS = 2_000;

/** Why a file was not sent: a key of the page's sentences, or the server's own words. */
export class Failure extends Error {
  constructor(key, text = "") {
    super(key);
    this.key = key;
    this.text = text;
  }
}

/** Throws Failure where a file can't be read (any more). */
export async function checkReadable(file, key = "changed") {
  try {
    await file.slice(-1).arrayBuffer();
  } catch {
    throw new Failure(key);
  }
}

/** Resolves after `ms`, or as soon as the network is back; rejects when cancelled. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const settle = (finish) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      signal.removeEventListener("abort", stop);
      finish();
    };
    const wake = settle(resolve);
    const stop = settle(() => reject(signal.reason));
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    signal.addEventListener("abort", stop);
  });
}

/** The patience of one file, whatever of it is tried again. `onTrouble` says what it waits for. */
export class Patience {
  constructor({ signal, onTrouble }) {
    Object.assign(this, { signal, onTrouble, most: 0 });
    this.progressed();
  }

  progressed() {
    this.tries = 0;
    this.silent = 0;
    this.counted = performance.now();
  }

  /** Bytes beyond all before are progress; the same ones, sent again, are not. */
  reached(sent) {
    if (sent <= this.most) return;
    this.most = sent;
    this.progressed();
  }

  /** Wait before the next try; `tries` is how many there were, `atLeast` is in seconds. */
  async wait(key, { tries = this.tries++, atLeast = 0 } = {}) {
    const now = performance.now();
    this.silent += Math.min(now - this.counted, LONGEST_TRY_MS);
    this.counted = now;
    if (this.silent > GIVE_UP_MS) throw new Failure(key);
    const step = Math.min(LONGEST_MS, FIRST_MS * 2 ** tries);
    const ms = Math.max(atLeast * 1000, step * (0.5 + Math.random() / 2));
    if (this.silent + ms > QUIET_MS) this.onTrouble(key === "network" ? "offline" : "busy");
    await pause(ms, this.signal);
  }
}
