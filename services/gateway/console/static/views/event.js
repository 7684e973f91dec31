// One event, with everything it says.
import { el, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { mono } from '../badge.js';
import { loading, trouble } from '../notice.js';
import { eventFacts, json } from '../about.js';

/** event shows GET /v1/events/{id}. */
export async function event({ root, name, signal, reload }) {
  fill(root, heading('Event'), loading('the event'));
  try {
    const e = await get(`/v1/${name}`, {}, signal);
    fill(root, heading('Event'),
      el('p', {}, `${e.provider} · ${e.merchant}, payment `, el('a', { href: `#/${e.payment}` }, mono(e.providerPaymentId))),
      el('section', { class: 'panel summary', 'aria-label': 'The event' }, eventFacts(e)), json('JSON', e));
  } catch (err) {
    if (!signal.aborted) fill(root, heading('Event'), el('p', {}, mono(name)), trouble(err, reload));
  }
}
