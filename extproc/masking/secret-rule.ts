/**
 * One kind of vendor token, as data. `prefixes` are the fixed strings that trigger the rule; `pattern` (see `sticky`)
 * must match from the prefix on and need only ask for the shortest token: what follows of the same run is taken as well.
 * `hit` and `miss` are examples that a test runs; `<a36>` stands for 36 made-up characters of the alphabet `a`
 * (a: letters and digits, l: lower case and digits, u: upper case and digits, h: hex, d: digits, w: letters, digits, `_`, `-`),
 * so that no example looks like a live credential to a scanner.
 */
export type SecretRule = {
  id: string;
  prefixes: readonly string[];
  pattern: string;
  /** For a fixed string inside the token: of which class are the characters before it, and how many they may be. */
  lead?: { of: string; least: number; most: number };
  /** The prefix must not continue a word: for prefixes short enough to stand inside one. */
  fresh?: boolean;
  /** The same for letters alone: `_` and digits may stand before it. */
  noLetterBefore?: boolean;
  /** The token has a length of its own: where letters or digits go on behind it, it is none. */
  exact?: boolean;
  /** Characters the token may go on with beyond letters, digits, `_` and `-`. */
  tail?: string;
  /** The least entropy in bits a character, for prefixes that ordinary text also uses. */
  entropyMin?: number;
  /** What the value, decoded from base64, holds: the colon of a user and password (RFC 7617). */
  decodedMark?: string;
  /** Only what the pattern's first group matches is the secret, and it ends the match. */
  valueOnly?: boolean;
  hit: readonly string[];
  miss: readonly string[];
};
