// The list of files to send: three at a time, each with its state. Tells its view of each change.
import { Failure, Transfer } from "./uploader-transfer.js";

const AT_ONCE = 3;
const SPEED_WINDOW_MS = 5_000;

/** Bytes a second over the last few seconds. */
class Speed {
  samples = [];

  add(sent) {
    const now = performance.now();
    this.samples.push({ now, sent });
    while (now - this.samples[0].now > SPEED_WINDOW_MS) this.samples.shift();
  }

  get value() {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    if (!first || last.now - first.now < 500) return 0;
    return Math.max(0, ((last.sent - first.sent) / (last.now - first.now)) * 1000);
  }
}

let count = 0;

function newItem(file, reason) {
  count += 1;
  return { id: count, file, state: reason ? "refused" : "waiting", phase: "", reason, text: "", sent: 0, speed: new Speed(), answer: null };
}

export class Queue {
  constructor({ rules, presignUrl, onChange, onSent }) {
    Object.assign(this, { rules, presignUrl, onChange, onSent });
    this.items = [];
  }

  add(files) {
    for (const file of files) {
      const item = newItem(file, this.rules.refusal(file));
      this.items.push(item);
      this.onChange(item);
    }
    this.next();
  }

  retry(item) {
    Object.assign(item, { state: "waiting", reason: null, text: "", sent: 0, speed: new Speed() });
    this.onChange(item);
    this.next();
  }

  cancel(item) {
    item.stop?.abort();
    item.state = "cancelled";
    this.onChange(item);
    this.next();
  }

  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.onChange(item);
  }

  in(...states) {
    return this.items.filter((item) => states.includes(item.state));
  }

  get active() {
    return this.in("waiting", "sending").length > 0;
  }

  next() {
    const free = AT_ONCE - this.in("sending").length;
    for (const item of this.in("waiting").slice(0, Math.max(0, free))) this.start(item);
  }

  async start(item) {
    const stop = new AbortController();
    Object.assign(item, { state: "sending", stop });
    const transfer = new Transfer({
      file: item.file,
      type: this.rules.typeOf(item.file),
      presignUrl: this.presignUrl,
      signal: stop.signal,
      onProgress: (sent) => {
        item.sent = sent;
        item.speed.add(sent);
        this.onChange(item);
      },
      onPhase: (phase) => {
        item.phase = phase;
        this.onChange(item);
      },
    });
    try {
      this.settle(item, await transfer.run());
    } catch (error) {
      if (stop.signal.aborted) return;
      const failure = error instanceof Failure ? error : new Failure("failed");
      Object.assign(item, { state: "failed", reason: failure.key, text: failure.text });
      this.onChange(item);
    }
    this.next();
  }

  settle(item, answer) {
    const rejected = answer.state === "REJECTED";
    Object.assign(item, {
      answer,
      state: rejected ? "rejected" : "done",
      reason: rejected ? "rejected" : null,
      text: answer.reason ?? "",
      sent: item.file.size,
    });
    this.onChange(item);
    this.onSent(item);
  }
}
