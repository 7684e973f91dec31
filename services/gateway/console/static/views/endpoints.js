// Endpoints: who receives, who fell silent, and what was refused.
import { el, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { badge, mode, mono, time } from '../badge.js';
import { count, span } from '../format.js';
import { empty, loading, trouble } from '../notice.js';

const REFRESH = 10_000;

/** endpoints shows GET /v1/providers/-/endpoints, and again every ten seconds. */
export function endpoints({ root, signal }) {
  const place = el('div', {}, loading('the endpoints'));
  fill(root, heading('Endpoints'), el('p', { class: 'lead' }, 'Counted since this process started. Refused webhooks are not stored; the last of each endpoint are remembered here.'), place);

  async function load() {
    try {
      const { endpoints: list = [] } = await get('/v1/providers/-/endpoints', {}, signal);
      const unfolded = new Set([...place.querySelectorAll('details[open]')].map((d) => d.id));
      const focused = place.contains(document.activeElement) ? document.activeElement.closest('details')?.id : undefined;
      fill(place, list.length === 0
        ? empty('No endpoints', 'The configuration names none, so nothing can be received.')
        : el('ul', { class: 'cards' }, list.map((e) => card(e, unfolded))));
      if (focused) document.getElementById(focused)?.querySelector('summary').focus();
    } catch (err) {
      if (!signal.aborted) fill(place, trouble(err, load));
    }
  }
  const timer = setInterval(() => document.visibilityState === 'visible' && load(), REFRESH);
  signal.addEventListener('abort', () => clearInterval(timer));
  load();
}

function health(e) {
  if (e.silent) return badge('silent', 'bad');
  if (!e.lastAuthenticTime) return e.lastRefusedTime ? badge('only refused', 'bad') : badge('nothing yet', 'quiet');
  return e.lastRefusedTime > e.lastAuthenticTime ? badge('refusing', 'wait') : badge('receiving', 'good');
}

function card(e, unfolded) {
  const refused = e.refusedWebhooks ?? [];
  const fold = `refused-${e.provider}-${e.merchant}`;
  const usual = Number.parseFloat(e.usualSilence ?? '') * 1e6;
  return el('li', { class: 'panel card' },
    el('header', {}, el('h2', {}, `${e.provider} · ${e.merchant}`), el('span', { class: 'line-up' }, mode(e), health(e))),
    el('dl', { class: 'tiles' },
      tile('Last delivery', time(e.lastAuthenticTime, 'ago') ?? 'never'),
      tile('Authentic', count(e.authenticCount)),
      tile('Refused', count(e.refusedCount), e.refusedCount > 0),
      tile('Usual pause', usual > 0 ? `up to ${span(usual)}` : 'not known yet')),
    el('table', { class: 'plain' }, el('caption', {}, 'Keys'),
      el('thead', { class: 'unseen' }, el('tr', {}, ['Key', 'Used', 'Last'].map((t) => el('th', { scope: 'col' }, t)))),
      el('tbody', {}, (e.keys ?? []).map((k) => el('tr', {},
        el('th', { scope: 'row' }, mono(k.id)), el('td', {}, `${count(k.useCount)} ×`), el('td', {}, time(k.lastUseTime, 'ago') ?? el('span', { class: 'fine' }, 'never used')))))),
    refused.length > 0 && el('details', { id: fold, open: unfolded.has(fold) }, el('summary', {}, `Last refused: ${refused.length}`),
      el('ul', { class: 'refused' }, refused.map((r) => el('li', {}, time(r.receiveTime, 'clock'), ' ', mono(r.remoteAddress), el('div', {}, r.cause))))));
}

function tile(name, value, alarming) {
  return el('div', {}, el('dt', {}, name), el('dd', { class: alarming ? 'alarming' : undefined }, value));
}
