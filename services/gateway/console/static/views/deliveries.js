// Deliveries: the webhooks that were accepted.
import { fill, heading } from '../dom.js';
import { filter } from '../api.js';
import { pages } from '../table.js';
import { badge, mode, mono, time } from '../badge.js';
import { id, size, words } from '../format.js';
import { empty } from '../notice.js';
import { choices, selects } from '../select.js';

const columns = [
  { title: 'Received', cell: (d) => time(d.receiveTime, 'clock') },
  { title: 'Outcome', kind: 'side', cell: (d) => [results(d), mode(d)] },
  { title: 'Delivery', link: true, cell: (d) => mono(id(d.name)) },
  { title: 'Size', kind: 'number side', cell: (d) => (d.erased ? 'erased' : d.kept ? size(d.bodySize) : 'no longer kept') },
  { title: 'Endpoint', cell: (d) => `${d.provider} · ${d.merchant}` },
  { title: 'Authenticated by', kind: 'side', cell: (d) => mono(d.verification?.keyId || d.verification?.scheme || '') },
];

/** results sums up what came of the items of a delivery. */
function results(d) {
  const counts = new Map();
  for (const o of d.outcomes ?? []) {
    const held = o.quarantined && !o.releasedAs;
    const key = held ? words(o.quarantined.reason, 'QUARANTINE_REASON_') : o.repeatOf ? 'repeat' : o.skipped ? 'skipped' : o.releasedAs ? 'released' : 'event';
    const tone = held ? 'wait' : o.event || o.releasedAs ? 'good' : 'quiet';
    counts.set(key, { tone, n: (counts.get(key)?.n ?? 0) + 1 });
  }
  if (counts.size === 0) return badge('nothing to publish', 'quiet');
  return [...counts].map(([word, { tone, n }]) => badge(n > 1 ? `${n} × ${word}` : word, tone));
}

/** deliveries lists GET /v1/deliveries. */
export function deliveries({ root, query, signal, go }) {
  fill(root,
    heading('Deliveries'),
    selects('#/deliveries', query, go, [['provider', 'Provider', choices.provider], ['merchant', 'Merchant'], ['mode', 'Mode', choices.mode], ['quarantine_reason', 'Quarantined for', choices.reason]]),
    pages({
      path: '/v1/deliveries', member: 'deliveries', what: 'deliveries', caption: 'Deliveries, newest first', signal, columns,
      query: { filter: filter(query) },
      href: (d) => `#/${d.name}`,
      none: empty('No deliveries', Object.keys(query).length > 0 ? 'None matches. Take a condition away.' : 'No webhook was accepted so far. Refused ones are not kept: the endpoints count them.'),
    }));
}
