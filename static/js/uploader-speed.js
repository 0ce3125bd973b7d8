// How fast it went lately, and for how long it will go on.
const WINDOW_MS = 15_000;
const LEAST_MS = 3_000;
const LONGEST_S = 24 * 3600;

export class Speed {
  samples = [];

  /** Take note of all bytes that were moved so far; called at even intervals, moved or not. */
  add(moved) {
    const now = performance.now();
    this.samples.push({ now, moved });
    while (now - this.samples[0].now > WINDOW_MS) this.samples.shift();
    this.value = this.measure();
  }

  measure() {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const ms = last.now - first.now;
    return ms < LEAST_MS ? 0 : Math.max(0, ((last.moved - first.moved) / ms) * 1000);
  }

  /** Seconds for so many bytes, or null while nothing honest can be said. */
  left(bytes) {
    const now = this.value ? bytes / this.value : Infinity;
    if (now > LONGEST_S) {
      this.shown = null;
      return null;
    }
    // A guess that jumps about tells nothing: it moves a fifth of the way to what was measured.
    this.shown = this.shown ? this.shown + (now - this.shown) / 5 : now;
    return this.shown;
  }
}
