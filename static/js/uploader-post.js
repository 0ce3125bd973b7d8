// Bytes to storage by one presigned POST. fetch reports no upload progress, so this is XMLHttpRequest.
const STALL_MS = 30_000;

/**
 * Resolves to one of {done}, {denied} (403), {refused} (any other 4xx), {unsure} (everything was
 * sent, but no answer came), {lost} (network or storage trouble). Rejects when cancelled.
 */
export function sendByPost(file, grant, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let allSent = false;
    let timer;
    const settle = (outcome) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      resolve(outcome);
    };
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALL_MS);
    };
    const cancel = () => {
      clearTimeout(timer);
      request.onabort = null;
      request.abort();
      reject(new DOMException("cancelled", "AbortError"));
    };

    request.upload.onprogress = (event) => {
      watch();
      // The form around the file counts too, so the sum runs a little past the file's own size.
      onProgress(Math.min(event.loaded, file.size));
    };
    request.upload.onload = () => {
      allSent = true;
    };
    request.onload = () => {
      const { status } = request;
      if (status >= 200 && status < 300) settle({ done: true });
      else if (status === 403) settle({ denied: true });
      else if (status >= 400 && status < 500) settle({ refused: true });
      else settle({ lost: true });
    };
    request.onerror = () => settle(allSent ? { unsure: true } : { lost: true });
    request.onabort = request.onerror;

    if (signal.aborted) {
      cancel();
      return;
    }
    signal.addEventListener("abort", cancel);
    const form = new FormData();
    for (const [name, value] of Object.entries(grant.fields)) form.append(name, value);
    // Storage ignores every field after the file.
    form.append("file", file);
    request.open("POST", grant.url);
    request.send(form);
    watch();
  });
}
