/** Reads the header content-encoding (RFC 9110 section 8.4): the codings of a body, in the order in which they were applied. */

export const codings = ['gzip', 'deflate', 'br', 'zstd'] as const;
export type Coding = (typeof codings)[number];

/** Clients apply one; each more is one more pass over the body (inv. 10). */
export const codingsMax = 3;

/** `fault` says what is wrong with the header in words that may be said back: printable and short. */
export type ReadCodings = { ok: true; codings: readonly Coding[] } | { ok: false; fault: string };

const codingByName: ReadonlyMap<string, Coding> = new Map([
  ...codings.map((coding) => [coding, coding] as const),
  // RFC 9110 section 8.4.1.3.
  ['x-gzip', 'gzip'],
]);

/**
 * `header` is the values of all its lines, joined by commas (section 5.3). Letter case and blanks around a name do not
 * matter, empty elements are passed over (section 5.6.1.2). `identity` alone means that there is no coding; beside
 * another one it is not to be sent, and readers differ in what they make of it: a request with it is refused, in an
 * answer it is passed over.
 */
export function readCodings(header: string, besideIdentity: 'refused' | 'passed_over'): ReadCodings {
  // Other blanks than those of HTTP would be trimmed too.
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  const elements = names.filter((name) => name !== '');
  const coded = elements.filter((name) => name !== 'identity');
  if (!/^[\t\x20-\x7e]*$/.test(header)) return unknown(header);
  if (coded.length > 0 && coded.length < elements.length && besideIdentity === 'refused') return unknown(header);
  if (coded.length > codingsMax) return unknown(header);
  const read: Coding[] = [];
  for (const name of coded) {
    const coding = codingByName.get(name);
    if (coding === undefined) return unknown(name);
    read.push(coding);
  }
  return { ok: true, codings: read };
}

const faultMaxChars = 40;

function unknown(text: string): ReadCodings {
  return {
    ok: false,
    fault: text
      .toLowerCase()
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, faultMaxChars),
  };
}
