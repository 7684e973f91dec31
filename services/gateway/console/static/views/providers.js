// Providers: who is understood, and whether what they send has drifted.
import { el, fill, heading } from '../dom.js';
import { get } from '../api.js';
import { badge } from '../badge.js';
import { id } from '../format.js';
import { loading, trouble } from '../notice.js';

/** providers lists GET /v1/providers. */
export async function providers({ root, signal, reload }) {
  fill(root, heading('Providers'), loading('the providers'));
  try {
    const { providers: list = [] } = await get('/v1/providers', { page_size: 1000 }, signal);
    fill(root, heading('Providers'), el('ul', { class: 'cards' }, list.map((p) => {
      const drifts = (p.schemaDrifts ?? []).length;
      return el('li', { class: 'panel card' },
        el('header', {}, el('h2', {}, el('a', { href: `#/${p.name}` }, p.title || id(p.name))), drifts > 0 && badge(`${drifts} ${drifts === 1 ? 'member differs' : 'members differ'}`, 'wait')),
        el('p', {}, `${(p.mappings ?? []).length} mapping rows, version ${p.mappingVersion ?? 0}. `, `Authenticates by ${(p.authSchemes ?? []).join(', ') || 'nothing'}.`));
    })));
  } catch (err) {
    if (!signal.aborted) fill(root, heading('Providers'), trouble(err, reload));
  }
}
