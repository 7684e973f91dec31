// Reprocessing: first what would change, then, when someone confirms it, the change.
import { el, fill } from './dom.js';
import { post } from './api.js';
import { dialog } from './dialog.js';
import { badge, reasonBadge, statusBadge, statusText, mono } from './badge.js';
import { count, id, money, utc, words } from './format.js';
import { loading, trouble } from './notice.js';

const changes = {
  REPROCESS_CHANGE_NONE: ['unchanged', 'quiet'],
  REPROCESS_CHANGE_RELEASED: ['released', 'good'],
  REPROCESS_CHANGE_CORRECTED: ['corrected', 'info'],
  REPROCESS_CHANGE_UNSUPPORTED: ['no longer understood', 'bad'],
};

/**
 * reprocess opens a dialog that asks path what would change and, when confirmed, does it.
 * body says which deliveries, for many; done is called when something was published.
 */
export function reprocess({ title, path, body = {}, done }) {
  const leaving = new AbortController();
  const place = el('div', { class: 'dialog-body' });
  const box = dialog(title, place, { wide: true });
  box.addEventListener('close', () => leaving.abort());
  const close = el('button', { type: 'button', onclick: () => box.close() }, 'Close');

  async function preview() {
    fill(place, loading('what would change'));
    try {
      const answer = await post(path, { ...body, validateOnly: true }, leaving.signal);
      const n = (answer.items ?? []).filter(publishes).length;
      const confirm = el('button', { type: 'button', class: 'primary', onclick: publish }, `Publish ${n} ${n === 1 ? 'event' : 'events'}`);
      fill(place, summary(answer, n), items(answer),
        el('div', { class: 'actions' }, n > 0 && confirm, n > 0 ? el('button', { type: 'button', onclick: () => box.close() }, 'Cancel') : close));
      (n > 0 ? confirm : close).focus();
    } catch (err) {
      if (!leaving.signal.aborted) fill(place, trouble(err, preview));
    }
  }

  async function publish() {
    fill(place, loading('the outcome; it returns when the events are durable'));
    try {
      const answer = await post(path, { ...body, validateOnly: false });
      const n = (answer.items ?? []).filter(publishes).length;
      fill(place, el('p', { class: 'result', role: 'status' }, badge('done', 'good'), ` ${count(n)} ${n === 1 ? 'event was' : 'events were'} published`,
        answer.ledgerSequence && answer.ledgerSequence !== '0' ? `, by commit ${answer.ledgerSequence} of the ledger.` : '.'),
      items(answer), el('div', { class: 'actions' }, close));
      close.focus();
      done();
    } catch (err) {
      fill(place, trouble(err, publish));
    }
  }
  preview();
}

function publishes(item) {
  return item.change === 'REPROCESS_CHANGE_RELEASED' || item.change === 'REPROCESS_CHANGE_CORRECTED';
}

function summary(answer, n) {
  const of = answer.deliveryCount === undefined ? '' : ` ${count(answer.deliveryCount)} ${answer.deliveryCount === 1 ? 'delivery was' : 'deliveries were'} looked at.`;
  return el('p', { role: 'status' },
    n === 0 ? 'Nothing would change: with the mapping of today it means what it meant.' : `With the mapping of today, ${n === 1 ? 'one event' : `${count(n)} events`} would be published. Nothing has been changed yet.`,
    of, answer.more && ' The filter matches more than were looked at: repeat it afterwards.');
}

function items(answer) {
  return el('ol', { class: 'changes' }, (answer.items ?? []).map((item) => {
    const [word, tone] = changes[item.change] ?? [words(item.change, 'REPROCESS_CHANGE_'), 'quiet'];
    const event = item.after ?? item.before;
    return el('li', {},
      el('div', { class: 'line-up' }, badge(word, tone), mono(`${id(item.delivery)} · item ${(item.item ?? 0) + 1}`), event && statusBadge(event), event?.amount && el('b', { class: 'amount' }, money(event.amount))),
      item.quarantined && el('p', {}, reasonBadge(item.quarantined), ' ', item.quarantined.detail),
      item.change === 'REPROCESS_CHANGE_UNSUPPORTED' && el('p', { class: 'fine' }, 'It has an event already, and an event cannot be taken back. Nothing is published.'),
      event?.payment && el('p', { class: 'fine' }, 'Payment ', el('a', { href: `#/${event.payment}` }, event.providerPaymentId || id(event.payment))),
      item.before && item.after && difference(item));
  }));
}

// difference is a table of the fields that differ.
function difference({ before, after, changedFields = [] }) {
  return el('div', { class: 'scroll' }, el('table', { class: 'diff' },
    el('thead', {}, el('tr', {}, ['Field', 'Before', 'After'].map((t) => el('th', { scope: 'col' }, t)))),
    el('tbody', {}, changedFields.map((field) => {
      const name = field.replaceAll(/_([a-z0-9])/g, (_, c) => c.toUpperCase());
      return el('tr', {}, el('th', { scope: 'row' }, el('code', {}, field)), el('td', { class: 'before' }, value(before[name])), el('td', { class: 'after' }, value(after[name])));
    }))));
}

function value(v) {
  if (v === undefined || v === null || v === '') return el('span', { class: 'fine' }, 'absent');
  if (typeof v === 'object') return v.currencyCode ? money(v) : JSON.stringify(v);
  if (/_STATUS_/.test(v)) return statusText(v);
  if (/^\d{4}-\d\d-\d\dT.*Z$/.test(v)) return utc(v);
  return String(v);
}
