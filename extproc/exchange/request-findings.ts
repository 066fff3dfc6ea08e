/**
 * Searches what a caller sends for secrets and personal data before it is judged: their types, places and number go to
 * policy, never a value.
 */
import { base64Data } from '../claude/base64-source.ts';
import { lastPromptAt } from '../claude/history.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject } from '../claude/json.ts';
import { newScanBudget } from '../masking/detector.ts';
import { type FindingPlace, type FindingType, findingPlaces } from '../masking/finding.ts';
import { builtInDetection, type OwnDetection } from '../masking/own-detection.ts';
import type { Scanner } from '../masking/scan.ts';
import { findingsIn } from '../masking/spans.ts';
import { numberFinding } from '../masking/text-masking.ts';
import { policyTypes } from '../policy/input-bounds.ts';
import type { MultipartPart } from '../upload/multipart.ts';
import type { FindingsSearch, RequestFindings } from './body.ts';
import { placeOfBlock } from './finding-place.ts';

/** Loaded where a body is to be searched, and nowhere else: what it takes along is large. */
export function findingsSearchWith(detection: OwnDetection): FindingsSearch {
  const inRoom = (maxChars: number): Search => new Search(maxChars, detection);
  return {
    request: (value, maxChars) => findingsInRequest(value, inRoom(maxChars)),
    batch: (value, maxChars) => findingsInBatch(value, inRoom(maxChars)),
    parts: (parts, maxChars) => findingsInParts(parts, inRoom(maxChars)),
  };
}

/** With the built-in detectors alone. */
export const findingsSearch: FindingsSearch = findingsSearchWith(builtInDetection);

/** Of a JSON body that is one request. */
function findingsInRequest(value: JsonValue, search: Search): RequestFindings {
  searchRequest(search, value);
  return search.result();
}

/** Of a batch: each of its requests as if it came by itself, within the same room. */
function findingsInBatch(value: JsonValue, search: Search): RequestFindings {
  const { requests = [], ...rest } = isJsonObject(value) ? value : {};
  for (const entry of Array.isArray(requests) ? requests : []) searchBatchEntry(search, entry);
  search.value(rest, '', 'other');
  return search.result();
}

/** Of the parts of an upload: names, and contents that are text. */
function findingsInParts(parts: readonly MultipartPart[], search: Search): RequestFindings {
  for (const { field, filename, bytes } of parts) {
    for (const name of [field, filename ?? '']) search.text(name, '', 'file');
    const text = textOf(bytes, search.leftChars);
    if (text !== null) search.text(text, '', 'file');
  }
  return search.result();
}

/** Null for what is no text. Of a long one a little more is made a string than can be searched, so that it shows. */
function textOf(bytes: Uint8Array, maxChars: number): string | null {
  // A UTF-16 unit takes three bytes of UTF-8 at the most.
  const head = bytes.subarray(0, maxChars * 3 + 3);
  const text = new TextDecoder(codingOf(head)).decode(head);
  return isMostlyText(text) ? text : null;
}

/** By its byte order mark. */
function codingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

const replacement = 0xfffd;

/** One odd byte must not hide a text, and text in Latin-1 has some: less than one in ten. */
function isMostlyText(text: string): boolean {
  let odd = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === replacement || code < 0x09 || (code > 0x0d && code < 0x20)) odd += 1;
  }
  return odd * 10 <= text.length;
}

function searchBatchEntry(search: Search, entry: JsonValue): void {
  const { params = null, ...rest } = isJsonObject(entry) ? entry : { params: entry };
  searchRequest(search, params);
  search.value(rest, '', 'other');
}

const places: ReadonlyMap<string, FindingPlace> = new Map([
  ['system', 'system'],
  ['tools', 'tools'],
  ['prompt', 'messages'],
]);
/** Lists of messages, or of events in their place. */
const messageFields = ['messages', 'events', 'initial_events'] as const;

