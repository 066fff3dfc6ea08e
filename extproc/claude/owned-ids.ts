/**
 * Finds the ids of what stands in a workspace of Claude, where everybody with the same key finds it: those that a request
 * names, and those of what its answer made.
 */
import { filesProduced } from './files.ts';
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from './json.ts';

/**
 * `agent`, `environment`, `deployment` and `session` are those of managed agents, a run of a deployment counts as one;
 * `message` is the last one of a thread, by which the next request goes on with it; `compared_message` one whose prompt the
 * API compares with that of the request (cache diagnostics), which tells guess by guess what somebody wrote. No answer is
 * known to give anybody a `vault`: what its endpoints answer is read by nobody here.
 */
export const ownedKinds = [
  ...(['file', 'batch', 'skill', 'container', 'session', 'message', 'compared_message'] as const),
  ...(['agent', 'environment', 'deployment', 'memory_store', 'dream', 'user_profile', 'vault'] as const),
] as const;
export type OwnedKind = (typeof ownedKinds)[number];
export type OwnedId = { kind: OwnedKind; id: string };

/** Ids that one request may name; each is looked up while it waits (inv. 10). */
export const namedIdsMax = 500;
/** No id of the API is as long; a longer one is cut, and then nobody's. */
const idMaxChars = 256;

/** In which segment of the path, counted from 1, a thing of this family stands, and what it is. */
const placeByEndpointKind: ReadonlyMap<string, { segment: number; kind: OwnedKind }> = new Map([
  ['files', { segment: 3, kind: 'file' }],
  ['batches', { segment: 4, kind: 'batch' }],
  ['skills', { segment: 3, kind: 'skill' }],
  ['sessions', { segment: 3, kind: 'session' }],
  ['agents', { segment: 3, kind: 'agent' }],
  ['environments', { segment: 3, kind: 'environment' }],
  ['deployments', { segment: 3, kind: 'deployment' }],
  ['memories', { segment: 3, kind: 'memory_store' }],
  ['dreams', { segment: 3, kind: 'dream' }],
  ['user_profiles', { segment: 3, kind: 'user_profile' }],
  ['vaults', { segment: 3, kind: 'vault' }],
]);

/** By what else lists of them are chosen. */
const kindByParameter: ReadonlyMap<string, OwnedKind> = new Map([
  ['scope_id', 'session'],
  ['agent_id', 'agent'],
  ['environment_id', 'environment'],
  ['deployment_id', 'deployment'],
  ['memory_store_id', 'memory_store'],
]);

/** `ids[]=`, as the SDK writes a list, and what other readers take for one. */
const listOfIds = /^ids(?:\[\d*\])?$/;

/** At which thing a page of a list begins or ends. */
const cursors = new Set(['after_id', 'before_id']);

/**
 * What path and query name, each once. Where a page of a list begins is asked for only if its answer is filtered
 * (`withCursors`): of others it would show anyway what stands there.
 */
export function idsNamedByTarget(endpointKind: string, path: string, query: string, withCursors = false): OwnedId[] {
  const place = placeByEndpointKind.get(endpointKind);
  if (place === undefined) return [];
  const named = new NamedIds();
  const id = path.split('/')[place.segment];
  if (id !== undefined && !(place.kind === 'skill' && isVendorSkill(id))) named.add(place.kind, id);
  for (const [name, value] of new URLSearchParams(query)) {
    if (listOfIds.test(name)) named.add(place.kind, value);
    const kind = kindByParameter.get(name) ?? (withCursors && cursors.has(name) ? place.kind : undefined);
    if (kind !== undefined) named.add(kind, value);
  }
  return named.all();
}

/** Null: more than `namedIdsMax` of them. */
export type IdsNamed = OwnedId[] | null;

/**
 * What a JSON body names, each once, wherever it stands: a place that is not known yet must not be a way round. Values
 * that are the caller's own vocabulary (inputs of tools, schemas, metadata) are passed over. The parser bounds the depth.
 */
export function idsNamedByBody(body: JsonValue): IdsNamed {
  const named = new NamedIds();
  addNamed(body, named);
  const all = named.all();
  return all.length > namedIdsMax ? null : all;
}

const callersOwn = new Set(['input', 'input_schema', 'input_examples', 'schema', 'metadata']);

function addNamed(value: JsonValue, named: NamedIds): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (named.isFull) return;
      addNamed(item, named);
    }
    return;
  }
  if (!isJsonObject(value)) return;
  // Every field of a body comes by here: a list of them would be most of what reading it leaves behind.
  for (const name in value) addField(value, name, value[name], named);
  for (const name in value) {
    const inner = value[name];
    if (typeof inner === 'object' && !callersOwn.has(name)) addNamed(inner, named);
  }
}

/** One in the place of many, and many in the place of one: a reader may take either. */
const kindByField: ReadonlyMap<string, OwnedKind> = new Map<string, OwnedKind>([
  ...(
    ['file', 'session', 'agent', 'environment', 'deployment', 'memory_store', 'user_profile', 'vault'] as const
  ).flatMap((kind) => [[`${kind}_id`, kind] as const, [`${kind}_ids`, kind] as const]),
  ['agents', 'agent'],
  ['predefined_agents', 'agent'],
]);

