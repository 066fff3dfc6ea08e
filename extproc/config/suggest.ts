/** Longer names are typed by nobody; the distance below is quadratic in them. */
const nameMaxChars = 64;

/**
 * The known key that an unknown one was probably meant to be: a slip of the pen in the same section, or the right name
 * in the wrong section.
 * @param known dotted keys; `<name>` in them matches any name
 */
export function nearestKey(unknown: string, known: readonly string[]): string | null {
  const parts = unknown.split('.');
  const leaf = parts.at(-1) ?? '';
  if (leaf.length > nameMaxChars) return null;
  // The key for all before the one of a connection.
  const [elsewhere] = known
    .filter((key) => key.split('.').at(-1) === leaf)
    .toSorted((one, other) => one.split('.').length - other.split('.').length);
  if (elsewhere !== undefined) return elsewhere;
  const section = parts.slice(0, -1);
  let best: { name: string; distance: number } | null = null;
  for (const name of namesIn(section, known)) {
    const distance = editDistance(leaf.toLowerCase(), name.toLowerCase());
    if (distance <= Math.max(2, name.length / 3) && (best === null || distance < best.distance))
      best = { name, distance };
  }
  return best === null ? null : [...section, best.name].join('.');
}

function namesIn(section: readonly string[], known: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const key of known) {
    const parts = key.split('.');
    const next = parts[section.length];
    const inside = section.every((part, position) => parts[position] === part || parts[position] === '<name>');
    if (inside && next !== undefined && next !== '<name>') names.add(next);
  }
  return names;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === letter ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
