// One file's way: presign, send to storage, confirm. Throws Failure, or AbortError when stopped; run
// again, it goes on with what has arrived. How the bytes go is told by the presign answer's `method`.
import { ApiError, getJson, postJson, refreshCsrfToken } from "./http.js";
import { OtherFile, Parts } from "./uploader-parts.js";
import { sendByPost } from "./uploader-post.js";
import { forget, hold, remember } from "./uploader-resume.js";
import { checkReadable, Failure, Patience } from "./uploader-retry.js";

/** Nothing can be added to this upload any more: it ran out of time, or was given up elsewhere. */
class Over extends Error {}

const FINAL = ["changed", "unreadable", "storageRefused"];

function failureOf(error) {
  return new Failure("failed", error.message);
}

function passes(error) {
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

export class Transfer {
  /** `interrupted` is what uploader-resume.js kept of an earlier try, or null. */
  constructor({ file, type, site, interrupted, onProgress, onKept, onPhase }) {
    Object.assign(this, { file, type, site, onProgress, onKept, onPhase });
    this.grant = interrupted && { ...interrupted, method: "MULTIPART" };
    this.release = interrupted?.release;
  }

  /** Whether what has arrived is kept while this one is paused. */
  get keeps() {
    return this.delivered || this.grant?.method === "MULTIPART";
  }

  /** The confirmed file, as the server describes it. */
  async run(signal) {
    this.signal = signal;
    this.signedAnew = false;
    this.patience = new Patience({ signal, onTrouble: this.onPhase });
    try {
      return await this.go();
    } catch (error) {
      // What has arrived is kept for the next try; one POST is all or nothing.
      if (error instanceof Failure && (FINAL.includes(error.key) || !this.keeps)) this.abandon();
      throw error;
    }
  }

  async go() {
    let begunAnew = false;
    for (;;) {
      try {
        if (await this.send()) {
          const answer = await this.confirm();
          if (answer) return answer;
        }
      } catch (error) {
        if (begunAnew || !(error instanceof Over || error instanceof OtherFile)) throw error;
        begunAnew = true;
        // What is kept of another file stays kept: its owner may choose that one again.
        if (error instanceof Over) this.forget();
        this.reset();
      }
    }
  }

  /** Forget all that was found out, so that the next try begins from the file as it is then. */
  reset() {
    this.release?.();
    Object.assign(this, { grant: null, parts: null, release: null, sha256: null, delivered: false });
  }

  async presign() {
    this.onPhase("preparing");
    const { file, site } = this;
    const small = file.size <= site.partsAbove;
    if (small) this.sha256 ??= await site.hasher.whole(file, this.signal);
    else await checkReadable(file, "unreadable");
    const body = { fileName: file.name, mimeType: this.type, size: file.size };
    this.grant = await this.call(site.presignUrl, this.sha256 ? { ...body, sha256: this.sha256 } : body);
    this.grant.until = Date.now() + this.grant.expiresIn * 1000;
    this.grant.fresh = true;
    if (this.grant.method === "MULTIPART") await remember(file, { ...this.grant, presignUrl: site.presignUrl });
  }

  /** True when storage has the bytes, or may have them: then only confirming can tell. */
  async send() {
    if (this.delivered) return true;
    if (this.grant?.method === "POST" && Date.now() > this.grant.until) this.abandon();
    if (!this.grant) await this.presign();
    this.delivered = await (this.grant.method === "POST" ? this.post() : this.sendParts());
    return this.delivered;
  }

  async post() {
    this.onPhase("sending");
    const outcome = await sendByPost(this.file, this.grant, this.progress());
    if (outcome === "done" || outcome === "unsure") return true;
    if (outcome === "denied") {
      // As for a part: once, and a signature that had run out doesn't count.
      if (Date.now() < this.grant.until) {
        if (this.signedAnew) throw new Failure("storageDenied");
        this.signedAnew = true;
      }
      this.abandon();
      return false;
    }
    await checkReadable(this.file);
    if (outcome === "refused" || outcome === "gone") throw new Failure("storageRefused");
    await this.patience.wait(outcome === "busy" ? "tooBusy" : "network");
    return false;
  }

  async sendParts() {
    const { file, grant, signal, patience } = this;
    this.release ??= await hold(grant.fileId);
    let listed = { ...grant, parts: [] };
    if (!grant.fresh) {
      this.onPhase("comparing");
      listed = await this.call(grant.partsUrl);
    }
    grant.fresh = false;
    this.parts ??= new Parts({ file, ...listed, stream: this.site.hasher.stream(file) });
    const sign = (body) => this.call(grant.partsUrl, body);
    if (!listed.parts.length) this.onPhase("sending");
    try {
      await this.parts.run({ ...this.progress(), listed: listed.parts, sign, patience, onKept: this.onKept });
    } catch (error) {
      if (error.key !== "gone") throw error;
    }
    this.sha256 ??= await this.parts.hash();
    return true;
  }

  progress() {
    const onProgress = (sent) => {
      this.patience.reached(sent);
      this.onProgress(sent);
    };
    return { signal: this.signal, onProgress };
  }

  /** The file, or null when the bytes never arrived whole and have to be sent again. */
  async confirm() {
    this.onPhase("confirming");
    try {
      const answer = await this.call(this.grant.confirmUrl, this.sha256 ? { sha256: this.sha256 } : {});
      this.forget();
      this.release?.();
      return answer;
    } catch (error) {
      if (error.code !== "not_uploaded") throw error;
      this.delivered = false;
      await this.patience.wait("network");
      return null;
    }
  }

  /** A call to the app (GET without a body) that outlives a lost network, a busy server, a changed
   * CSRF token and a session that ended. */
  async call(url, body) {
    const { signal, site, patience } = this;
    let tokenRenewed = false;
    for (;;) {
      try {
        return await (body ? postJson(url, body, { signal }) : getJson(url, { signal }));
      } catch (error) {
        if (!(error instanceof ApiError) || error.code === "not_uploaded") throw error;
        if (error.code === "upload_over" || (error.status === 404 && url !== site.presignUrl)) throw new Over();
        const stale = error.status === 403 && !tokenRenewed;
        tokenRenewed ||= stale;
        if (error.status === 401 || (stale && !(await refreshCsrfToken().catch(() => true)))) {
          this.onPhase("signedOut");
          await site.gate.opened(signal);
          patience.progressed();
          this.onPhase("preparing");
        } else if (stale) {
          continue;
        } else if (passes(error)) {
          await patience.wait(error.status === 0 ? "network" : "tooBusy", { atLeast: error.retryAfter ?? 0 });
        } else throw failureOf(error);
      }
    }
  }

  forget() {
    if (this.grant) forget(this.grant.fileId);
  }

  /** Tell the server that nothing will come; sent even while the page is closing. Resolves to the file
   * as it is then, which may have arrived already, or to null where nobody can tell. */
  abandon() {
    if (!this.grant) return null;
    const answer = postJson(this.grant.abortUrl, {}, { keepalive: true }).catch(() => null);
    this.forget();
    this.reset();
    return answer;
  }
}
