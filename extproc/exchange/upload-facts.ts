import type { UploadFacts } from '../policy/input.ts';
import type { MultipartPart } from '../upload/multipart.ts';

/** How much of the list of parts goes into a policy document, in characters of its names (inv. 10). */
export const partsListMaxChars = 16 * 1024;
const partMaxChars = 200;

/** What is uploaded, without its content. `extensions` and `content_types` are those of all parts, listed or not. */
export function uploadFacts(parts: readonly MultipartPart[]): UploadFacts {
  const listed: UploadFacts['parts'] = [];
  let chars = 0;
  for (const { field, filename, contentType, bytes } of parts) {
    chars += partMaxChars + field.length + (filename?.length ?? 0) + contentType.length;
    if (chars > partsListMaxChars) break;
    listed.push({ field, filename: filename ?? '', content_type: contentType, bytes: bytes.length });
  }
  const files = parts.flatMap(({ filename }) => (filename === null ? [] : [filename]));
  return {
    bytes: parts.reduce((sum, { bytes }) => sum + bytes.length, 0),
    count: parts.length,
    extensions: [...new Set(files.map(extensionOf))],
    content_types: [...new Set(parts.map(({ contentType }) => typeOf(contentType)))],
    parts: listed,
    truncated: listed.length < parts.length,
  };
}

/**
 * Lower case, without the dot; empty for a file without one, or with one of another form than letters and digits. What
 * some file systems pass over at the end of a name (dots, spaces) does not hide an extension.
 */
function extensionOf(filename: string): string {
  const name = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  return /\.([a-z0-9]{1,16})[. ]*$/.exec(name.toLowerCase())?.[1] ?? '';
}

/** The media type alone; `other` for one of an unusual length. */
function typeOf(contentType: string): string {
  const [type = ''] = contentType.toLowerCase().split(';');
  return type.length > 128 ? 'other' : type.trim();
}
