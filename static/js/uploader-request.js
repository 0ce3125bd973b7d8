// One request to storage. fetch reports no upload progress, so this is XMLHttpRequest.
const STALL_MS = 30_000;
// What the system holds back for the line is on its way still when the page has handed over all.
const ANSWER_MS = 60_000;
// HTTP/1.1: six connections a host. One stays free for the page's pictures and downloads.
const LINES = 5;

let free = LINES;
const waiting = [];

/** Wait for one of the page's connections to storage; each that was taken has to be given back. */
export async function takeLine(signal) {
  signal.throwIfAborted();
  if (free > 0) free -= 1;
  else {
    await new Promise((resolve, reject) => {
      waiting.push(resolve);
      signal.addEventListener("abort", () => {
        const place = waiting.indexOf(resolve);
        if (place < 0) return;
        waiting.splice(place, 1);
        reject(signal.reason);
      });
    });
  }
}

export function giveLine() {
  const next = waiting.shift();
  if (next) next();
  else free += 1;
}

function outcomeOf({ status, responseText }) {
  if (status >= 200 && status < 300) return "done";
  if (status === 403) return "denied";
  if (status === 404) return "gone";
  // S3 says 400 to a line that was silent for too long.
  if (status >= 500 || status === 408 || status === 429 || responseText.includes("RequestTimeout")) return "busy";
  return "refused";
}

/**
 * Resolves to "done", "denied" (403), "gone" (404), "refused" (any other 4xx), "busy" (storage
 * trouble), "unsure" (everything was sent, but no answer came) or "lost" (network trouble).
 * Rejects when cancelled. `onProgress` gets the bytes that went out.
 */
export async function send(method, url, { headers = {}, body, signal, onProgress }) {
  await takeLine(signal);
  try {
    return await new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let allSent = false;
      let timer;
      const watch = (ms) => {
        clearTimeout(timer);
        timer = setTimeout(() => request.abort(), ms);
      };
      const lost = () => (signal.aborted ? reject(signal.reason) : resolve(allSent ? "unsure" : "lost"));
      const stop = () => request.abort();
      request.upload.onprogress = ({ loaded }) => {
        watch(STALL_MS);
        onProgress(loaded);
      };
      request.upload.onload = () => {
        allSent = true;
        watch(ANSWER_MS);
      };
      request.onload = () => resolve(outcomeOf(request));
      request.onerror = lost;
      request.onabort = lost;
      request.onloadend = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      };
      signal.addEventListener("abort", stop);
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(body);
      watch(STALL_MS);
    });
  } finally {
    giveLine();
  }
}
