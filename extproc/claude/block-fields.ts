/** The fields of a content block, each shown once: what its form does not know is left over, never lost. */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Ids, ciphertexts and the vendor's own marks: nothing that a person reads. */
export const hiddenFields: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'caller',
  'cache_control',
  'signature',
  'encrypted_content',
  'encrypted_stdout',
  'encrypted_index',
]);

/** Text of the model's own or of a tool's definition, where an object that looks like a block is none. */
export const verbatimFields: ReadonlySet<string> = new Set(['input', 'input_schema', 'definition']);

export class BlockFields {
  readonly type: string;
  readonly #block: JsonObject;
  readonly #taken = new Set<string>();

  constructor(block: JsonObject) {
    this.#block = block;
    this.type = typeof block.type === 'string' ? block.type : '';
  }

  /** Empty if the field is no string; it is then left over. */
  text(name: string): string {
    const value = this.#own(name);
    if (typeof value !== 'string') return '';
    this.#taken.add(name);
    return value;
  }

  /** False if the field is no boolean; it is then left over. */
  flag(name: string): boolean {
    const value = this.#own(name);
    if (typeof value === 'boolean') this.#taken.add(name);
    return value === true;
  }

  /** Null if the field is no number; it is then left over. */
  number(name: string): number | null {
    const value = this.#own(name);
    if (typeof value !== 'number') return null;
    this.#taken.add(name);
    return value;
  }

  value(name: string): JsonValue {
    this.#taken.add(name);
    return this.#own(name) ?? null;
  }

  /** Null if the field is no object; it is then left over. */
  object(name: string): JsonObject | null {
    const value = this.#own(name);
    if (!isJsonObject(value)) return null;
    this.#taken.add(name);
    return value;
  }

  /** Empty if the field is no list; it is then left over. */
  list(name: string): JsonValue[] {
    const value = this.#own(name);
    if (!Array.isArray(value)) return [];
    this.#taken.add(name);
    return value;
  }

  /** Counts and positions beside a text that is shown itself. */
  skipNumbers(): void {
    for (const [name, value] of Object.entries(this.#block)) if (typeof value === 'number') this.#taken.add(name);
  }

  rest(): [name: string, value: JsonValue][] {
    return Object.entries(this.#block).filter(([name]) => !this.#taken.has(name) && !hiddenFields.has(name));
  }

  #own(name: string): JsonValue | undefined {
    return Object.hasOwn(this.#block, name) ? this.#block[name] : undefined;
  }
}
