/** Takes binary data out of strings: what is kept is its type, size and hash. */
import { base64Text, decodedBytes, type HashOf } from './base64-source.ts';
import type { JsonObject } from './json.ts';

/** Shorter ones are as readable as what would stand for them. */
const dataUrlMaxChars = 1024;

/** RFC 2397, with the words in the case that everybody writes them in. */
const dataScheme = 'data:';
const base64Mark = ';base64,';
const typeMaxChars = 256;
const notInType = /[,:\r\n]/;
const base64End = /[^A-Za-z0-9+/_=%-]/g;

/** The text with long base64 data URLs replaced. Linear: no look back goes behind the mark before. */
export function slimText(text: string, hashOf: HashOf): string {
  if (text.length <= dataUrlMaxChars) return text;
  const pieces: string[] = [];
  let kept = 0;
  let passed = 0;
  for (let mark = text.indexOf(base64Mark); mark !== -1; mark = text.indexOf(base64Mark, passed)) {
    const head = text.slice(Math.max(passed, mark - typeMaxChars), mark);
    const scheme = head.lastIndexOf(dataScheme);
    const type = scheme === -1 ? '' : head.slice(scheme + dataScheme.length);
    passed = mark + base64Mark.length;
    if (scheme === -1 || notInType.test(type)) continue;
    const start = passed;
    base64End.lastIndex = start;
    passed = base64End.exec(text)?.index ?? text.length;
    const urlStart = mark - head.length + scheme;
    if (passed - urlStart <= dataUrlMaxChars) continue;
    const base64 = percentDecoded(text.slice(start, passed));
    pieces.push(text.slice(kept, urlStart), dataLine(type, base64, hashOf));
    kept = passed;
  }
  return kept === 0 ? text : pieces.join('') + text.slice(kept);
}

/** The text editor shows a picture or a PDF as base64 in its `content`; other blocks, and short ones, come back as they are. */
export function slimView(block: JsonObject, hashOf: HashOf): JsonObject {
  const { type, file_type: fileType, content } = block;
  const isBinary = type === 'text_editor_code_execution_view_result' && (fileType === 'image' || fileType === 'pdf');
  if (!isBinary || typeof content !== 'string' || content.length <= dataUrlMaxChars) return block;
  const base64 = base64Text(content);
  return base64 === null ? block : { ...block, content: dataLine(fileType, base64, hashOf) };
}

function dataLine(type: string, base64: string, hashOf: HashOf): string {
  const words = ['data', type, `${decodedBytes(base64)} bytes`, `hash ${hashOf(base64)}`];
  return `[${words.filter((word) => word !== '').join(' ')}]`;
}

function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
