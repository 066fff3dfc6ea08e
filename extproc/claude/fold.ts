/** Folds the events of one Messages stream into the message that its reader assembles. */
import { FoldedBlock } from './fold-block.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseBoundedJson } from './json.ts';
import type { SseEvent } from './sse.ts';

/**
 * `message` is what was seen so far, null before `message_start`. `ended`: `message_stop` was seen. `error` is the data
 * of an `error` event as sent. `unknownEvents` counts events of no known type. `faults` says where the stream broke
 * its grammar (at most 16 entries); a strict reader such as the SDK may have stopped there.
 */
export type FoldedAnswer = {
  message: JsonObject | null;
  ended: boolean;
  error: JsonObject | null;
  unknownEvents: number;
  faults: string[];
};

const faultsMax = 16;

/** Totals of the whole message that come again in `message_delta`, if they apply: overwritten, never added. */
const optionalTotals = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'server_tool_use',
  'output_tokens_details',
  'iterations',
  'fallback_credit',
];

/**
 * Follows the message streams of the official SDKs: the event name only gates (`ping` is skipped, `error` ends the
 * stream), the `type` inside the data decides. Where an SDK would throw, the fold notes a fault, skips the event and
 * goes on, so that the record holds what was delivered. Linear in the bytes of the events.
 */
export class MessageFold {
  #message: JsonObject | null = null;
  #blocks: FoldedBlock[] = [];
  #ended = false;
  #error: JsonObject | null = null;
  #unknownEvents = 0;
  readonly #faults: string[] = [];

  accept(event: SseEvent): void {
    if (event.event === 'ping' || this.#error !== null) return;
    if (event.event === 'error') {
      const body = parseBoundedJson(event.data);
      this.#error = isJsonObject(body) ? body : { type: 'error', unreadable: event.data };
      return;
    }
    if (event.data === '') return;
    const data = parseBoundedJson(event.data);
    if (!isJsonObject(data)) {
      this.#fault('the data of an event is not a JSON object');
      return;
    }
    if (data.type === 'message_start') this.#start(data);
    else if (this.#message !== null) this.#continue(this.#message, data);
  }

  result(): FoldedAnswer {
    const content = this.#blocks.map((block) => block.assembled(this.#ended));
    return {
      message: this.#message === null ? null : { ...this.#message, content },
      ended: this.#ended,
      error: this.#error,
      unknownEvents: this.#unknownEvents,
      faults: [...this.#faults, ...this.#blocks.flatMap((block) => block.faults())].slice(0, faultsMax),
    };
  }

  #start(data: JsonObject): void {
    if (this.#message !== null) {
      this.#fault('a second message_start');
    } else if (!isJsonObject(data.message)) {
      this.#fault('message_start without a message');
    } else {
      this.#message = data.message;
      const content = data.message.content;
      this.#blocks = Array.isArray(content) ? content.map((block) => new FoldedBlock(block)) : [];
    }
  }

  #continue(message: JsonObject, data: JsonObject): void {
    if (this.#ended) {
      this.#fault('an event after message_stop');
      return;
    }
    switch (data.type) {
      case 'content_block_start':
        this.#startBlock(message, data.content_block ?? null);
        break;
      case 'content_block_delta': {
        const block = this.#blockAt(data.index);
        const fault = block === undefined ? 'a delta for no block' : block.apply(data.delta ?? null);
        if (fault !== null) this.#fault(fault);
        break;
      }
      case 'content_block_stop':
        if (this.#blockAt(data.index)?.stop() === undefined) this.#fault('content_block_stop for no block');
        break;
      case 'message_delta':
        this.#applyMessageDelta(message, data);
        break;
      case 'message_stop':
        this.#ended = true;
        break;
      default:
        this.#unknownEvents += 1;
    }
  }

  #startBlock(message: JsonObject, block: JsonValue): void {
    if (!isJsonObject(block)) this.#fault('content_block_start without a block');
    // Pushed in any case and whatever its index says: later deltas count the blocks.
    this.#blocks.push(new FoldedBlock(block));
    if (isJsonObject(block) && block.type === 'fallback' && isJsonObject(block.to) && block.to.model !== undefined) {
      // The beta block names the model that really answered.
      message.model = block.to.model;
    }
  }

  #blockAt(index: JsonValue | undefined): FoldedBlock | undefined {
    return typeof index === 'number' ? this.#blocks[index] : undefined;
  }

  #applyMessageDelta(message: JsonObject, data: JsonObject): void {
    if (isJsonObject(data.delta)) {
      const { delta } = data;
      for (const field of ['stop_reason', 'stop_sequence', 'stop_details']) overwrite(message, field, delta[field]);
      if (delta.container != null) message.container = delta.container;
    } else {
      this.#fault('message_delta without a delta');
    }
    for (const field of ['context_management', 'input_transformations']) {
      const value = data[field];
      if (value != null) message[field] = value;
    }
    if (!isJsonObject(data.usage)) {
      this.#fault('message_delta without usage');
      return;
    }
    // A copy, so that a result taken earlier keeps its numbers.
    const usage: JsonObject = isJsonObject(message.usage) ? { ...message.usage } : {};
    message.usage = usage;
    overwrite(usage, 'output_tokens', data.usage.output_tokens);
    for (const field of optionalTotals) {
      const value = data.usage[field];
      if (value != null) usage[field] = value;
    }
  }

  #fault(fault: string): void {
    if (this.#faults.length < faultsMax) this.#faults.push(fault);
  }
}

/** A field missing from the delta loses its value, as in the SDKs, where it becomes undefined. */
function overwrite(target: JsonObject, field: string, value: JsonValue | undefined): void {
  if (value === undefined) delete target[field];
  else target[field] = value;
}