function addField(object: JsonObject, name: string, value: JsonValue | undefined, named: NamedIds): void {
  switch (name) {
    case 'agent':
      named.addEach('agent', idOf(value));
      return;
    case 'id':
      if (object.type === 'agent') named.addEach('agent', value);
      return;
    case 'container':
      named.add('container', idOf(value));
      return;
    case 'thread':
      if (isJsonObject(value)) named.add('message', value.previous_message_id);
      return;
    case 'diagnostics':
      if (isJsonObject(value)) named.add('compared_message', value.previous_message_id);
      return;
    case 'skill_id':
      if (typeof value === 'string' && !(object.type === 'anthropic' && isVendorSkill(value)))
        named.add('skill', value);
      return;
    default: {
      const kind = kindByField.get(name);
      if (kind !== undefined) named.addEach(kind, value);
    }
  }
}

/** Many things are named by their id alone, or by an object that has it. */
function idOf(value: JsonValue | undefined): JsonValue | undefined {
  return isJsonObject(value) ? value.id : value;
}

const uploadedSkill = /^\s*skill_/i;

/** Anthropic's own (`xlsx`) are nobody's. One that was uploaded is no vendor's, whatever type the caller says it has. */
export function isVendorSkill(id: string): boolean {
  return !uploadedSkill.test(id);
}

/** What a JSON answer of these endpoints makes is the object itself. */
const madeByEndpoint: ReadonlyMap<string, OwnedKind> = new Map([
  ['files.upload', 'file'],
  ['batches.create', 'batch'],
  ['skills.create', 'skill'],
  ['sessions.create', 'session'],
  ['agents.create', 'agent'],
  ['environments.create', 'environment'],
  ['deployments.create', 'deployment'],
  ['deployments.run', 'deployment'],
  ['memory_stores.create', 'memory_store'],
  ['dreams.create', 'dream'],
  ['user_profiles.create', 'user_profile'],
]);

/** They say in which session the dream of the caller runs, and which memory stores it made. */
const dreamsShown = new Set(['dreams.create', 'dreams.get']);

/** Whether answers of an endpoint make things beside those in messages. */
export function makesThings(endpoint: string): boolean {
  return madeByEndpoint.has(endpoint) || endpoint === 'batches.results' || endpoint === 'dreams.get';
}

/** What a whole JSON answer that is no message made. */
export function idsMadeByJson(endpoint: string, answer: JsonValue): OwnedId[] {
  const made = new NamedIds();
  const kind = madeByEndpoint.get(endpoint);
  if (!isJsonObject(answer)) return [];
  if (kind !== undefined) made.add(kind, answer.id);
  if (endpoint === 'deployments.run' || dreamsShown.has(endpoint)) made.add('session', answer.session_id);
  if (dreamsShown.has(endpoint)) {
    const read = new Set(objectsIn(answer.inputs).map((input) => input.memory_store_id));
    for (const { memory_store_id: id } of objectsIn(answer.outputs)) if (!read.has(id)) made.add('memory_store', id);
  }
  return made.real();
}

/** What code of a message made, and where it ran. */
export function idsMadeByMessage(message: JsonObject | null): OwnedId[] {
  const made = new NamedIds();
  made.add('container', idOf(message?.container));
  for (const id of filesProduced(message)) made.add('file', id);
  return made.real();
}

/** By what later requests can name the message that answers this one. */
export function messageKindsOf(request: { inThread: boolean; isComparable: boolean } | null): OwnedKind[] {
  return [
    ...(request?.inThread === true ? (['message'] as const) : []),
    ...(request?.isComparable === true ? (['compared_message'] as const) : []),
  ];
}

/** What was made and not named: who goes on with somebody's container is not the one who made it. */
export function idsBrought(made: readonly OwnedId[], named: readonly OwnedId[]): OwnedId[] {
  const known = new Set(named.map(keyOf));
  return made.filter((each) => !known.has(keyOf(each)));
}

function keyOf({ kind, id }: OwnedId): string {
  return `${kind} ${id}`;
}

class NamedIds {
  readonly #byKey = new Map<string, OwnedId>();

  /** One more than may be is enough to tell that there are too many. */
  get isFull(): boolean {
    return this.#byKey.size > namedIdsMax;
  }

  /** Blanks around an id are no part of it: some readers pass over them. */
  add(kind: OwnedKind, text: JsonValue | undefined): void {
    const id = typeof text === 'string' ? text.trim() : '';
    if (id === '' || this.isFull) return;
    const each = { kind, id: id.slice(0, idMaxChars + 1) };
    this.#byKey.set(keyOf(each), each);
  }

  addEach(kind: OwnedKind, value: JsonValue | undefined): void {
    if (Array.isArray(value)) for (const item of value) this.add(kind, item);
    else this.add(kind, value);
  }

  /** Without those that were cut: whatever is as long would be one and the same. */
  real(): OwnedId[] {
    return this.all().filter(({ id }) => id.length <= idMaxChars);
  }

  all(): OwnedId[] {
    return [...this.#byKey.values()];
  }
}
