import type { Registry } from 'prom-client';

export type Series = { name: string; labels: Record<string, string>; value: number };

/** The series of an exposition in Prometheus' text format. */
export function seriesOf(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^([a-z_A-Z0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === '') throw new Error(`no series: ${line}`);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
        key,
        text,
      ]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The value of the one series with these labels, others aside. */
export function valueIn(series: readonly Series[], name: string, labels: Record<string, string> = {}): number {
  const found = series.filter((one) => {
    return one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value);
  });
  if (found.length !== 1) throw new Error(`${found.length} series ${name} ${JSON.stringify(labels)}`);
  return found[0]?.value ?? Number.NaN;
}

export async function seriesFrom(registry: Registry): Promise<Series[]> {
  return seriesOf(await registry.metrics());
}
