// What is known of an event and of a delivery, as description lists.
import { el, facts } from './dom.js';
import { disposition, mono, reasonBadge, statusBadge, statusOf, statusText, time, badge } from './badge.js';
import { id, money, words, size } from './format.js';

/** link leads to a resource of the API: payments/p1, events/e1, deliveries/d1-0. */
export function link(name, text = id(name)) {
  return name && el('a', { href: `#/${name}` }, mono(text));
}

/** verified says in words how a delivery was authenticated. */
export function verified(v) {
  if (!v) return '';
  const covers = { COVERAGE_NONE: 'nothing was checked', COVERAGE_SENDER: 'vouches for the sender', COVERAGE_BODY: 'covers the body', COVERAGE_REQUEST: 'covers body, path and time' }[v.coverage];
  return [mono(v.scheme), v.keyId && [' with key ', mono(v.keyId)], covers && `; ${covers}`];
}

/** move is the step from the status before to the one after. */
export function move(event) {
  const [now, before] = statusOf(event);
  return [before && before !== now && [el('span', { class: 'from' }, statusText(before)), el('span', { 'aria-label': 'to' }, ' → ')], statusBadge(event)];
}

/** reason is why, in paynorm's word and in the provider's. */
export function reason(r) {
  return r && [words(r.code), r.providerCode && [' ', mono(r.providerCode)], r.text && ` “${r.text}”`];
}

/** eventFacts describes an event. */
export function eventFacts(e) {
  return facts([
    ['Event', link(e.name)],
    ['Status', move(e)],
    ['Effect', [disposition(e), e.paymentVersion && ` version ${e.paymentVersion}`, e.unexpectedTransition && [' ', badge('unexpected move', 'bad')]]],
    ['Supersedes', link(e.supersedes)],
    ['Amount', e.amount && [money(e.amount), e.currencySource === 'CURRENCY_SOURCE_IMPLIED' && el('span', { class: 'fine' }, ' currency implied')]],
    ['Paid so far', money(e.amountPaid)],
    ['Refunded so far', money(e.amountRefunded)],
    ['Fee', money(e.fee)],
    ['Shown to the payer', money(e.presentationAmount)],
    ['Reason', reason(e.reason)],
    ['Action by', words(e.actionBy, 'ACTION_BY_')],
    ['Operation', [words(e.operation, 'OPERATION_'), e.operationOutcome && ` ${words(e.operationOutcome, 'OPERATION_OUTCOME_')}`].filter(Boolean).join('')],
    ['Method', e.method && [words(e.method.type, 'METHOD_TYPE_'), ' ', e.method.brand]],
    ['Provider says', [e.providerType && [mono(e.providerType), ' '], mono(e.providerStatus)]],
    ['Operation ID', mono(e.providerOperationId)],
    ['Attempt ID', mono(e.providerAttemptId)],
    ['Account ID', mono(e.providerAccountId)],
    ['Happened', e.occurTime && [time(e.occurTime), el('span', { class: 'fine' }, e.occurTimeMember ? ` by ${e.occurTimeMember}` : ' time of receipt: the provider names none')]],
    ['Received', time(e.receiveTime)],
    ['Delivery', link(e.delivery)],
    ['Authenticated', verified(e.verification)],
    ['Cursor', mono(e.cursor)],
    ['Mapping version', e.mappingVersion],
  ]);
}

/** deliveryFacts describes a delivery without its content. */
export function deliveryFacts(d) {
  return facts([
    ['Endpoint', `${d.provider} · ${d.merchant}`],
    ['Mode', words(d.mode, 'MODE_')],
    ['Received', time(d.receiveTime)],
    ['Committed', time(d.commitTime)],
    ['Authenticated', verified(d.verification)],
    ['Sender', mono(d.remoteAddress)],
    ['Size', d.kept && !d.erased && size(d.bodySize)],
    ['SHA-256', mono(d.rawSha256)],
    ['Place in the ledger', d.ledgerPosition && mono(`commit ${d.ledgerPosition.sequence ?? 0}, delivery ${d.ledgerPosition.delivery ?? 0}`)],
  ]);
}

/** outcome says in one line what came of an item. */
export function outcome(o) {
  if (o.event) return [badge('event', 'good'), ' ', link(o.event)];
  if (o.repeatOf) return [badge('repeat', 'quiet'), ' of ', link(o.repeatOf)];
  if (o.skipped) return [badge('skipped', 'quiet'), ' ', words(o.skipped)];
  if (!o.quarantined) return badge('nothing', 'quiet');
  return [
    o.releasedAs ? [badge('released', 'good'), ' ', link(o.releasedAs), ', was '] : '',
    reasonBadge(o.quarantined), ' ', o.quarantined.detail,
    o.quarantined.payment && [' · payment ', link(o.quarantined.payment)],
  ];
}

/** json shows a message as it came, folded away. */
export function json(title, message) {
  return el('details', { class: 'raw' }, el('summary', {}, title), el('pre', { tabindex: '0' }, JSON.stringify(message, null, 2)));
}
