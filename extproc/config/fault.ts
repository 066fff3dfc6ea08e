/**
 * One thing wrong with the configuration.
 * @property key dotted key, or the name of an environment variable; empty for the file as a whole
 * @property line line of the file, counted from 1, where it is known
 */
export type Fault = {
  key: string;
  message: string;
  remedy?: string;
  line?: number;
};

/** A key with a dot, a quote, a control character or nothing in it is quoted, so that the dotted key stays readable. */
export function dottedKey(path: readonly PropertyKey[]): string {
  return path.map((part) => segment(String(part))).join('.');
}

function segment(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return /^[\w-]+$/.test(short) ? short : JSON.stringify(short);
}

/** What an operator reads: one line per fault, in the order of the file. */
export function formatFaults(faults: readonly Fault[]): string {
  const heading =
    faults.length === 1 ? '1 fault in the configuration:' : `${faults.length} faults in the configuration:`;
  return [heading, ...faults.map(formatFault)].join('\n');
}

function formatFault(fault: Fault): string {
  const line = fault.line === undefined ? '' : ` (line ${fault.line})`;
  const remedy = fault.remedy === undefined ? '' : `; ${fault.remedy}`;
  return `  ${fault.key === '' ? 'file' : fault.key}${line}: ${fault.message}${remedy}`;
}
