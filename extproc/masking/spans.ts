import { newScanBudget, type ScanBudget } from './detector.ts';
import type { Finding } from './finding.ts';
import { type JsonToken, lexJson } from './json-lexer.ts';
import { JsonPairs } from './json-pair.ts';
import { mayBeJson, nestingMax } from './string-masking.ts';
import { isSecretUnderKey, numberFinding, type Scan, secretUnderKey } from './text-masking.ts';

/**
 * Where the first look at a text finds something, as UTF-16 offsets of the text as given: in JSON, and in JSON within its
 * strings, each finding is led back to the characters as they were written, escapes included.
 */
export function spansOf(text: string, scan: Scan): Finding[] {
  return inString(text, '', { scan, budget: newScanBudget(), nesting: 0 });
}

/** The same for a text that stands under a key, with a budget that it shares with others. */
export function findingsIn(text: string, keyName: string, look: Omit<Look, 'nesting'>): Finding[] {
  return inString(text, keyName, { ...look, nesting: 0 });
}

type Look = { scan: Scan; budget: ScanBudget; nesting: number };

function inString(text: string, keyName: string, look: Look): Finding[] {
  if (isSecretUnderKey(text, keyName)) return [{ ...secretUnderKey, start: 0, end: text.length }];
  if (look.nesting < nestingMax && mayBeJson(text)) {
    const tokens = lexJson(text);
    const pairs = new JsonPairs();
    if (tokens !== undefined) return tokens.flatMap((token) => inToken(text, token, pairs.keyNameOf(token), look));
  }
  return look.scan(text, keyName, look.budget);
}

function inToken(text: string, token: JsonToken, keyName: string, look: Look): Finding[] {
  const { kind, value, start } = token;
  switch (kind) {
    case 'number': {
      const finding = numberFinding(value, keyName, look.scan, look.budget);
      return finding === undefined ? [] : [{ ...finding, start, end: token.end }];
    }
    case 'key':
      return placed(look.scan(value, '', look.budget), text, token);
    case 'string':
      return placed(inString(value, keyName, { ...look, nesting: look.nesting + 1 }), text, token);
    default:
      return kind satisfies never;
  }
}

/** Findings in the value of a JSON string, as places of its literal. */
function placed(findings: readonly Finding[], text: string, token: JsonToken): Finding[] {
  if (findings.length === 0) return [];
  const at = placesOf(text, token);
  return findings.map((finding) => ({ ...finding, start: at(finding.start), end: at(finding.end) }));
}

/** Gives for an offset in a string's value the offset in the text around its literal. */
function placesOf(text: string, { start, value, end, open }: JsonToken): (offset: number) => number {
  const first = start + 1;
  if (end - first - (open ? 0 : 1) === value.length) return (offset) => first + offset;
  const places: number[] = [];
  let at = first;
  for (let i = 0; i < value.length; i++) {
    places.push(at);
    at += text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2;
  }
  places.push(at);
  return (offset) => places[offset] ?? at;
}
