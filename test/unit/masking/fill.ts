const alphabets: { readonly [name: string]: string } = {
  a: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  l: 'abcdefghijklmnopqrstuvwxyz0123456789',
  u: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  h: '0123456789abcdef',
  d: '0123456789',
  w: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-',
};

/** Replaces `<a36>` by 36 characters of the alphabet `a`; the same example always gives the same text. */
export function fill(example: string): string {
  let state = 7;
  for (const char of example) state = (state * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  return example.replace(/<([aluhdw])(\d+)>/g, (_, name: string, count: string) => {
    const alphabet = alphabets[name] ?? '';
    return Array.from({ length: Number(count) }, () => alphabet.charAt(next() % alphabet.length)).join('');
  });
}
