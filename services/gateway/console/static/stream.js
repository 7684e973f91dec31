// Follows GET /v1/events:watch as server-sent events. EventSource cannot send an
// Authorization header, so the stream is read with fetch.
import { open, Problem } from './api.js';

const QUIET = 40_000; // the server says something at least every 15 seconds
const LONGEST_WAIT = 15_000;

/**
 * watch calls on.event(event) for each event after the cursor, until signal aborts or the
 * server refuses. on.state tells how it is going: 'connecting', 'live', 'waiting' (with the
 * seconds until the next try), 'gap' (events were missed) or 'refused' (with the Problem).
 */
export async function watch({ after, filter, signal, on }) {
  let cursor = after;
  let failures = 0;
  while (!signal.aborted) {
    on.state('connecting');
    try {
      await once({
        cursor, filter, signal,
        live: () => { failures = 0; on.state('live'); },
        message: (m) => {
          if (m.cursor) cursor = m.cursor;
          if (m.event) on.event(m.event);
        },
      });
    } catch (err) {
      if (signal.aborted) return;
      if (err.reason?.startsWith('CURSOR_')) {
        cursor = undefined;
        on.state('gap');
        if (failures === 0) { failures = 1; continue; }
      } else if (err.status >= 400 && err.status < 500 && err.status !== 429 && err.status !== 499 || err.status === 501) {
        on.state('refused', err);
        return;
      } else if (!(err instanceof Problem)) {
        console.debug('the stream broke off', err.message);
      }
    }
    failures += 1;
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** failures) * (0.75 + Math.random() / 2);
    on.state('waiting', Math.ceil(wait / 1000));
    await pause(wait, signal);
  }
}

// once reads one connection to its end.
async function once({ cursor, filter, signal, live, message }) {
  const silence = new AbortController();
  const response = await open('/v1/events:watch', {
    query: { after_cursor: cursor, filter },
    accept: 'text/event-stream',
    signal: AbortSignal.any([signal, silence.signal]),
  });
  live();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let timer = setTimeout(() => silence.abort(), QUIET);
  let buffer = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), QUIET);
      buffer += value;
      let from = 0;
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n', from)) {
        dispatch(buffer.slice(from, end), message);
        from = end + 2;
      }
      buffer = buffer.slice(from);
    }
  } finally {
    clearTimeout(timer);
  }
}

// dispatch reads one server-sent event. Each has one line of data here.
function dispatch(text, message) {
  let name = '';
  let data = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('data: ')) data += line.slice(6);
  }
  if (!data) return;
  const value = JSON.parse(data);
  if (name === 'problem') throw new Problem(value.status, value);
  message(value);
}

// pause waits; shorter when the network comes back or the view is left.
function pause(ms, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => { clearTimeout(timer); over.abort(); resolve(); };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { signal: over.signal });
    addEventListener('online', end, { signal: over.signal });
  });
}
