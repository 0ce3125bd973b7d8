// What a browser keeps for our pages. A storage that is full, forbidden or damaged costs the
// convenience alone: then nothing is kept, and nothing fails.

export class Kept {
  /** `kind` is "localStorage" or "sessionStorage"; keys are told without their `prefix`. */
  constructor(kind, prefix) {
    this.prefix = prefix;
    try {
      this.storage = window[kind];
    } catch {
      this.storage = null;
    }
  }

  get keys() {
    const names = Object.keys(this.storage ?? {}).filter((name) => name.startsWith(this.prefix));
    return names.map((name) => name.slice(this.prefix.length));
  }

  /** What was kept, or null. */
  get(key) {
    try {
      return JSON.parse(this.storage.getItem(this.prefix + key));
    } catch {
      return null;
    }
  }

  set(key, value) {
    try {
      this.storage.setItem(this.prefix + key, JSON.stringify(value));
    } catch {
      // Nothing is kept.
    }
  }

  delete(key) {
    this.storage?.removeItem(this.prefix + key);
  }
}
