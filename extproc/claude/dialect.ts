/** Reads which of the two wire dialects of the Claude API a caller speaks. */

/**
 * `version` is the `anthropic-version` header (empty if absent or not printable), `betas` the values of
 * `anthropic-beta` in order without repeats, `betaQuery` whether the query says `beta=true` (old dialect). All of them, as
 * many as a header can hold: the upstream heeds the last as much as the first.
 */
export type Dialect = {
  version: string;
  dialect: '2023-06-01' | '2026-10-21' | 'other';
  betas: string[];
  betaQuery: boolean;
};

const versionMaxChars = 64;
const betaMaxChars = 128;
const token = /^[\x21-\x7e]+$/;

/** `header` gives a header by its lower-case name, repeats joined by a comma; `query` is the text after `?`, or empty. */
export function dialectOf(header: (name: string) => string | undefined, query: string): Dialect {
  const version = header('anthropic-version')?.trim() ?? '';
  return {
    version: version.length <= versionMaxChars && token.test(version) ? version : '',
    dialect: version === '2023-06-01' || version === '2026-10-21' ? version : 'other',
    betas: betasOf(header('anthropic-beta') ?? ''),
    betaQuery: query.split('&').includes('beta=true'),
  };
}

function betasOf(header: string): string[] {
  const betas = new Set<string>();
  for (const part of header.split(',')) {
    const beta = part.trim();
    if (beta.length <= betaMaxChars && token.test(beta)) betas.add(beta);
  }
  return [...betas];
}
