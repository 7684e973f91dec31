// Events as they happen, with throughput and latency.
import { el, fill, heading, announce } from '../dom.js';
import { get } from '../api.js';
import { watch } from '../stream.js';
import { Series } from '../series.js';
import { plot } from '../plot.js';
import { table, settle } from '../table.js';
import { disposition, mode, mono, statusBadge, statusOf, statusText, time } from '../badge.js';
import { count, id, micros, money, short, span } from '../format.js';
import { empty, loading, trouble } from '../notice.js';

const ROWS = 200;
const REDRAW = 200; // ms between two changes of the table at most: nobody reads faster
const SPEAK = 10_000; // ms between two announcements

const columns = [
  { title: 'Received', cell: (e) => time(e.receiveTime, 'clock') },
  { title: 'Status', kind: 'side', cell: (e) => [statusBadge(e), mode(e)] },
  { title: 'Payment', link: true, cell: (e) => mono(short(e.providerPaymentId)) },
  { title: 'Amount', kind: 'number side', cell: (e) => money(e.amount) },
  { title: 'Provider', cell: (e) => `${e.provider} · ${e.merchant}` },
  { title: 'Effect', kind: 'side', cell: disposition },
  { title: 'Took', kind: 'number spare', cell: (e) => span(latency(e)) },
];

function latency(e) {
  const [from, to] = [micros(e.receiveTime), micros(e.commitTime)];
  return from === undefined || to === undefined ? undefined : to - from;
}

/** live shows the newest events and follows the stream. */
export function live({ root, query, signal, go }) {
  const series = new Series();
  const list = table({ caption: 'Newest events', columns, href: (e) => `#/${e.payment}` });
  const rate = plot({ title: 'Throughput', from: '2 min ago', lines: [{ name: 'events/s', style: 'area' }], write: (v) => (v < 10 ? String(Math.round(v * 10) / 10) : count(Math.round(v))) });
  const took = plot({ title: 'Latency, received to committed', from: '2 min ago', lines: [{ name: 'p50', style: 'strong' }, { name: 'p99', style: 'soft' }], write: span });
  const state = el('span', { class: 'state', role: 'status' });
  const held = el('span', { class: 'fine' });
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', onclick: toggle }, 'Pause');
  const place = el('div', {}, loading('events'));
  const filter = el('input', { id: 'live-filter', class: 'grow', type: 'text', spellcheck: 'false', autocomplete: 'off', value: query.filter ?? '', placeholder: 'provider = "clip" AND payment_status = "PAID"' });
  fill(root,
    heading('Live events', state, pause),
    el('div', { class: 'plots' }, rate.element, took.element),
    el('form', { class: 'filters', onsubmit: (e) => { e.preventDefault(); go(filter.value.trim() ? `#/live?filter=${encodeURIComponent(filter.value.trim())}` : '#/live'); } },
      el('label', { for: 'live-filter' }, 'Filter'), filter, el('button', { type: 'submit' }, 'Apply'), held),
    place);

  let waiting = []; // not on the screen yet, the oldest first
  let paused = false;
  let missed = 0; // while paused
  let drawn = 0;
  let frame = 0;
  let unspoken = 0;
  let spoken = -SPEAK;
  let newest;

  function toggle() {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    fill(pause, paused ? 'Resume' : 'Pause');
    if (!paused) missed = 0;
    fill(held);
    plan();
  }

  function take(event) {
    series.add(Date.now(), latency(event));
    waiting.push(event);
    if (waiting.length > 2 * ROWS) waiting = waiting.slice(-ROWS);
    unspoken += 1;
    newest = event;
    if (paused) missed += 1;
    plan();
  }

  // plan draws in the next frame, unless one was drawn a moment ago.
  function plan() {
    if (frame || paused || waiting.length === 0) return;
    frame = setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawn + REDRAW - performance.now()));
  }

  function draw() {
    frame = 0;
    if (paused || signal.aborted) return;
    drawn = performance.now();
    const fresh = waiting.slice(-ROWS).reverse();
    waiting = [];
    if (!list.element.isConnected) fill(place, list.element);
    const rows = fresh.map(list.row);
    if (rows.length < 20) for (const r of rows) r.classList.add('fresh');
    list.body.prepend(...rows);
    while (list.body.rows.length > ROWS) {
      const last = list.body.lastElementChild;
      if (last.contains(document.activeElement)) break; // not from under the reader's hands
      last.remove();
    }
    settle(list.body);
  }

  // speak sums up for a screen reader, now and then: one event at a time would be noise.
  function speak() {
    if (unspoken === 0 || paused || performance.now() - spoken < SPEAK) return;
    spoken = performance.now();
    announce(`${unspoken} new ${unspoken === 1 ? 'event' : 'events'}. The last: ${[statusText(statusOf(newest)[0]), newest.provider, money(newest.amount)].filter(Boolean).join(', ')}`);
    unspoken = 0;
  }

  function figures() {
    const now = Date.now();
    const history = series.history(now);
    const recent = series.recent(now, 10);
    rate.draw([history.map((h) => h.rate)], [recent.rate]);
    took.draw([history.map((h) => h.p50), history.map((h) => h.p99)], [recent.p50, recent.p99]);
    speak();
    if (paused) fill(held, `${count(missed)} new while paused`);
  }

  function tell(name, detail) {
    const text = { connecting: 'Connecting…', live: 'Live', waiting: `No connection; next try in ${detail} s`, gap: 'Some events were missed', refused: 'Not connected' }[name];
    state.className = `state ${name}`;
    fill(state, text);
    if (name === 'refused') fill(place, trouble(detail, () => begin()));
  }

  async function begin() {
    try {
      const page = await get('/v1/events', { page_size: 50, filter: query.filter }, signal);
      const events = page.events ?? [];
      if (events.length > 0) {
        fill(place, list.element);
        fill(list.body);
        list.append(events);
      } else fill(place, empty('No events yet', query.filter ? 'Nothing matches this filter so far. New events appear here at once.' : 'Send a webhook to an endpoint, or play a provider with “paynorm send”. New events appear here at once.'));
      await watch({ after: events[0]?.cursor, filter: query.filter, signal, on: { event: take, state: tell } });
    } catch (err) {
      if (signal.aborted) return;
      tell('refused', err);
    }
  }

  const tick = setInterval(figures, 1000);
  signal.addEventListener('abort', () => { clearInterval(tick); clearTimeout(frame); });
  figures();
  begin();
}
