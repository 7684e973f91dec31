// The frame: which view an address shows, the search, the keys, the token.
import { el, fill } from './dom.js';
import { token } from './api.js';
import { askToken, help } from './dialog.js';
import { trouble } from './notice.js';
import { live } from './views/live.js';
import { payments } from './views/payments.js';
import { payment } from './views/payment.js';
import { event } from './views/event.js';
import { quarantine } from './views/quarantine.js';
import { deliveries } from './views/deliveries.js';
import { delivery } from './views/delivery.js';
import { endpoints } from './views/endpoints.js';
import { providers } from './views/providers.js';
import { provider } from './views/provider.js';

const routes = [
  [/^\/live$/, live],
  [/^\/payments$/, payments],
  [/^\/(payments\/[a-z0-9-]+)$/, payment],
  [/^\/(events\/[a-z0-9-]+)$/, event],
  [/^\/quarantine$/, quarantine],
  [/^\/deliveries$/, deliveries],
  [/^\/(deliveries\/[a-z0-9-]+)$/, delivery],
  [/^\/endpoints$/, endpoints],
  [/^\/providers$/, providers],
  [/^\/(providers\/[a-z0-9-]+)$/, provider],
];

const main = document.getElementById('main');
const search = document.getElementById('search');
let leaving = new AbortController();
let shown; // the path on the screen

/** go replaces the address without a step in the history, and shows it. */
function go(hash) {
  history.replaceState(null, '', hash);
  show();
}

// show renders what the address names. A view gets {root, name, query, signal, go, reload}; its
// signal aborts when it is left.
function show() {
  const [path, search_ = ''] = (location.hash.slice(1) || '/live').split(/\?(.*)/s);
  const query = Object.fromEntries(new URLSearchParams(search_));
  const route = routes.find(([pattern]) => pattern.test(path));
  if (path !== shown) for (const box of document.querySelectorAll('dialog[open]')) box.close();
  leaving.abort();
  leaving = new AbortController();
  const root = el('div', { class: 'view' });
  const kept = path === shown && main.contains(document.activeElement) ? document.activeElement.id : '';
  try {
    if (route) route[1]({ root, name: route[0].exec(path)[1], query, signal: leaving.signal, go, reload: show });
    else fill(root, el('h1', { tabindex: '-1' }, 'There is no such page'), el('p', {}, el('a', { href: '#/live' }, 'Live events')));
  } catch (err) {
    fill(root, trouble(err));
  }
  fill(main, root);
  mark(path);
  search.value = query.q ?? '';
  if (kept && document.getElementById(kept)) document.getElementById(kept).focus();
  else if (shown !== undefined && path !== shown) root.querySelector('h1')?.focus();
  if (path !== shown) scrollTo(0, 0);
  shown = path;
}

function mark(path) {
  for (const link of document.querySelectorAll('nav a')) {
    const here = `#${path}`.startsWith(link.getAttribute('href')) || (path.startsWith('/events/') && link.hash === '#/payments');
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

// find turns what was typed into an address: names of paynorm lead to their page at once.
function find(text) {
  const named = /^(?:(?:payments|events|deliveries)\/)?([ped][a-z0-9-]+)$/.exec(text);
  if (named && /^[pe][a-v0-9]{32}$/.test(named[1])) return `#/${text.includes('/') ? text : `${text[0] === 'p' ? 'payments' : 'events'}/${text}`}`;
  if (named && /^d\d+-\d+$/.test(named[1])) return `#/deliveries/${named[1]}`;
  return `#/payments?q=${encodeURIComponent(text)}`;
}

document.getElementById('search-form').addEventListener('submit', (e) => {
  e.preventDefault();
  const text = search.value.trim();
  location.hash = text ? find(text) : '#/payments';
});

document.querySelector('.skip').addEventListener('click', (e) => {
  e.preventDefault(); // the address belongs to the router
  main.focus();
});

document.addEventListener('keydown', (e) => {
  const typing = e.target.matches('input, textarea, select, [contenteditable]');
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
  if (e.key === 'Escape' && typing) e.target.blur();
  if (typing) return;
  if (e.key === '/') {
    e.preventDefault();
    search.focus();
    search.select();
  }
  if (e.key === '?') help();
});

function showToken() {
  const button = document.getElementById('token-button');
  button.classList.toggle('on', token() !== '');
  button.title = token() ? 'A token is set for this tab' : 'No token is set';
}

document.getElementById('token-button').addEventListener('click', askToken);
document.getElementById('help-button').addEventListener('click', help);
document.addEventListener('ask-token', askToken);
document.addEventListener('token', () => { showToken(); show(); });
addEventListener('hashchange', show);
showToken();
show();
