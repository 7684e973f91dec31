// Tables that become cards on a narrow screen, that arrow keys walk through, and
// that load their next page on demand.
import { el, fill } from './dom.js';
import { get } from './api.js';
import { loading, trouble } from './notice.js';

/**
 * table makes a table. columns are [{title, cell, kind}]: cell(item) returns what is shown; kind
 * is a class ("side" stands at the right of a card, "wide" takes its whole width, "number",
 * "spare" is left out of it). The first column with link: true leads to href(item).
 */
export function table({ caption, columns, href }) {
  const body = el('tbody', { role: 'rowgroup' });
  const element = el('div', { class: 'table panel' },
    el('table', { role: 'table' },
      el('caption', { class: 'unseen' }, caption),
      el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map((c) => el('th', { role: 'columnheader', scope: 'col', class: c.kind }, c.title)))),
      body));
  walk(body);

  function row(item) {
    return el('tr', { role: 'row' }, columns.map((c) => {
      const content = c.cell(item);
      return el('td', { role: 'cell', class: c.kind }, c.link ? el('a', { class: 'row-link', href: href(item), tabindex: '-1' }, content) : content);
    }));
  }
  return { element, body, row, append: (items) => { body.append(...items.map(row)); settle(body); } };
}

/** settle lets the Tab key reach one row of the table; the arrow keys reach the others. */
export function settle(body) {
  if (body.querySelector('.row-link[tabindex="0"]')) return;
  const first = body.querySelector('.row-link');
  if (first) first.tabIndex = 0;
}

// walk moves the focus with the arrow keys, and opens a row that is clicked anywhere.
function walk(body) {
  const move = (from, to) => {
    if (!to) return;
    if (from) from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    to.closest('tr').scrollIntoView({ block: 'nearest' });
  };
  body.addEventListener('focusin', (e) => {
    if (!e.target.matches('.row-link') || e.target.tabIndex === 0) return;
    for (const link of body.querySelectorAll('.row-link[tabindex="0"]')) link.tabIndex = -1;
    e.target.tabIndex = 0;
  });
  body.addEventListener('keydown', (e) => {
    if (!e.target.matches('.row-link') || e.ctrlKey || e.metaKey || e.altKey) return;
    const links = [...body.querySelectorAll('.row-link')];
    const at = links.indexOf(e.target);
    const to = { ArrowDown: links[at + 1], ArrowUp: links[at - 1], Home: links[0], End: links.at(-1) };
    if (!(e.key in to)) return;
    e.preventDefault();
    move(e.target, to[e.key]);
  });
  body.addEventListener('click', (e) => {
    if (e.target.closest('a, button, summary') || String(getSelection())) return;
    e.target.closest('tr')?.querySelector('.row-link')?.click();
  });
}

/**
 * pages shows a list of the API in a table, with a button for its next page. member names the list
 * in the answer; none is shown when the first page is empty. It returns what to put into the view.
 */
export function pages({ path, query, member, columns, caption, href, none, signal, what }) {
  const place = el('div', {}, loading(what));
  const list = table({ caption, columns, href });
  const more = el('button', { type: 'button', onclick: () => load() }, 'Show more');
  const foot = el('div', { class: 'foot' });
  let next = '';
  let shown = 0;

  async function load() {
    more.disabled = true;
    try {
      const page = await get(path, { ...query, page_token: next }, signal);
      const items = page[member] ?? [];
      const first = shown === 0;
      next = page.nextPageToken ?? '';
      shown += items.length;
      list.append(items);
      if (shown === 0 && next) return load(); // a page may be empty and not be the last
      if (first) fill(place, shown === 0 ? none : [list.element, foot]);
      fill(foot, el('span', { class: 'fine' }, `${shown} shown`), next && more);
    } catch (err) {
      if (signal.aborted) return undefined;
      fill(shown === 0 ? place : foot, trouble(err, load));
    }
    more.disabled = false;
    return undefined;
  }
  load();
  return place;
}
