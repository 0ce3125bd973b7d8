// Waiting and trying again: 0.5 s doubling to 8 s, with jitter, for 15 minutes without progress.
const FIRST_MS = 500;
const LONGEST_MS = 8_000;
const GIVE_UP_MS = 15 * 60_000;

function aborted() {
  return new DOMException("cancelled", "AbortError");
}

/** Resolves after `ms`, or as soon as the network is back; rejects when cancelled. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(aborted());
      return;
    }
    const settle = (finish) => () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      signal.removeEventListener("abort", stop);
      finish();
    };
    const wake = settle(resolve);
    const stop = settle(() => reject(aborted()));
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    signal.addEventListener("abort", stop);
  });
}

export class Retries {
  constructor(signal) {
    this.signal = signal;
    this.progressed();
  }

  /** Something went through: the patience starts anew. */
  progressed() {
    this.tries = 0;
    this.since = performance.now();
  }

  /** Wait before the next try; false when patience has run out. `atLeast` is in seconds. */
  async wait(atLeast = 0) {
    if (performance.now() - this.since > GIVE_UP_MS) return false;
    const step = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.tries);
    this.tries += 1;
    await pause(Math.max(atLeast * 1000, step * (0.5 + Math.random() / 2)), this.signal);
    return true;
  }
}
