// Warns two minutes before an idle session ends. The end is counted from the server's own clock
// (data-session-now), and tabs tell each other when one of them moved it.
import { postJson } from "./http.js";

const WARN_MS = 120_000;
const { dataset } = document.body;
let deadline = 0;
let channel = null;

function timeLeft() {
  return deadline - Date.now();
}

function setDeadline(milliseconds, { tell = true } = {}) {
  deadline = Date.now() + milliseconds;
  if (tell) channel?.postMessage(milliseconds);
}

/** Move the session's end by using it; answers false where nobody is signed in. */
export async function keepAlive() {
  if (!dataset.keepaliveUrl) return false;
  const answer = await postJson(dataset.keepaliveUrl);
  setDeadline(answer.secondsLeft * 1000);
  return true;
}

function show(warning, over) {
  warning.hidden = false;
  for (const part of warning.querySelectorAll("[data-session-open]")) part.hidden = over;
  for (const part of warning.querySelectorAll("[data-session-over]")) part.hidden = !over;
}

export function watchSession() {
  const warning = document.querySelector("[data-session-warning]");
  if (!dataset.sessionEnds || !warning) return;
  channel = new BroadcastChannel(`filevault:${dataset.keepaliveUrl}`);
  channel.onmessage = (event) => setDeadline(event.data, { tell: false });
  setDeadline(Date.parse(dataset.sessionEnds) - Date.parse(dataset.sessionNow));

  setInterval(() => {
    if (timeLeft() > WARN_MS) warning.hidden = true;
    else if (warning.hidden || timeLeft() <= 0) show(warning, timeLeft() <= 0);
  }, 1000);

  const failed = warning.querySelector("[data-session-failed]");
  warning.querySelector("[data-session-stay]").addEventListener("click", async () => {
    try {
      await keepAlive();
      failed.hidden = true;
      warning.hidden = true;
    } catch (error) {
      if (error.status === 401) setDeadline(0);
      else failed.hidden = false;
    }
  });
}
