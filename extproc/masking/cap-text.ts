/** Shortens long texts that are masked already: a cut through a secret would leave a half that nothing recognises. */

/** `cut` tells afterwards whether anything was shortened; `maxChars` in UTF-16 units. */
export type Cap = { cut: boolean; readonly maxChars: number };

/** Head and tail, with what is missing said between them: the end of a prompt is as telling as its beginning. */
export function capText(text: string, cap: Cap): string {
  if (text.length <= cap.maxChars) return text;
  cap.cut = true;
  const half = Math.floor(cap.maxChars / 2);
  const head = half - (isHighSurrogate(text, half - 1) ? 1 : 0);
  const tail = text.length - half + (isHighSurrogate(text, text.length - half - 1) ? 1 : 0);
  return `${text.slice(0, head)}\n[... ${tail - head} characters ...]\n${text.slice(tail)}`;
}

/** A character of two units is not cut in half: what is left would be no character. */
function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}
