/** JSON documents with an id, bounded in count and bytes. */
import { notFound } from '../api-error.ts';
import type { Json } from '../message.ts';
import { BoundedMap } from '../storage/bounded-map.ts';

export type Document = Json & { readonly id: string };

const COUNT_MAX = 200;
const BYTES_MAX = 64 * 1024 * 1024;

export class JsonStore {
  readonly #documents = new BoundedMap<Document>({
    countMax: COUNT_MAX,
    bytesMax: BYTES_MAX,
    bytesOf: (document) => JSON.stringify(document).length,
  });
  readonly #noun: string;
  readonly #errorCode: string | undefined;

  /** The noun, and the code if there is one, are for the 404. */
  constructor(noun: string, errorCode?: string) {
    this.#noun = noun;
    this.#errorCode = errorCode;
  }

  put(document: Document): Document {
    this.#documents.set(document.id, document);
    return document;
  }

  /** Throws 404. */
  find(id: string): Document {
    const document = this.#documents.get(id);
    if (document === undefined) throw notFound(`${this.#noun} ${id}`, this.#errorCode);
    return document;
  }

  delete(id: string): void {
    this.#documents.delete(this.find(id).id);
  }

  newestFirst(): Document[] {
    return this.#documents.newestFirst();
  }
}
