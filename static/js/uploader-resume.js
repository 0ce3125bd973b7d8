// What is kept of uploads in parts, so that they go on after a reload or a crash once the same file
// is chosen again. It may be a shared computer: no names, and keeper.js forgets it on logging out.
import { getJson, postJson } from "./http.js";
import { Kept } from "./kept.js";

const kept = new Kept("localStorage", "filevault:upload:");
const LONGEST_MS = 7 * 24 * 3600_000;
const FIELDS = ["fileId", "partsUrl", "confirmUrl", "abortUrl", "presignUrl"];

async function fingerprintOf({ name, size, lastModified }) {
  const text = new TextEncoder().encode([name, size, lastModified].join("|"));
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function remember(file, grant) {
  const urls = Object.fromEntries(FIELDS.map((name) => [name, grant[name]]));
  kept.set(grant.fileId, { ...urls, fingerprint: await fingerprintOf(file), at: Date.now() });
}

export function forget(fileId) {
  kept.delete(fileId);
}

/** Mark an upload as under way for as long as this page lives, for other tabs to see. Resolves to
 * what ends it, or to null where it is under way already. */
export function hold(fileId) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(kept.prefix + fileId, { ifAvailable: true }, (lock) => {
      if (lock) return new Promise((release) => resolve(release));
      return resolve(null);
    });
  });
}

/** What was begun on this page's `presignUrl` and is under way nowhere. */
async function interrupted(presignUrl) {
  const locks = await navigator.locks?.query();
  const busy = new Set(locks?.held.map((lock) => lock.name));
  const entries = [];
  for (const key of kept.keys) {
    const entry = kept.get(key);
    if (!entry || Date.now() - entry.at > LONGEST_MS) forget(key);
    else if (entry.presignUrl === presignUrl && !busy.has(kept.prefix + key)) entries.push(entry);
  }
  return entries;
}

/** What was kept of this very file, or null. It is held, with `release`, so that nobody else goes on
 * with it: not even the same file, chosen twice. */
export async function takeInterrupted(file, presignUrl) {
  const entries = await interrupted(presignUrl);
  const fingerprint = entries.length && (await fingerprintOf(file));
  for (const entry of entries.filter((each) => each.fingerprint === fingerprint)) {
    const release = await hold(entry.fileId);
    if (release) return { ...entry, release };
  }
  return null;
}

/** Say what was interrupted, each with a way on and a way out. */
export async function showInterrupted({ root, words, presignUrl, choose }) {
  const template = root.querySelector("template[data-interrupted]").content.firstElementChild;
  for (const { fileId, partsUrl, abortUrl } of await interrupted(presignUrl)) {
    const upload = await getJson(partsUrl).catch((error) => {
      if (error.code === "upload_over") forget(fileId);
    });
    if (!upload) continue;
    const arrived = upload.parts.reduce((sum, part) => sum + part.size, 0);
    const percent = Math.floor((arrived / upload.size) * 100);
    const note = template.cloneNode(true);
    note.dataset.fileId = fileId;
    note.querySelector("[data-part=text]").textContent = words.say("interrupted", { name: upload.fileName, percent });
    note.querySelector("[data-do=choose]").addEventListener("click", choose);
    note.querySelector("[data-do=discard]").addEventListener("click", async () => {
      try {
        await postJson(abortUrl);
      } catch (error) {
        if (error.status !== 404) {
          note.querySelector("[data-part=failed]").hidden = false;
          return;
        }
      }
      forget(fileId);
      note.remove();
      root.querySelector("[data-part=choose]").focus();
    });
    root.querySelector("[data-part=interrupted]").append(note);
  }
}
