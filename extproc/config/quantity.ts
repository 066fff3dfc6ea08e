/** Reads what an operator meant by `64 MiB` or `2s`, to name the number that the file takes. */
const bytesPer: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
};

const millisecondsPer: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/** The number in the unit that the key's name ends with (`Bytes`, `Ms`); null when the text is no such quantity. */
export function quantityInUnit(text: string, key: string): number | null {
  const parts = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(text.trim());
  const amount = Number(parts?.[1]);
  if (parts === null || Number.isNaN(amount)) return null;
  const name = (parts[2] ?? '').toLowerCase();
  if (name === '') return amount;
  const table = key.endsWith('Bytes') ? bytesPer : key.endsWith('Ms') ? millisecondsPer : {};
  const factor = Object.hasOwn(table, name) ? table[name] : undefined;
  return factor === undefined ? null : Math.round(amount * factor);
}
