// One provider: how it delivers, what its words become, and what it does not document.
import { el, facts, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { badge, mono, statusText, time } from '../badge.js';
import { count, id, words } from '../format.js';
import { loading, trouble } from '../notice.js';
import { table } from '../table.js';

/** provider shows GET /v1/providers/{id}. */
export async function provider({ root, name, signal, reload }) {
  fill(root, heading('Provider'), loading('the provider'));
  try {
    const p = await get(`/v1/${name}`, {}, signal);
    fill(root, heading(p.title || id(name)),
      el('section', { class: 'panel summary', 'aria-label': 'The provider' }, facts([
        ['ID', mono(id(name))],
        ['Documentation', /^https:\/\//.test(p.documentationUri ?? '') && el('a', { href: p.documentationUri, rel: 'noreferrer noopener', target: '_blank' }, p.documentationUri)],
        ['Authenticates by', (p.authSchemes ?? []).join(', ')],
        ['Expects', `HTTP ${p.acknowledgementStatus}${p.acknowledgementBody ? ` ${p.acknowledgementBody}` : ''}`],
        ['Retries', p.retryPolicy, 'wide'],
      ])),
      el('h2', {}, 'Schema drift'), drift(p.schemaDrifts ?? []),
      el('h2', {}, 'Mapping table ', el('span', { class: 'fine' }, `version ${p.mappingVersion ?? 0}`)), mappings(p.mappings ?? []));
  } catch (err) {
    if (!signal.aborted) fill(root, heading('Provider'), el('p', {}, mono(name)), trouble(err, reload));
  }
}

function drift(drifts) {
  if (drifts.length === 0) return el('p', {}, 'Since paynorm started, everything it sent was as documented.');
  const list = table({
    caption: 'Members that are not as documented',
    columns: [
      { title: 'Member', cell: (d) => mono(d.member) },
      { title: 'Deliveries', kind: 'number side', cell: (d) => count(d.deliveryCount) },
      { title: 'First', cell: (d) => time(d.firstReceiveTime, 'clock') },
      { title: 'Last', kind: 'side', cell: (d) => time(d.lastReceiveTime, 'clock') },
    ],
  });
  list.append(drifts);
  return list.element;
}

function mappings(rows) {
  const list = table({
    caption: 'Mapping table',
    columns: [
      { title: 'The provider says', cell: (m) => mono(m.providerStatus) },
      { title: 'It becomes', kind: 'side', cell: (m) => badge(statusText(m.outcome), { quarantined: 'wait', skipped: 'quiet' }[m.outcome] ?? 'info') },
      { title: 'Reason', cell: (m) => words(m.reason) },
      { title: 'Source', kind: 'wide fine', cell: (m) => m.source },
    ],
  });
  const left = el('span', { class: 'fine', role: 'status' });
  const show = (text) => {
    const kept = rows.filter((m) => [m.providerStatus, m.outcome, m.reason].join(' ').toLowerCase().includes(text.toLowerCase()));
    fill(list.body, kept.map(list.row));
    fill(left, `${kept.length} of ${rows.length} rows`);
  };
  show('');
  return [
    el('form', { class: 'filters', onsubmit: (e) => e.preventDefault() }, el('div', { class: 'field' }, el('label', { for: 'mapping-filter' }, 'Find a row'), el('input', { id: 'mapping-filter', type: 'text', placeholder: 'word, code or status', oninput: (e) => show(e.target.value) })), left),
    list.element,
  ];
}