/** The newest first, so that where it cannot be searched whole, it is the oldest that is not. */
function searchRequest(search: Search, value: JsonValue): void {
  if (!isJsonObject(value)) {
    search.value(value, '', 'other');
    return;
  }
  const lists = messageFields.map((name) => value[name]).filter((list) => Array.isArray(list));
  const history = lists.map((list) => {
    const first = lastPromptAt(list.map(turnOf));
    for (const message of list.slice(first)) searchMessage(search, message);
    return list.slice(0, first).reverse();
  });
  for (const [key, field] of Object.entries(value)) {
    search.text(key, '', 'other');
    const isSearched = Array.isArray(field) && messageFields.some((name) => name === key);
    if (!isSearched) search.value(field, key, places.get(key) ?? 'other');
  }
  for (const message of history.flat()) searchMessage(search, message);
}

function turnOf(message: JsonValue): { role: string; content: JsonValue } {
  return { role: isJsonObject(message) && message.role === 'assistant' ? 'assistant' : 'user', content: null };
}

function searchMessage(search: Search, message: JsonValue): void {
  const { content = null, ...rest } = isJsonObject(message) ? message : { content: message };
  // An event is a message and its only block at once.
  const around = placeOfBlock(message);
  for (const block of Array.isArray(content) ? content : [content])
    search.value(block, 'content', isJsonObject(block) && around === 'messages' ? placeOfBlock(block) : around);
  search.value(rest, '', around);
}

/** What was found so far, and how many characters may still be searched. */
class Search {
  readonly #budget = newScanBudget();
  readonly #counts = new Map<string, number>();
  readonly #scanner: Scanner;
  readonly #types: readonly FindingType[];
  leftChars: number;
  isComplete = true;

  constructor(maxChars: number, { scanner, types }: OwnDetection) {
    this.leftChars = maxChars;
    this.#scanner = scanner;
    this.#types = [...policyTypes, ...types];
  }

  /** Recursion is bounded by the depth that requests may have. */
  value(value: JsonValue, keyName: string, place: FindingPlace): void {
    if (this.leftChars === 0 && !this.isComplete) return;
    if (typeof value === 'string') this.text(value, keyName, place);
    else if (typeof value === 'number') this.#number(String(value), keyName, place);
    else if (Array.isArray(value)) for (const item of value) this.value(item, keyName, place);
    else if (isJsonObject(value)) this.#object(value, place);
  }

  text(text: string, keyName: string, place: FindingPlace): void {
    const searched = text.length <= this.leftChars ? text : text.slice(0, this.leftChars);
    if (searched.length < text.length) this.isComplete = false;
    this.leftChars -= searched.length;
    const look = { scan: this.#scanner.usual, budget: this.#budget };
    for (const { type } of findingsIn(searched, keyName, look)) this.#count(type, place);
  }

  #object(object: JsonObject, place: FindingPlace): void {
    const binary = isBinary(object) ? 'data' : null;
    for (const [key, item] of Object.entries(object)) {
      this.text(key, '', place);
      if (key !== binary) this.value(item, key, place);
    }
  }

  #number(literal: string, keyName: string, place: FindingPlace): void {
    if (this.leftChars < literal.length) this.isComplete = false;
    else {
      this.leftChars -= literal.length;
      const finding = numberFinding(literal, keyName, this.#scanner.usual, this.#budget);
      if (finding !== undefined) this.#count(finding.type, place);
    }
  }

  #count(type: FindingType, place: FindingPlace): void {
    const key = `${type} ${place}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  result(): RequestFindings {
    const all = this.#types.flatMap((type) =>
      findingPlaces.map((place) => ({ type, place, count: this.#counts.get(`${type} ${place}`) ?? 0 })),
    );
    return { findings: all.filter(({ count }) => count > 0), findings_complete: this.isComplete };
  }
}

/** Pictures and the like: no text is in their base64, and it would take the room of what is text. */
function isBinary(source: JsonObject): boolean {
  return base64Data(source) !== null && !String(source.media_type).toLowerCase().startsWith('text/');
}
