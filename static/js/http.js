// Calls to our own server: JSON in and out, with the CSRF token, failures as ApiError.

// Longer than any answer of ours takes: what is silent for so long was lost on its way.
const LONGEST_MS = 120_000;

/** A call that was answered with an error, or (status 0) not answered at all. */
export class ApiError extends Error {
  constructor({ status = 0, code = "network", message = "", retryAfter = null }) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export function csrfToken() {
  return document.body.dataset.csrf ?? "";
}

/**
 * Signing in again in another tab changes the token; the same page, asked anew, holds the new one.
 * False where nobody is signed in, or somebody else is: nothing goes on in another person's name.
 */
export async function refreshCsrfToken() {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const answer = await fetch(location.pathname, { credentials: "same-origin", redirect: "manual", signal });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const { csrf, who } = page.body.dataset;
  if (!csrf || who !== document.body.dataset.who) return false;
  document.body.dataset.csrf = csrf;
  return true;
}

function secondsOf(header) {
  if (!header) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}

/** GET JSON; the parsed answer. Throws ApiError. */
export function getJson(url, options) {
  return callJson(url, { ...options, method: "GET" });
}

/** POST `body` as JSON; the parsed answer. Throws ApiError. */
export function postJson(url, body = {}, options = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return callJson(url, { ...options, method: "POST", headers, body: JSON.stringify(body) });
}

async function callJson(url, { headers, signal, ...options }) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), LONGEST_MS);
  try {
    const answer = await fetch(url, {
      ...options,
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      credentials: "same-origin",
      redirect: "manual",
      headers: { ...headers, Accept: "application/json" },
    });
    return await read(answer);
  } catch (error) {
    if (error instanceof ApiError || (error.name === "AbortError" && signal?.aborted)) throw error;
    // Silent, or lost, or cut off, or not from our server at all.
    throw new ApiError({});
  } finally {
    clearTimeout(timer);
  }
}

async function read(answer) {
  // A redirect of a JSON call can only lead to the login page.
  if (answer.type === "opaqueredirect") throw new ApiError({ status: 401, code: "signed_out" });
  if (answer.ok) return answer.json();
  const data = await answer.json().catch(() => null);
  throw new ApiError({
    status: answer.status,
    code: data?.code ?? `http_${answer.status}`,
    message: data?.message ?? "",
    retryAfter: secondsOf(answer.headers.get("Retry-After")),
  });
}
