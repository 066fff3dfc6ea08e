/** One content block of a stream: what it started as, and the deltas since. */
import { isJsonObject, type JsonObject, type JsonValue, parseBoundedJson } from './json.ts';

const blocksWithInput = new Set<JsonValue>(['tool_use', 'server_tool_use', 'mcp_tool_use']);

/**
 * Deltas are collected as pieces and joined when the block is read. A delta for a block of another type, or of an
 * unknown type, is ignored, and a block of an unknown type is kept as it started.
 */
export class FoldedBlock {
  readonly #start: JsonObject;
  readonly #text = new Pieces();
  readonly #thinking = new Pieces();
  readonly #input = new Pieces();
  readonly #citations: JsonValue[] = [];
  /** Fields whose delta replaces the value: `signature`, and those of a compaction. */
  readonly #replaced: JsonObject = {};
  #parsedInput: JsonValue | undefined;
  #inputFault = false;
  #stopped = false;

  constructor(block: JsonValue) {
    this.#start = isJsonObject(block) ? block : {};
  }

  /** A fault, or null. */
  apply(delta: JsonValue): string | null {
    if (!isJsonObject(delta)) return 'content_block_delta without a delta';
    const type = this.#start.type ?? null;
    switch (delta.type) {
      case 'text_delta':
        return type === 'text' ? this.#text.add(delta.text) : null;
      case 'thinking_delta':
        return type === 'thinking' ? this.#thinking.add(delta.thinking) : null;
      case 'input_json_delta':
        this.#parsedInput = undefined;
        return blocksWithInput.has(type) ? this.#input.add(delta.partial_json) : null;
      case 'citations_delta':
        if (type === 'text' && delta.citation !== undefined) this.#citations.push(delta.citation);
        return null;
      case 'signature_delta':
        if (type === 'thinking' && delta.signature !== undefined) this.#replaced.signature = delta.signature;
        return null;
      case 'compaction_delta':
        if (type !== 'compaction') return null;
        if (delta.content !== undefined) this.#replaced.content = delta.content;
        if (delta.encrypted_content !== undefined) this.#replaced.encrypted_content = delta.encrypted_content;
        return null;
      default:
        return null;
    }
  }

  /** The input of a tool is parsed once, here. */
  stop(): true {
    this.#stopped = true;
    if (this.#input.seen) this.#readInput();
    return true;
  }

  assembled(messageEnded: boolean): JsonObject {
    const block: JsonObject = { ...this.#start, ...this.#replaced };
    if (this.#text.seen) block.text = textOf(block.text) + this.#text.joined();
    if (this.#thinking.seen) block.thinking = textOf(block.thinking) + this.#thinking.joined();
    if (this.#citations.length > 0) {
      block.citations = [...(Array.isArray(block.citations) ? block.citations : []), ...this.#citations];
    }
    if (this.#input.seen) {
      block.input = this.#stopped || messageEnded ? this.#readInput() : this.#openInput();
    }
    return block;
  }

  faults(): string[] {
    return this.#inputFault ? ['the input of a tool is not JSON'] : [];
  }

  /** Input that is not JSON (cut by `max_tokens`, say) stays the text that was sent: nothing is repaired or invented. */
  #readInput(): JsonValue {
    if (this.#parsedInput !== undefined) return this.#parsedInput;
    const text = this.#input.joined();
    const parsed = text === '' ? {} : parseBoundedJson(text);
    this.#inputFault = parsed === undefined;
    this.#parsedInput = parsed ?? text;
    return this.#parsedInput;
  }

  /** The stream broke off inside the block. Parsed only if it is a whole value, and that is no fault if it is not. */
  #openInput(): JsonValue {
    const value = this.#readInput();
    this.#inputFault = false;
    return value;
  }
}

class Pieces {
  #pieces: string[] = [];
  seen = false;

  add(piece: JsonValue | undefined): string | null {
    if (typeof piece !== 'string') return 'a delta without its text';
    this.seen = true;
    this.#pieces.push(piece);
    return null;
  }

  joined(): string {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join('')];
    return this.#pieces[0] ?? '';
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
