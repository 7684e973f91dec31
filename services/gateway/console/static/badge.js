// Statuses as colored words. The word says it all; the color is for the eye.
import { el } from './dom.js';
import { words, local, localClock, utc, ago } from './format.js';

const tones = {
  PAYMENT_STATUS_PENDING: 'wait', PAYMENT_STATUS_REQUIRES_ACTION: 'wait', PAYMENT_STATUS_PROCESSING: 'wait',
  PAYMENT_STATUS_AUTHORIZED: 'info', PAYMENT_STATUS_PAID: 'good', PAYMENT_STATUS_SETTLED: 'good',
  PAYMENT_STATUS_FAILED: 'bad', PAYMENT_STATUS_REVERSED: 'bad',
  REFUND_STATUS_PENDING: 'wait', REFUND_STATUS_SUCCEEDED: 'info', REFUND_STATUS_FAILED: 'bad',
  DISPUTE_STATUS_INQUIRY: 'wait', DISPUTE_STATUS_OPENED: 'bad', DISPUTE_STATUS_UNDER_REVIEW: 'wait',
  DISPUTE_STATUS_WON: 'good', DISPUTE_STATUS_LOST: 'bad',
  PROOF_STATUS_VERIFIED: 'good',
  DISPOSITION_APPLIED: 'plain', DISPOSITION_CORRECTION: 'info', DISPOSITION_ANOMALY: 'bad',
};

/** badge is a word with a tone: "good", "wait", "bad", "info" or "quiet". */
export function badge(text, tone = 'quiet') {
  return text && el('span', { class: `badge ${tone}` }, text);
}

/** statusOf returns the status that is set on an event or payment, and the one before: [now, before]. */
export function statusOf(m) {
  return [
    m.paymentStatus ?? m.refundStatus ?? m.disputeStatus ?? m.proofStatus ?? '',
    m.previousPaymentStatus ?? m.previousRefundStatus ?? m.previousDisputeStatus ?? m.previousProofStatus ?? '',
  ];
}

/** statusText is a status in words, with what it is a status of unless that is the payment: "refund succeeded". */
export function statusText(status) {
  const of = /^([A-Z]+)_STATUS_/.exec(status)?.[1] ?? '';
  const word = words(status, `${of}_STATUS_`);
  return of === '' || of === 'PAYMENT' ? word : `${of.toLowerCase()} ${word}`;
}

/** statusBadge shows the status of an event or payment. */
export function statusBadge(m) {
  const [status] = statusOf(m);
  return badge(statusText(status) || 'no status yet', tones[status]);
}

/** disposition shows what an event did to its payment. */
export function disposition(event) {
  return badge(words(event.disposition, 'DISPOSITION_'), tones[event.disposition]);
}

/** mode marks test data; real money needs no mark. */
export function mode(m) {
  return m.mode === 'MODE_TEST' && badge('test', 'info');
}

/** reasonBadge shows why an item is quarantined. */
export function reasonBadge(notice) {
  return badge(words(notice.reason, 'QUARANTINE_REASON_'), 'wait');
}

/** time shows a time in the reader's zone; its title has UTC. style is "full", "clock" or "ago". */
export function time(timestamp, style = 'full') {
  if (!timestamp) return null;
  const text = { full: local, clock: localClock, ago }[style](timestamp);
  return el('time', { datetime: timestamp, title: style === 'ago' ? `${local(timestamp)} · ${utc(timestamp)}` : utc(timestamp) }, text);
}

/** mono shows an identifier; the provider's own words are shown as they are. */
export function mono(text) {
  return text && el('code', { translate: 'no' }, text);
}
