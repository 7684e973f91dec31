// What a view shows when it has nothing to show: loading, empty, or a problem.
import { el } from './dom.js';
import { Problem } from './api.js';

const hints = {
  0: 'paynorm did not answer. It may be stopped or restarting, or the network is away.',
  401: 'The API asks for an access token. It is kept for this tab only.',
  403: 'Your token does not allow this. Ask who runs paynorm for one that does.',
  404: 'It may never have existed, or it is no longer kept, or it is not yours to see.',
  429: 'Too many calls in a short time. Wait a moment.',
  501: 'This paynorm cannot do that. It may be older than this console.',
  503: 'paynorm is up but cannot serve this now. It usually passes.',
};

const titles = { 0: 'No answer', 401: 'Sign in', 403: 'Not allowed', 404: 'Not found', 501: 'Not available here' };

/** loading says that something is on its way. It appears only when that takes a moment. */
export function loading(what) {
  return el('p', { class: 'notice loading', role: 'status' }, el('span', { class: 'spinner', 'aria-hidden': 'true' }), `Loading ${what}…`);
}

/** empty says that there is nothing, and what would change that. */
export function empty(title, ...hint) {
  return el('div', { class: 'notice empty' }, el('h2', {}, title), hint.length > 0 && el('p', {}, hint));
}

/** trouble shows why something failed, and offers to try again. */
export function trouble(err, retry) {
  if (!(err instanceof Problem)) console.error(err);
  const p = err instanceof Problem ? err : new Problem(-1, { title: 'The console has a fault', detail: String(err?.message ?? err) });
  const again = retry && el('button', { type: 'button', onclick: retry }, 'Try again');
  const sign = p.status === 401 && el('button', { type: 'button', class: 'primary', onclick: () => document.dispatchEvent(new CustomEvent('ask-token')) }, 'Enter a token');
  const title = titles[p.status] ?? (p.title || 'Something went wrong');
  return el('div', { class: 'notice trouble', role: 'alert' },
    el('h2', {}, title),
    p.detail && p.detail.toLowerCase() !== title.toLowerCase() && el('p', { class: 'detail' }, p.detail),
    p.fields.length > 0 && el('ul', {}, p.fields.map((f) => el('li', {}, el('code', {}, f.field), ` ${f.detail}`))),
    hints[p.status] && el('p', {}, hints[p.status]),
    (again || sign) && el('div', { class: 'actions' }, sign, again),
    p.status > 0 && el('p', { class: 'fine' }, `HTTP ${p.status}${p.reason ? ` · ${p.reason}` : ''}`));
}
