/** HTML of which every value is escaped: what callers, models and identity providers wrote is hostile. */
import { sanitise } from '../../terminal/sanitise.ts';

declare const safe: unique symbol;

/** Markup of our own source with escaped values in it; made by `html` alone. */
export type Html = { readonly text: string; readonly [safe]: true };

type Value = string | number | Html | readonly Html[] | null | false;

/**
 * A template whose values are made harmless: markup is escaped for text and quoted attributes alike, and controls, bidi
 * marks and characters that show nothing are named, as on a terminal. `null` and `false` are nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = strings.map((string, at) => (at === 0 ? string : `${textOf(values[at - 1] ?? null)}${string}`));
  return { text: parts.join('') } as Html;
}

function textOf(value: Value): string {
  if (value === null || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  if (Array.isArray(value)) return value.map(({ text }: Html) => text).join('');
  return (value as Html).text;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escaped(text: string): string {
  return sanitise(text).replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}
