/** Tells which time zones a policy asks for: the input document has a clock for each of them. */

/** More would make every document larger for nothing (inv. 10). */
export const timeZonesMax = 64;

/** Every `time_zone` in the lists, each once, but UTC, which is always there. `data` is what the module is given. */
export function timeZonesIn(data: object): string[] {
  const found = new Set<string>();
  collect(data, found);
  found.delete('UTC');
  return [...found].slice(0, timeZonesMax);
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, field] of Object.entries(value)) {
    if (name === 'time_zone' && typeof field === 'string' && isTimeZone(field)) found.add(field);
    else collect(field, found);
  }
}

/** An IANA name that the runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
