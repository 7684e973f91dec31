// The story of one payment: what it is now, and each step that led there.
import { el, facts, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { badge, disposition, mode, mono, reasonBadge, statusBadge, statusText, time } from '../badge.js';
import { id, money, words } from '../format.js';
import { loading, trouble } from '../notice.js';
import { eventFacts, json, link, move, reason, verified } from '../about.js';

/** payment shows GET /v1/payments/{id}:explain. */
export async function payment({ root, name, signal, reload }) {
  fill(root, heading('Payment'), loading('the story of the payment'));
  try {
    const story = await get(`/v1/${name}:explain`, {}, signal);
    const p = story.payment ?? {};
    fill(root,
      heading(p.providerPaymentId || id(name), el('button', { type: 'button', id: 'reload', onclick: reload }, 'Refresh')),
      summary(p),
      el('h2', {}, 'What happened'),
      story.truncated && el('p', { class: 'fine' }, 'Older steps are left out.'),
      el('ol', { class: 'timeline' }, (story.steps ?? []).map(step)),
      story.text && el('details', { class: 'raw' }, el('summary', {}, 'The same as plain text'), el('pre', { tabindex: '0' }, story.text)));
  } catch (err) {
    if (!signal.aborted) fill(root, heading('Payment'), el('p', {}, mono(name)), trouble(err, reload));
  }
}

function summary(p) {
  return el('section', { class: 'panel summary', 'aria-label': 'Now' },
    el('div', { class: 'headline' }, statusBadge(p), el('b', { class: 'amount' }, money(p.amount)), mode(p), p.final && el('span', { class: 'fine' }, 'final')),
    facts([
      ['Endpoint', p.provider && `${p.provider} · ${p.merchant}`],
      ['Direction', { DIRECTION_INBOUND: 'collect', DIRECTION_OUTBOUND: 'pay out' }[p.direction]],
      ['Merchant’s reference', mono(p.merchantReference)],
      ['Provider’s payment ID', mono(p.providerPaymentId)],
      ['Name', mono(p.name)],
      ['Paid', money(p.amountPaid)],
      ['Refunded', money(p.amountRefunded)],
      ['Fee', money(p.fee)],
      ['Reason', reason(p.reason)],
      ['Action by', words(p.actionBy, 'ACTION_BY_')],
      ['Refunds', p.refunds?.length > 0 && p.refunds.map((r) => el('span', { class: 'line-up' }, statusBadge(r), money(r.amount), r.providerOperationId && link(r.name, r.providerOperationId)))],
      ['Dispute', p.dispute && [statusBadge(p.dispute), ' ', money(p.dispute.amount)]],
      ['Changed', p.updateTime && [time(p.updateTime), el('span', { class: 'fine' }, ` ${p.version ?? 0} ${p.version === '1' ? 'change' : 'changes'} so far`)]],
    ]));
}

// step is one item of one delivery, and what came of it.
function step(s) {
  const e = s.event;
  const changed = e && ['DISPOSITION_APPLIED', 'DISPOSITION_CORRECTION'].includes(e.disposition);
  return el('li', { class: s.quarantined ? 'held' : changed ? 'changed' : 'minor' },
    el('div', { class: 'line-up' },
      e && [move(e), e.amount && el('b', { class: 'amount' }, money(e.amount)), !changed && disposition(e), e.disposition === 'DISPOSITION_CORRECTION' && disposition(e), e.unexpectedTransition && badge('unexpected move', 'bad')],
      s.repeatOf && [badge('repeat', 'quiet'), ' of ', link(s.repeatOf)],
      s.quarantined && [badge('quarantined', 'wait'), reasonBadge(s.quarantined)],
      time(s.delivery?.receiveTime)),
    s.effect && el('p', { class: 'effect' }, s.effect),
    s.quarantined?.detail && el('p', {}, s.quarantined.detail),
    facts([
      ['Delivery', s.delivery && [link(s.delivery.name), s.item > 0 && ` item ${s.item + 1}`]],
      ['Authenticated', verified(s.delivery?.verification)],
      ['Mapping', s.mapping && [mono(s.mapping.providerStatus), ' → ', statusText(s.mapping.outcome), s.mapping.reason && ` (${words(s.mapping.reason)})`]],
      ['Published on', mono(s.subject), 'wide'],
    ]),
    e && el('details', { class: 'raw' }, el('summary', {}, 'All of the event'), eventFacts(e), json('JSON', e)));
}
