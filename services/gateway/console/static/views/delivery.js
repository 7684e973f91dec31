// One delivery: where it came from, what came of it and, when asked for, its content.
import { el, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { mono } from '../badge.js';
import { decode, readable } from '../bytes.js';
import { id, size } from '../format.js';
import { empty, loading, trouble } from '../notice.js';
import { deliveryFacts, outcome } from '../about.js';
import { reprocess } from '../reprocess.js';

/** delivery shows GET /v1/deliveries/{id}. */
export async function delivery({ root, name, signal, reload }) {
  fill(root, heading('Delivery'), loading('the delivery'));
  try {
    const d = await get(`/v1/${name}`, {}, signal);
    const again = el('button', {
      type: 'button', id: 'reprocess', disabled: d.erased || !d.kept,
      onclick: () => reprocess({ title: `Reprocess ${id(name)}`, path: `/v1/${name}:reprocess`, done: reload }),
    }, 'Reprocess…');
    fill(root,
      heading(`Delivery ${id(name)}`, again),
      el('section', { class: 'panel summary', 'aria-label': 'The delivery' }, deliveryFacts(d)),
      el('h2', {}, 'What came of it'),
      (d.outcomes ?? []).length > 0
        ? el('ol', { class: 'panel outcomes' }, d.outcomes.map((o) => el('li', {}, outcome(o))))
        : el('p', {}, 'Nothing was published. Either nothing in it is about a payment, or it has not been projected yet.'),
      el('h2', {}, 'Content'),
      content(d, name, signal));
  } catch (err) {
    if (!signal.aborted) fill(root, heading('Delivery'), el('p', {}, mono(name)), trouble(err, reload));
  }
}

function content(d, name, signal) {
  if (d.erased) return empty('Erased', 'The content was erased. What came of it stays.');
  if (!d.kept) return empty('No longer kept', 'The ledger keeps deliveries for a limited time only.');
  const place = el('div', {});
  async function show() {
    fill(place, loading('the content'));
    try {
      const full = await get(`/v1/${name}`, { view: 'DELIVERY_VIEW_FULL' }, signal);
      fill(place, request(full));
    } catch (err) {
      if (!signal.aborted) fill(place, trouble(err, show));
    }
  }
  return fill(place, el('div', { class: 'notice' },
    el('p', {}, 'The content may hold personal data: names, e-mail addresses, card data.'),
    el('button', { type: 'button', id: 'show-content', onclick: show }, 'Show the content')));
}

function request(d) {
  const target = `${d.method ?? ''} ${d.path ?? ''}${d.rawQuery ? `?${d.rawQuery}` : ''}`;
  return [
    el('pre', { class: 'panel', tabindex: '0' }, [target, ...(d.headers ?? []).map((h) => `${h.name}: ${h.value ?? ''}`)].join('\n')),
    body(d.plaintext === undefined ? 'Body' : 'Body as received', d.body),
    d.plaintext !== undefined && body('Body, decrypted', d.plaintext),
  ];
}

function body(title, base64) {
  const bytes = decode(base64);
  const { kind, text } = readable(bytes);
  const how = { json: 'JSON, laid out; every digit as received', text: 'as received', hex: 'not text: shown in hex' }[kind];
  return [
    el('h3', {}, title, ' ', el('span', { class: 'fine' }, `${size(bytes.length)}, ${how}`)),
    bytes.length > 0 ? el('pre', { class: 'panel', tabindex: '0', translate: 'no' }, text) : el('p', { class: 'fine' }, 'empty'),
  ];
}
