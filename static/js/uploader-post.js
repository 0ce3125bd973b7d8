// A file by one presigned POST: a form with the file last, since storage ignores what follows it.
import { send } from "./uploader-request.js";

/** The outcome of `send`. */
export function sendByPost(file, grant, { signal, onProgress }) {
  const body = new FormData();
  for (const [name, value] of Object.entries(grant.fields)) body.append(name, value);
  body.append("file", file);
  // The form around the file counts too, so the sum runs a little past the file's own size.
  return send("POST", grant.url, { body, signal, onProgress: (sent) => onProgress(Math.min(sent, file.size)) });
}
