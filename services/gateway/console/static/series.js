// Figures of the last two minutes, one bucket for each second of the reader's clock.

const SECONDS = 120; // how far back the figures go
const SAMPLES = 2048; // kept of one second; beyond that, a random choice

/** Series counts events and collects latencies. */
export class Series {
  #buckets = new Map(); // second → {count, samples}

  /** add takes an event at a time in ms; latency is in microseconds and may be undefined. */
  add(now, latency) {
    const second = Math.floor(now / 1000);
    let b = this.#buckets.get(second);
    if (!b) {
      b = { count: 0, samples: [] };
      this.#buckets.set(second, b);
      for (const old of this.#buckets.keys()) {
        if (old < second - SECONDS) this.#buckets.delete(old);
      }
    }
    b.count += 1;
    if (latency === undefined || latency < 0) return;
    if (b.samples.length < SAMPLES) b.samples.push(latency);
    else if (Math.random() < SAMPLES / b.count) b.samples[Math.floor(Math.random() * SAMPLES)] = latency;
  }

  /** history returns {rate, p50, p99} for each whole second, the oldest first. A second without events has no latencies. */
  history(now) {
    const last = Math.floor(now / 1000) - 1;
    return Array.from({ length: SECONDS }, (_, i) => {
      const b = this.#buckets.get(last - SECONDS + 1 + i);
      return { rate: b?.count ?? 0, ...quantiles(b?.samples ?? []) };
    });
  }

  /** recent returns the same over the last whole seconds as one; rate is per second. */
  recent(now, seconds) {
    const last = Math.floor(now / 1000) - 1;
    let total = 0;
    const samples = [];
    for (let s = last - seconds + 1; s <= last; s += 1) {
      total += this.#buckets.get(s)?.count ?? 0;
      samples.push(...(this.#buckets.get(s)?.samples ?? []));
    }
    return { rate: total / seconds, ...quantiles(samples) };
  }
}

/** quantiles returns the nearest-rank p50 and p99 of samples; undefined when there are none. */
export function quantiles(samples) {
  if (samples.length === 0) return { p50: undefined, p99: undefined };
  const sorted = Float64Array.from(samples).sort();
  const at = (q) => sorted[Math.ceil(q * sorted.length) - 1];
  return { p50: at(0.5), p99: at(0.99) };
}
