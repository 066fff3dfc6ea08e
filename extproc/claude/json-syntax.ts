/** Finds where a text stops being JSON (RFC 8259), for the message of a refusal. */

/** The index at which no JSON text could go on, the length of the text if it ends too early, null for valid JSON. */
export function syntaxFaultOffset(text: string): number | null {
  const closers: string[] = [];
  let expected: 'value' | 'value_or_close' | 'key' | 'key_or_close' | 'colon' | 'comma_or_close' = 'value';
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const char = text.charAt(at);
    const closes: boolean = char === closers[closers.length - 1];
    let next = at + 1;
    if (closes && (expected === 'comma_or_close' || expected === 'value_or_close' || expected === 'key_or_close')) {
      closers.pop();
      expected = 'comma_or_close';
    } else if (expected === 'colon' && char === ':') {
      expected = 'value';
    } else if (expected === 'comma_or_close' && char === ',' && closers.length > 0) {
      expected = closers[closers.length - 1] === '}' ? 'key' : 'value';
    } else if (expected === 'key' || expected === 'key_or_close') {
      const end = char === '"' ? stringEnd(text, at) : { fault: at };
      if (typeof end !== 'number') return end.fault;
      next = end;
      expected = 'colon';
    } else if (expected === 'value' || expected === 'value_or_close') {
      if (char === '{' || char === '[') {
        closers.push(char === '{' ? '}' : ']');
        expected = char === '{' ? 'key_or_close' : 'value_or_close';
      } else {
        const end = scalarEnd(text, at);
        if (typeof end !== 'number') return end.fault;
        next = end;
        expected = 'comma_or_close';
      }
    } else {
      return at;
    }
    at = skipSpace(text, next);
  }
  return expected === 'comma_or_close' && closers.length === 0 ? null : text.length;
}

type End = number | { fault: number };

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}

const scalarPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

function scalarEnd(text: string, start: number): End {
  if (text.charAt(start) === '"') return stringEnd(text, start);
  scalarPattern.lastIndex = start;
  return scalarPattern.test(text) ? scalarPattern.lastIndex : { fault: start };
}

function stringEnd(text: string, start: number): End {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return at + 1;
    if (char < ' ') return { fault: at };
    if (char !== '\\') continue;
    at += 1;
    const escaped = text.charAt(at);
    if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) at += 4;
    else if (escaped === '' || !'"\\/bfnrt'.includes(escaped)) return { fault: Math.min(at, text.length) };
  }
  return { fault: text.length };
}
