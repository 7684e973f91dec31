// Dialogs: native ones, so that Esc closes them and the focus comes back by itself.
import { el } from './dom.js';
import { keepToken, token } from './api.js';

/** dialog makes a modal dialog and opens it; it is removed when it is closed. */
export function dialog(title, content, { wide = false } = {}) {
  const element = el('dialog', { class: wide ? 'wide' : undefined, 'aria-labelledby': 'dialog-title' },
    el('header', {}, el('h2', { id: 'dialog-title' }, title), el('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => element.close() }, '✕')),
    content);
  element.addEventListener('close', () => element.remove());
  element.addEventListener('click', (e) => { // on the backdrop
    if (e.target === element) element.close();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** askToken asks for an access token. */
export function askToken() {
  if (document.querySelector('dialog[open]')) return;
  const input = el('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', value: token(), autofocus: true });
  const box = dialog('Access token', el('form', {
    onsubmit: (e) => {
      e.preventDefault();
      keepToken(input.value.trim());
      box.close();
    },
  },
  el('label', { for: 'token' }, 'Token'), input,
  el('p', { class: 'fine' }, 'Kept in this tab until you close it. It is sent in a header and never becomes part of an address. Leave it empty to sign out.'),
  el('div', { class: 'actions' }, el('button', { type: 'submit', class: 'primary' }, 'Use token'))));
}

const keys = [
  ['/', 'Search'],
  ['↑ ↓ Home End', 'Walk through the rows of a table'],
  ['Enter', 'Open the row'],
  ['Esc', 'Close a dialog, leave a field'],
  ['?', 'Show this help'],
];

/** help lists the keys. */
export function help() {
  if (document.querySelector('dialog[open]')) return;
  dialog('Keys', el('dl', { class: 'keys' }, keys.map(([key, does]) => el('div', {}, el('dt', {}, key.split(' ').map((k) => el('kbd', {}, k))), el('dd', {}, does)))));
}
