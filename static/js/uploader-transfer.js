// One file's way: presign, send to storage, confirm. Throws Failure, or AbortError when cancelled.
// How the bytes go is told by the presign answer's `method`; each method is one sender in SENDERS.
import { ApiError, postJson, refreshCsrfToken } from "./http.js";
import { sendByPost } from "./uploader-post.js";
import { Retries } from "./uploader-retry.js";

const SENDERS = { POST: sendByPost };

/** Why a file was not sent: a key of the page's sentences, or the server's own words. */
export class Failure extends Error {
  constructor(key, text = "") {
    super(key);
    this.key = key;
    this.text = text;
  }
}

function failureOf(error) {
  if (error.status === 401) return new Failure("signedOut");
  return new Failure("failed", error.message);
}

function passes(error) {
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

export class Transfer {
  constructor({ file, type, presignUrl, signal, onProgress, onPhase }) {
    Object.assign(this, { file, type, presignUrl, signal, onPhase });
    this.retries = new Retries(signal);
    this.grant = null;
    this.onProgress = (sent) => {
      this.retries.progressed();
      onProgress(sent);
    };
  }

  /** The confirmed file, as the server describes it. */
  async run() {
    try {
      let answer = null;
      while (!answer) answer = (await this.send()) ? await this.confirm() : null;
      return answer;
    } catch (error) {
      // A later try presigns anew, so what this one began is given up.
      this.abandon();
      throw error;
    }
  }

  async presign() {
    this.onPhase("preparing");
    const { file } = this;
    this.grant = await this.call(this.presignUrl, { fileName: file.name, mimeType: this.type, size: file.size });
    this.grant.until = performance.now() + this.grant.expiresIn * 1000;
  }

  /** True when storage has the bytes, or may have them: then only confirming can tell. */
  async send() {
    if (this.grant && performance.now() > this.grant.until) this.abandon();
    if (!this.grant) await this.presign();
    this.onPhase("sending");
    const outcome = await SENDERS[this.grant.method](this.file, this.grant, this);
    if (outcome.done || outcome.unsure) return true;
    if (outcome.denied) {
      if (this.signedAnew) throw new Failure("storageDenied");
      this.signedAnew = true;
      this.abandon();
      return false;
    }
    if (outcome.refused) throw new Failure("storageRefused");
    await this.waitOrFail("network");
    return false;
  }

  /** The file, or null when the bytes never arrived and have to be sent again. */
  async confirm() {
    this.onPhase("confirming");
    try {
      return await this.call(this.grant.confirmUrl, {});
    } catch (error) {
      if (error.code !== "not_uploaded") throw error;
      await this.waitOrFail("network");
      return null;
    }
  }

  /** A call to the app that outlives a lost network, a busy server and a changed CSRF token. */
  async call(url, body) {
    let tokenRenewed = false;
    for (;;) {
      try {
        const answer = await postJson(url, body, { signal: this.signal });
        this.retries.progressed();
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "not_uploaded") throw error;
        if (error.status === 403 && !tokenRenewed) {
          tokenRenewed = await refreshCsrfToken().catch(() => false);
          if (tokenRenewed) continue;
        }
        if (!passes(error)) throw failureOf(error);
        await this.waitOrFail(error.status === 0 ? "network" : "busy", error.retryAfter ?? 0);
      }
    }
  }

  async waitOrFail(key, atLeast = 0) {
    this.onPhase(key === "network" ? "offline" : "busy");
    if (!(await this.retries.wait(atLeast))) throw new Failure(key);
  }

  /** Tell the server that nothing will come; sent even while the page is closing. */
  abandon() {
    if (this.grant) postJson(this.grant.abortUrl, {}, { keepalive: true }).catch(() => {});
    this.grant = null;
  }
}
