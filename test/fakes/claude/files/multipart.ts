/** Reads a multipart body into its fields and files; names of files keep their directories. */
import { InvalidRequest } from '../messages-request.ts';

export type UploadedFile = {
  /** Name of the form field. */
  readonly field: string;
  readonly filename: string;
  /** As the part says; `application/octet-stream` without, or for one that no header could hold. */
  readonly mimeType: string;
  readonly bytes: Buffer;
};

export type Form = { readonly fields: ReadonlyMap<string, string>; readonly files: readonly UploadedFile[] };

const PARTS_MAX = 2_000;
/** A type goes back out as a header, which holds nothing else. */
const PRINTABLE = /^[\x20-\x7e]{1,200}$/;

/** Throws {@link InvalidRequest} for anything else than multipart with at most 2,000 parts. */
export async function readForm(body: Buffer, contentType: string | undefined): Promise<Form> {
  const isMultipart = contentType?.toLowerCase().startsWith('multipart/form-data') ?? false;
  if (!isMultipart) throw new InvalidRequest('content-type: multipart/form-data is expected');
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType ?? '' } })
    .formData()
    .catch(() => {
      throw new InvalidRequest('The multipart body could not be read.');
    });
  const parts = [...form.entries()];
  if (parts.length > PARTS_MAX) throw new InvalidRequest(`More than ${PARTS_MAX} parts.`);
  const fields = new Map<string, string>();
  const files: UploadedFile[] = [];
  for (const [field, value] of parts) {
    if (typeof value === 'string') fields.set(field, value);
    else {
      const mimeType = PRINTABLE.test(value.type) ? value.type : 'application/octet-stream';
      files.push({ field, filename: value.name, mimeType, bytes: Buffer.from(await value.arrayBuffer()) });
    }
  }
  return { fields, files };
}
