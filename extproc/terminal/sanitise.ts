/**
 * What may not reach a terminal as it is:
 * - `Cc` but newline and tab: escape sequences begin with ESC or a C1 control, CR overwrites the line;
 * - `Cf`: bidi controls reorder what is read (CVE-2021-42574);
 * - `Zl`, `Zp`: line ends that the gutter does not know;
 * - `Cs`: lone surrogates;
 * - what Unicode says is shown as nothing (zero-width, tags, fillers, variation selectors): it hides text. The two
 *   selectors of the common emoji stay.
 */
const unsafe = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\n\t\ufe0e\ufe0f]]/gv;

/**
 * Makes a text safe to print: every such character is shown as `<U+001B>`, so that a reader sees what was hidden.
 * Newlines and tabs stay; CR LF becomes a newline.
 */
export function sanitise(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unsafe, named);
}

/** The same on one line, for a value that must not look like the line after it. */
export function sanitiseLine(text: string): string {
  return sanitise(text.replace(/\r\n|[\n\t]/g, ' '));
}

/** `value` as JSON on one line in which the same characters are escaped; it parses to the same value. */
export function sanitisedJson(value: unknown): string {
  // Outside of its strings JSON has none of these characters, so every match stands inside a string.
  return JSON.stringify(value).replace(unsafe, escapedInJson);
}

function named(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  return `<U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}>`;
}

function escapedInJson(character: string): string {
  let escaped = '';
  for (let at = 0; at < character.length; at++)
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return escaped;
}
