// Asks the worker for hashes: of slices, and of all slices of a file so far.
import { Failure } from "./uploader-retry.js";

const SLICE = 8 * 1024 * 1024;

export class Hasher {
  constructor(url) {
    this.url = url;
    this.count = 0;
    this.asked = new Map();
  }

  /** Load the worker while there is a network, and while the server still has this page's version. */
  load() {
    this.worker ??= this.start();
  }

  ask(message) {
    this.count += 1;
    const id = this.count;
    this.load();
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id });
    });
  }

  start() {
    const worker = new Worker(this.url, { type: "module" });
    worker.onmessage = ({ data: { id, sum, unreadable } }) => {
      const { resolve, reject } = this.asked.get(id);
      this.asked.delete(id);
      if (unreadable) reject(new Failure("unreadable"));
      else resolve(sum);
    };
    worker.onerror = () => {
      for (const { reject } of this.asked.values()) reject(new Failure("failed"));
      this.asked.clear();
      this.worker = null;
    };
    return worker;
  }

  /** The hash of a file that is read from its beginning to its end. */
  stream(file) {
    this.count += 1;
    return new Stream(this, file, this.count);
  }

  /** The SHA-256 of a whole file, in hex. */
  async whole(file, signal) {
    const stream = this.stream(file);
    for (let at = 0; at < file.size; at += SLICE) {
      await stream.add(file.slice(at, at + SLICE));
      signal.throwIfAborted();
    }
    return stream.end();
  }
}

class Stream {
  constructor(hasher, file, stream) {
    Object.assign(this, { hasher, stream, read: false });
  }

  /** Add the next slice; its own SHA-256 in base64. Throws Failure. */
  async add(slice) {
    try {
      const sum = await this.hasher.ask({ stream: this.stream, slice });
      this.read = true;
      return sum;
    } catch (error) {
      // What could be read before was there when it was chosen.
      throw this.read && error.key === "unreadable" ? new Failure("changed") : error;
    }
  }

  /** The SHA-256 of all slices, in hex. */
  end() {
    return this.hasher.ask({ stream: this.stream });
  }
}
