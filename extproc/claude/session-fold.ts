/** Folds the events of a managed-agents session, in the order of their arrival, previews assembled. */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { contentOf, roleOf, type SessionRole } from './session-event-content.ts';

/**
 * `id` is empty when the event has none (what a client sends). `ended` is false for the preview of an event that never
 * came whole: its request failed or was interrupted, or the stream broke off.
 */
export type SessionEvent = {
  role: SessionRole;
  type: string;
  content: JsonValue;
  id: string;
  ended: boolean;
};

const eventsMax = 10_000;

/**
 * Follows the SDK's accumulator of session events: `event_start` opens a preview, `event_delta` appends to a block of
 * it or opens the next one, and the event itself, with the same id, takes the preview's place. Where the SDK would
 * throw (a gap in the index) the delta is skipped; deltas without a start (a client that joined late) open a preview.
 */
export class SessionFold {
  readonly #slots: (SessionEvent | Preview | null)[] = [];
  /** Null once the event itself has come: what is late is repetition. */
  readonly #previews = new Map<string, Preview | null>();
  /** More than 10,000 events came: the first of them are kept. */
  truncated = false;

  accept(data: JsonValue, eventName = ''): void {
    if (!isJsonObject(data)) {
      this.#add({ role: 'system', type: eventName, content: data, id: '', ended: true });
    } else if (data.type === 'event_start') {
      if (isJsonObject(data.event)) this.#open(textOf(data.event.id), textOf(data.event.type));
    } else if (data.type === 'event_delta') {
      this.#delta(textOf(data.event_id), isJsonObject(data.delta) ? data.delta : {});
    } else {
      this.#event(textOf(data.type) || eventName, data);
    }
  }

  events(): SessionEvent[] {
    return this.#slots.flatMap((slot) => (slot === null ? [] : [slot instanceof Preview ? slot.event() : slot]));
  }

  #event(type: string, data: JsonObject): void {
    const id = textOf(data.id);
    const preview = id === '' ? undefined : this.#previews.get(id);
    if (preview !== undefined) {
      if (preview !== null) this.#slots[preview.slot] = null;
      this.#previews.set(id, null);
    }
    this.#add({ role: roleOf(type), type, content: contentOf(type, data), id, ended: true });
  }

  #open(id: string, type: string): Preview | null {
    const known = this.#previews.get(id);
    if (known !== undefined) {
      known?.clear();
      return known;
    }
    const preview = new Preview(id, type, this.#slots.length);
    if (!this.#add(preview)) return null;
    this.#previews.set(id, preview);
    return preview;
  }

  #delta(id: string, delta: JsonObject): void {
    // Only messages have deltas.
    const preview = this.#previews.has(id) ? this.#previews.get(id) : this.#open(id, 'agent.message');
    preview?.append(typeof delta.index === 'number' ? delta.index : 0, delta.content);
  }

  #add(slot: SessionEvent | Preview): boolean {
    if (this.#slots.length >= eventsMax) this.truncated = true;
    else this.#slots.push(slot);
    return !this.truncated;
  }
}

class Preview {
  readonly slot: number;
  readonly #id: string;
  readonly #type: string;
  #blocks: { start: JsonObject; texts: string[] }[] = [];

  constructor(id: string, type: string, slot: number) {
    this.#id = id;
    this.#type = type;
    this.slot = slot;
  }

  clear(): void {
    this.#blocks = [];
  }

  append(index: number, fragment: JsonValue | undefined): void {
    if (!isJsonObject(fragment)) return;
    const block = this.#blocks[index];
    if (index === this.#blocks.length) this.#blocks.push({ start: fragment, texts: [] });
    else if (block?.start.type === 'text' && fragment.type === 'text') block.texts.push(textOf(fragment.text));
  }

  event(): SessionEvent {
    const content = this.#blocks.map(({ start, texts }) =>
      texts.length === 0 ? start : { ...start, text: textOf(start.text) + texts.join('') },
    );
    const type = this.#type;
    return { role: roleOf(type), type, content: contentOf(type, { content }), id: this.#id, ended: false };
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
