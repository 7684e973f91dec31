// Quarantine: what was kept and not published, and how it is released.
import { el, fill, heading } from '../dom.js';
import { filter } from '../api.js';
import { pages } from '../table.js';
import { mode, mono, reasonBadge, time } from '../badge.js';
import { id } from '../format.js';
import { empty } from '../notice.js';
import { choices, selects } from '../select.js';
import { reprocess } from '../reprocess.js';

const held = (d) => (d.outcomes ?? []).filter((o) => o.quarantined && !o.releasedAs).map((o) => o.quarantined);

/** quarantine lists the deliveries with items that are quarantined. */
export function quarantine({ root, query, signal, go, reload }) {
  const conditions = filter({ quarantine_reason: '*', ...query });
  const columns = [
    { title: 'Received', cell: (d) => time(d.receiveTime, 'clock') },
    { title: 'Reason', kind: 'side', cell: (d) => [...new Map(held(d).map((q) => [q.reason, reasonBadge(q)])).values(), mode(d)] },
    { title: 'Delivery', link: true, cell: (d) => mono(id(d.name)) },
    { title: 'Endpoint', kind: 'side', cell: (d) => `${d.provider} · ${d.merchant}` },
    { title: 'What is wrong', kind: 'wide', cell: (d) => held(d).slice(0, 5).map((q) => el('div', { class: 'detail' }, q.detail, q.payment && [' · ', el('a', { href: `#/${q.payment}` }, 'its payment')])) },
    { title: el('span', { class: 'unseen' }, 'Action'), kind: 'wide end', cell: (d) => el('button', { type: 'button', onclick: () => reprocess({ title: `Reprocess ${id(d.name)}`, path: `/v1/${d.name}:reprocess`, done: reload }) }, 'Reprocess…') },
  ];
  const all = el('button', {
    type: 'button', id: 'reprocess-all',
    onclick: () => reprocess({ title: 'Reprocess all that match', path: '/v1/deliveries:reprocess', body: { filter: conditions, maxDeliveries: 1000 }, done: reload }),
  }, 'Reprocess all that match…');
  fill(root,
    heading('Quarantine', all),
    el('p', { class: 'lead' }, 'Authentic webhooks that no mapping covers. They are acknowledged and kept, never guessed; after an update of the mapping, reprocessing releases them.'),
    selects('#/quarantine', query, go, [['quarantine_reason', 'Reason', choices.reason], ['provider', 'Provider', choices.provider], ['merchant', 'Merchant'], ['mode', 'Mode', choices.mode]]),
    pages({
      path: '/v1/deliveries', member: 'deliveries', what: 'the quarantine', caption: 'Quarantined deliveries, newest first', signal, columns,
      query: { filter: conditions },
      href: (d) => `#/${d.name}`,
      none: empty('Nothing is quarantined', Object.keys(query).length > 0 ? 'Nothing matches these conditions.' : 'Every webhook so far was understood.'),
    }));
}
