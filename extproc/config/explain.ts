import type { z } from 'zod';
import { describeConfig } from './describe.ts';
import { dottedKey, type Fault } from './fault.ts';
import { quantityInUnit } from './quantity.ts';
import { nearestKey } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type LineOf = (path: readonly PropertyKey[]) => number | undefined;

/** Says each complaint of the schema in the words of the file: one fault per key. */
export function explainIssues(issues: readonly Issue[], data: unknown, lineOf: LineOf): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => withLine(unknownKey([...issue.path, name]), [...issue.path, name], lineOf));
    }
    return [withLine(explain(issue, valueAt(data, issue.path)), issue.path, lineOf)];
  });
}

function withLine(fault: Fault, path: readonly PropertyKey[], lineOf: LineOf): Fault {
  const line = lineOf(path);
  return line === undefined ? fault : { ...fault, line };
}

function unknownKey(path: readonly PropertyKey[]): Fault {
  const key = dottedKey(path);
  const near = nearestKey(
    key,
    describeConfig().map((described) => described.key),
  );
  return {
    key,
    message: 'is not a known key',
    remedy: near === null ? 'remove it' : `did you mean ${near}?`,
  };
}

function explain(issue: Issue, value: unknown): Fault {
  const key = dottedKey(issue.path);
  switch (issue.code) {
    case 'invalid_type':
      return explainType(key, issue.expected, value);
    case 'invalid_value':
      return {
        key,
        message: `must be ${issue.values.map(String).join(' or ')}, ${butIs(value)}`,
      };
    case 'invalid_key':
      return {
        key,
        message: 'is not a name: 1 to 63 of the characters a-z, 0-9 and -',
      };
    case 'too_small':
      return {
        key,
        message: explainBound(issue.origin, 'at least', issue.minimum, value),
      };
    case 'too_big':
      return {
        key,
        message: explainBound(issue.origin, 'at most', issue.maximum, value),
      };
    case 'custom':
      return { key, message: issue.message };
    default:
      return { key, message: `is not valid: ${issue.message}` };
  }
}

function explainBound(origin: string, bound: string, limit: number | bigint, value: unknown): string {
  if (origin === 'array') return `must have ${bound} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  if (origin !== 'string') return `must be ${bound} ${limit}, ${butIs(value)}`;
  return bound === 'at least' ? 'must not be empty' : `must be ${bound} ${limit} characters long`;
}

function explainType(key: string, expected: string, value: unknown): Fault {
  if (value === undefined) return { key, message: 'is missing' };
  const message = `must be ${kindOf(expected, key)}, ${butIs(value)}`;
  const wanted = typeof value === 'string' ? (meantTruth(expected, value) ?? quantityInUnit(value, key)) : null;
  return wanted === null ? { key, message } : { key, message, remedy: `write ${wanted}` };
}

/** Words that were truth values in YAML 1.1, and are texts in 1.2. */
function meantTruth(expected: string, value: string): string | null {
  if (expected !== 'boolean') return null;
  if (/^(?:yes|y|on|true)$/i.test(value)) return 'true';
  return /^(?:no|n|off|false)$/i.test(value) ? 'false' : null;
}

function kindOf(expected: string, key: string): string {
  switch (expected) {
    case 'number':
    case 'int':
      if (key.endsWith('Bytes')) return 'a whole number of bytes';
      return key.endsWith('Ms') ? 'a whole number of milliseconds' : 'a whole number';
    case 'string':
      return 'text';
    case 'object':
    case 'record':
      return 'a section with keys';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    default:
      return expected;
  }
}

function butIs(value: unknown): string {
  if (value === null) return 'but is empty';
  if (Array.isArray(value)) return 'but is a list';
  if (typeof value === 'object') return 'but is a section';
  const text = JSON.stringify(value) ?? String(value);
  return `but is ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
