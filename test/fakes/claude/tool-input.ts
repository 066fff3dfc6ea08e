/** Makes an input that fits a tool's JSON schema well enough for a demo: the same schema always gives the same input. */
import { property } from './messages-request.ts';

const DEPTH_MAX = 4;
const PROPERTIES_MAX = 32;

/** A value for the schema; nested objects end at depth 4, objects at 32 properties. */
export function fakeToolInput(schema: unknown, name = 'input', depth = 0): unknown {
  const allowed = property(schema, 'enum');
  if (Array.isArray(allowed) && allowed.length > 0) return allowed[0];
  switch (property(schema, 'type')) {
    case 'string':
      return `fake ${name}`;
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return depth < DEPTH_MAX ? [fakeToolInput(property(schema, 'items'), name, depth + 1)] : [];
    default:
      return fakeObject(property(schema, 'properties'), depth);
  }
}

function fakeObject(properties: unknown, depth: number): unknown {
  if (typeof properties !== 'object' || properties === null || depth >= DEPTH_MAX) return {};
  const entries = Object.entries(properties).slice(0, PROPERTIES_MAX);
  return Object.fromEntries(entries.map(([key, schema]) => [key, fakeToolInput(schema, key, depth + 1)]));
}
