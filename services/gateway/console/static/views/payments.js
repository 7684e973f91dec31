// Payments: the newest, or those that a search finds.
import { el, fill, heading } from '../dom.js';
import { filter, get } from '../api.js';
import { pages, table } from '../table.js';
import { mode, mono, statusBadge, time } from '../badge.js';
import { money, short } from '../format.js';
import { empty, loading, trouble } from '../notice.js';
import { choices, selects } from '../select.js';

const columns = [
  { title: 'Changed', cell: (p) => time(p.updateTime, 'clock') },
  { title: 'Status', kind: 'side', cell: (p) => [statusBadge(p), mode(p)] },
  { title: 'Payment', link: true, cell: (p) => mono(short(p.providerPaymentId)) },
  { title: 'Amount', kind: 'number side', cell: (p) => money(p.amount) },
  { title: 'Reference', cell: (p) => mono(short(p.merchantReference ?? '')) },
  { title: 'Provider', kind: 'side', cell: (p) => `${p.provider} · ${p.merchant}` },
];

/** payments lists payments, or searches when the address has a q. */
export function payments(view) {
  if (view.query.q) return searched(view);
  const { root, query, signal, go } = view;
  fill(root,
    heading('Payments'),
    selects('#/payments', query, go, [
      ['payment_status', 'Status', choices.status],
      ['provider', 'Provider', choices.provider],
      ['merchant', 'Merchant'],
      ['mode', 'Mode', choices.mode],
    ]),
    pages({
      path: '/v1/payments', member: 'payments', what: 'payments', caption: 'Payments, those that changed last first', signal, columns,
      query: { filter: filter(query) },
      href: (p) => `#/${p.name}`,
      none: empty('No payments', Object.keys(query).length > 0 ? 'None matches. Take a condition away.' : 'They appear with the first webhook that tells of one.'),
    }));
  return undefined;
}

async function searched({ root, query: { q }, signal, go, reload }) {
  const place = el('div', {}, loading('matches'));
  fill(root, heading('Search'), el('p', {}, 'Payments whose ID, operation or reference is ', el('code', {}, q)), place);
  try {
    const found = await lookUp(q, signal);
    if (found.length === 1) return go(`#/${found[0].name}`);
    if (found.length === 0) {
      return fill(place, empty('Nothing found', 'Searched are the provider’s payment IDs and operation IDs, the merchant’s references, and paynorm’s own names. All of it must match, upper and lower case included.'));
    }
    const list = table({ caption: 'Payments found', columns, href: (p) => `#/${p.name}` });
    list.append(found);
    return fill(place, list.element);
  } catch (err) {
    return signal.aborted || fill(place, trouble(err, reload));
  }
}

// lookUp asks by each field at once; the filter language has no OR.
async function lookUp(q, signal) {
  const ask = (path, field) => get(path, { page_size: 50, filter: filter({ [field]: q }) }, signal);
  const [byID, byReference, byOperation] = await Promise.all([
    ask('/v1/payments', 'provider_payment_id'), ask('/v1/payments', 'merchant_reference'), ask('/v1/events', 'provider_operation_id'),
  ]);
  const found = new Map([...(byID.payments ?? []), ...(byReference.payments ?? [])].map((p) => [p.name, p]));
  const others = new Set((byOperation.events ?? []).map((e) => e.payment).filter((name) => !found.has(name)));
  for (const p of await Promise.all([...others].slice(0, 20).map((name) => get(`/v1/${name}`, {}, signal)))) found.set(p.name, p);
  return [...found.values()];
}
