/** Reads the events that a caller sends into a managed-agent session, or has one begin with. */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

export type ReadSentEvents = { ok: true; events: JsonObject[] | null } | { ok: false; fault: string };

const fieldByName: ReadonlyMap<string, { name: string; required: boolean }> = new Map([
  ['sessions.events.send', { name: 'events', required: true }],
  ['sessions.create', { name: 'initial_events', required: false }],
  ['deployments.create', { name: 'initial_events', required: false }],
  ['deployments.update', { name: 'initial_events', required: false }],
]);

/** The name of the field with the events, or null for an endpoint that takes none. */
export function sentEventsField(endpointName: string): string | null {
  return fieldByName.get(endpointName)?.name ?? null;
}

/** Null for an endpoint that takes no events, or a body without any. Each event has a `type` that is a string. */
export function readSentEvents(endpointName: string, value: JsonValue): ReadSentEvents {
  const field = fieldByName.get(endpointName);
  if (field === undefined) return { ok: true, events: null };
  const events = isJsonObject(value) ? value[field.name] : undefined;
  if (events === undefined && !field.required) return { ok: true, events: null };
  if (!Array.isArray(events)) return { ok: false, fault: `${field.name} must be an array` };
  for (const [at, event] of events.entries()) {
    const place = `${field.name}[${at}]`;
    if (!isJsonObject(event)) return { ok: false, fault: `${place} must be an object` };
    if (typeof event.type !== 'string') return { ok: false, fault: `${place}.type must be a string` };
  }
  return { ok: true, events: events.filter(isJsonObject) };
}
