// A session that ended under the queue: what asks the server waits until the same person is signed
// in again, be it in another tab, and goes on by itself.
import { refreshCsrfToken } from "./http.js";
import { keepAlive } from "./session.js";

async function signedIn() {
  // The new session's token comes first: without it the answer would be 403.
  const renewed = await keepAlive().catch((error) => error.status === 403 && null);
  return renewed !== false && (await refreshCsrfToken());
}

export class Gate {
  /** `onChange` is told when people have to sign in, and when they have. */
  constructor(onChange) {
    this.onChange = onChange;
    this.waiting = new Set();
    // A page that opens with a session tells the other tabs how long it lasts (session.js).
    new BroadcastChannel(`filevault:${document.body.dataset.keepaliveUrl}`).onmessage = () => this.knock();
    window.addEventListener("focus", () => this.knock());
    document.addEventListener("visibilitychange", () => this.knock());
  }

  get shut() {
    return this.waiting.size > 0;
  }

  async knock() {
    if (!this.shut || this.knocking) return;
    this.knocking = true;
    const open = await signedIn().catch(() => false);
    this.knocking = false;
    if (!open) return;
    for (const pass of this.waiting) pass();
  }

  /** Resolves once somebody is signed in again; rejects when stopped. */
  async opened(signal) {
    let pass;
    try {
      await new Promise((resolve, reject) => {
        signal.throwIfAborted();
        pass = resolve;
        this.waiting.add(pass);
        signal.addEventListener("abort", () => reject(signal.reason));
        this.onChange();
      });
    } finally {
      this.waiting.delete(pass);
      this.onChange();
    }
  }
}
