/** Turns any JSON into readable lines. */
import { isJsonObject, type JsonValue } from './json.ts';

/**
 * Lines of `key: value`, strings unescaped, so that a search finds what a person reads. Nothing is left out: keys of
 * empty and nested values get a line `key:` of their own.
 */
export function flatJson(value: JsonValue): string[] {
  const lines: string[] = [];
  add(lines, '', value);
  return lines;
}

function add(lines: string[], key: string, value: JsonValue): void {
  if (Array.isArray(value)) {
    if (value.length === 0 && key !== '') lines.push(`${key}:`);
    for (const item of value) add(lines, key, item);
  } else if (isJsonObject(value)) {
    if (key !== '') lines.push(`${key}:`);
    for (const [name, field] of Object.entries(value)) add(lines, name, field);
  } else {
    lines.push(key === '' ? String(value) : `${key}: ${value}`);
  }
}
