// The only place that talks to the server. The token goes into the
// Authorization header, is kept for this tab only, and never enters an address.

const KEY = 'paynorm.token';

/** token is the access token of this tab; empty when there is none. */
export function token() {
  return sessionStorage.getItem(KEY) ?? '';
}

/** keepToken stores the token for this tab; empty forgets it. */
export function keepToken(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  document.dispatchEvent(new CustomEvent('token'));
}

/** Problem is an answer that is not a success. status 0 means that there was no answer. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || 'No answer');
    this.status = status;
    this.title = body.title ?? '';
    this.detail = body.detail ?? '';
    this.reason = body.reason ?? '';
    this.fields = body.errors ?? [];
  }
}

/** open sends a request and returns the response. It throws a Problem, or an AbortError. */
export async function open(path, { query = {}, body, accept = 'application/json', signal } = {}) {
  const address = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') address.searchParams.set(name, value);
  }
  const headers = { Accept: accept };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(address, {
      method: body ? 'POST' : 'GET',
      headers,
      body: body && JSON.stringify(body),
      signal,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
    });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Problem(0);
  }
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({ title: response.statusText })));
  return response;
}

async function message(path, options) {
  const response = await open(path, options);
  try {
    return await response.json();
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Problem(0, { title: 'The answer ended early or is not JSON' });
  }
}

/** get reads one message. */
export function get(path, query, signal) {
  return message(path, { query, signal });
}

/** post sends a command. */
export function post(path, body, signal) {
  return message(path, { body, signal });
}

/** filter joins conditions with AND: {provider: 'clip'} becomes provider = "clip". Empty values are left out. */
export function filter(conditions) {
  return Object.entries(conditions)
    .filter(([, value]) => value)
    .map(([field, value]) => `${field} = ${quote(value)}`)
    .join(' AND ');
}

// quote writes a string of the filter language.
function quote(text) {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
