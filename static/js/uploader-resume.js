// What is kept of uploads in parts, so that they go on after a reload or a crash once the same file
// is chosen again. It may be a shared computer: no names, and keeper.js forgets it on logging out.
import { getJson, postJson } from "./http.js";

const PREFIX = "filevault:upload:";
const LONGEST_MS = 7 * 24 * 3600_000;
const KEPT = ["fileId", "partsUrl", "confirmUrl", "abortUrl", "presignUrl"];

async function fingerprintOf({ name, size, lastModified }) {
  const text = new TextEncoder().encode([name, size, lastModified].join("|"));
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function remember(file, grant) {
  const kept = Object.fromEntries(KEPT.map((name) => [name, grant[name]]));
  const entry = { ...kept, fingerprint: await fingerprintOf(file), at: Date.now() };
  try {
    localStorage.setItem(PREFIX + grant.fileId, JSON.stringify(entry));
  } catch {
    // A full or forbidden storage costs only the convenience.
  }
}

export function forget(fileId) {
  localStorage.removeItem(PREFIX + fileId);
}

/** Mark an upload as under way for as long as this page lives, for other tabs to see. Resolves to
 * what ends it. */
export function hold(fileId) {
  return new Promise((resolve) => {
    navigator.locks.request(PREFIX + fileId, { ifAvailable: true }, () => new Promise((release) => resolve(release)));
  });
}

/** What was begun on this page's `presignUrl` and is under way nowhere. */
async function interrupted(presignUrl) {
  const { held } = await navigator.locks.query();
  const busy = new Set(held.map((lock) => lock.name));
  const entries = [];
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const entry = JSON.parse(localStorage.getItem(key));
    if (Date.now() - entry.at > LONGEST_MS) localStorage.removeItem(key);
    else if (entry.presignUrl === presignUrl && !busy.has(key)) entries.push(entry);
  }
  return entries;
}

/** What was kept of this very file, or null. */
export async function findInterrupted(file, presignUrl) {
  const entries = await interrupted(presignUrl);
  const fingerprint = entries.length && (await fingerprintOf(file));
  return entries.find((entry) => entry.fingerprint === fingerprint) ?? null;
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
      await postJson(abortUrl);
      forget(fileId);
      note.remove();
      root.querySelector("[data-part=choose]").focus();
    });
    root.querySelector("[data-part=interrupted]").append(note);
  }
}
