// Keeps a phone's screen on while files are being sent: with the screen off, phones soon stop pages.
// https://www.w3.org/TR/screen-wake-lock/ — browsers let the lock go by themselves whenever the page
// is hidden, and may refuse it, as on a low battery. Without it the screen behaves as it always does.

export class Awake {
  busy = false;

  constructor() {
    document.addEventListener("visibilitychange", () => this.update());
  }

  /** Told of each change; only a new answer asks for the lock, or lets it go. */
  set(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.update();
  }

  get wanted() {
    return this.busy && document.visibilityState === "visible";
  }

  async update() {
    if (this.asking) return;
    this.asking = true;
    try {
      if (!this.wanted) await this.lock?.release();
      else if (!this.lock || this.lock.released) this.lock = await navigator.wakeLock?.request("screen");
    } catch {
      this.lock = null;
    }
    this.asking = false;
    // What was told while the browser was being asked.
    if (this.lock && this.lock.released === this.wanted) this.update();
  }
}
